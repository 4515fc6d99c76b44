//! The table of mistakes: file, text, what it is replaced by, and what is then told.

pub(super) const MISTAKES: &[(&str, &str, &str, &[&str])] = &[
    (
        "organisation.toml",
        "languages =",
        "langauges =",
        &[
            "organisation.toml | - | the file has no `languages` | -",
            "organisation.toml | langauges | the file has no place for `langauges` | did you mean `languages`?",
        ],
    ),
    (
        "organisation.toml",
        "Europe/Amsterdam",
        "Europe/Amsterdm",
        &[
            "organisation.toml | \"Europe/Amsterdm\" | no time zone is called `Europe/Amsterdm` | use a name of the IANA database such as `Europe/Amsterdam`",
        ],
    ),
    (
        "organisation.toml",
        "within = \"14d\"",
        "within = 14",
        &["organisation.toml | 14 | `within` expects a duration such as `7d`, found the number 14 | -"],
    ),
    (
        "organisation.toml",
        "within = \"14d\"",
        "within = \"14 days\"",
        &["organisation.toml | \"14 days\" | `within` expects a duration such as `7d`, found `14 days` | -"],
    ),
    (
        "organisation.toml",
        "event = \"complaint_opened\"",
        "event = \"complaint_openend\"",
        &[
            "organisation.toml | \"complaint_openend\" | no event is called `complaint_openend` | did you mean `complaint_opened`?",
        ],
    ),
    (
        "organisation.toml",
        "prior = 0.002",
        "prior = 1.0",
        &[
            "organisation.toml | 1.0 | `prior` expects a probability above 0 and below 1, found the number 1.0 | -",
        ],
    ),
    (
        "organisation.toml",
        "sales = 0.1",
        "sales = -1.5",
        &[
            "actions/sales/contract/renew.toml | - | 1 and the levers of issue, group and action come to -0.5 | keep the sum above 0, or remove the action",
        ],
    ),
    (
        "organisation.toml",
        "customer_vulnerable = 1.0",
        "customer_vulnerable = -1.0",
        &["organisation.toml | -1.0 | a vulnerable customer deserves at least the floor of any other | -"],
    ),
    (
        "organisation.toml",
        "'customer.arrears > 0.0'",
        "'customer.arears > 0.0'",
        &[
            "organisation.toml | customer.arears | there is no attribute `customer.arears` | did you mean `customer.arrears`?",
        ],
    ),
    (
        "organisation.toml",
        "'customer.arrears > 0.0'",
        "'customer.heating == \"gas\"'",
        &[
            "organisation.toml | customer.heating | `customer.heating` serves no protective purpose, so a principle may not read it | it may be used for `offers`",
        ],
    ),
    (
        "purposes.toml",
        "basis = \"consent\"",
        "basis = \"consnt\"",
        &[
            "purposes.toml | \"consnt\" | `basis` expects `consent`, `contract`, `legal_obligation`, `vital_interests`, `public_task` or `legitimate_interests`, found `consnt` | did you mean `consent`?",
        ],
    ),
    (
        "purposes.toml",
        "name = { en = \"Offers\", nl = \"Aanbod\" }",
        "name = { en = \"Offers\" }",
        &["purposes.toml | name | `name` has no text in `nl` | -"],
    ),
    (
        "purposes.toml",
        "name = { en = \"Offers\", nl = \"Aanbod\" }",
        "name = \"Offers\"",
        &[
            "purposes.toml | \"Offers\" | `name` expects a text per language such as `name.en = \"…\"`, found `Offers` | -",
        ],
    ),
    (
        "channels.toml",
        "[\"outbound\"]",
        "[\"outwards\"]",
        &[
            "channels.toml | \"outwards\" | `directions` expects `inbound` or `outbound`, found `outwards` | -",
        ],
    ),
    (
        "channels.toml",
        "\"21:00\"",
        "\"25:00\"",
        &["channels.toml | \"25:00\" | `from` expects a time of day such as `21:00`, found `25:00` | -"],
    ),
    (
        "placements.toml",
        "\"email\"",
        "\"e_mail\"",
        &["placements.toml | \"e_mail\" | no channel is called `e_mail` | did you mean `email`?"],
    ),
    (
        "placements.toml",
        "slots = 2",
        "slots = 20",
        &["placements.toml | 20 | a placement has at most 16 slots | -"],
    ),
    (
        "inventory/customer.toml",
        "type = \"number\"\npurposes",
        "type = \"nubmer\"\npurposes",
        &[
            "inventory/customer.toml | \"nubmer\" | `type` expects `number`, `text`, `bool` or `time`, found `nubmer` | did you mean `number`?",
        ],
    ),
    (
        "inventory/customer.toml",
        "purposes = [\"offers\"]",
        "purposes = [\"ofers\"]",
        &["inventory/customer.toml | \"ofers\" | no purpose is called `ofers` | did you mean `offers`?"],
    ),
    (
        "inventory/customer.toml",
        "purposes = [\"offers\"]",
        "purposes = []",
        &["inventory/customer.toml | [] | an attribute without a purpose may not be kept | -"],
    ),
    (
        "inventory/customer.toml",
        "purposes = [\"offers\"]",
        "purposes = [\"offers\"]\nretention = \"2y\"",
        &[
            "inventory/customer.toml | \"2y\" | kept for more than a year without a reason | write why in `retention_reason`, or keep it for at most `365d`",
        ],
    ),
    (
        "inventory/customer.toml",
        "owner = \"advice\"",
        "owner = \"advice\"\nsensitivity = \"special\"\nlearn = true",
        &[
            "actions/sales/contract/renew.toml | heating | `heating` is a special category and may not make an action more likely here | read it in the rules of a care action",
            "actions/sales/contract/renew.toml | {heating} | the customer never told us `heating`, so it is not said to them | leave it out; where they can see it with us anyway, declare `shown = true`",
            "actions/sales/contract/renew.toml | {heating} | the customer never told us `heating`, so it is not said to them | leave it out; where they can see it with us anyway, declare `shown = true`",
            "inventory/customer.toml | heating | the special category `heating` is used for `offers` without an impact assessment | write `impact_assessment = { reference = \"…\", date = 2026-01-15 }` at the purpose",
            "inventory/customer.toml | true | models never learn from a special category | -",
        ],
    ),
    (
        "inventory/customer.toml",
        "sensitivity = \"financial_distress\"",
        "sensitivity = \"special\"",
        &[
            "inventory/customer.toml | arrears | the special category `arrears` may not be used for `care` | a special category needs a purpose whose basis is `consent`",
            "organisation.toml | customer.arrears | `customer.arrears` is of a special category and none of its protective purposes rests on consent | only explicit consent allows its use",
            "principles/care.toml | customer.arrears | `customer.arrears` is of a special category and none of its protective purposes rests on consent | only explicit consent allows its use",
        ],
    ),
    (
        "inventory/customer.toml",
        "\"{amount}\"",
        "\"{ammount}\"",
        &[
            "inventory/customer.toml | \"{ammount}\" | the event has no property `ammount` | did you mean `amount`?",
        ],
    ),
    (
        "inventory/customer.toml",
        "\"{amount}\"",
        "\"{at}\"",
        &[
            "inventory/customer.toml | \"{at}\" | `arrears` is of type number, the moment of the event is of type time | -",
        ],
    ),
    (
        "inventory/customer.toml",
        "sets = { arrears",
        "sets = { arears",
        &["inventory/customer.toml | arears | no attribute is called `arears` | did you mean `arrears`?"],
    ),
    (
        "inventory/customer.toml",
        "[events.contract_renewed]",
        "[events.contract_renewd]",
        &[
            "actions/sales/contract/renew.toml | \"contract_renewed\" | no event is called `contract_renewed` | did you mean `contract_renewd`?",
        ],
    ),
    (
        "inventory/customer.toml",
        "\"complaint_resolved\"",
        "\"complaint_closed\"",
        &[
            "contact-policy.toml | complaint_silences | no event has the outcome `complaint_resolved` | write `outcome = \"complaint_resolved\"` on the event in the inventory",
        ],
    ),
    (
        "principles/care.toml",
        "when_unknown = \"veto\"\n",
        "",
        &[
            "principles/care.toml | no_sales_in_arrears | a veto or requirement says what not knowing means | write `when_unknown = \"veto\"` (better not) or `when_unknown = \"pass\"`",
        ],
    ),
    (
        "principles/care.toml",
        "applies_to = [\"sales\"]",
        "applies_to = [\"sale\"]",
        &[
            "principles/care.toml | \"sale\" | no issue, group or action is called `sale` | did you mean `sales`?",
        ],
    ),
    (
        "principles/care.toml",
        "kind = \"veto\"",
        "kind = \"vetoes\"",
        &[
            "principles/care.toml | \"vetoes\" | `kind` expects `veto`, `require` or `weigh`, found `vetoes` | -",
        ],
    ),
    (
        "principles/care.toml",
        "kind = \"veto\"",
        "kind = \"weigh\"\nweight = 0.1",
        &[
            "principles/care.toml | customer.arrears | `customer.arrears` may not be used for `offers` | it may be used for `care`",
            "principles/care.toml | when_unknown | `no_sales_in_arrears` has no place for `when_unknown` | -",
        ],
    ),
    (
        "actions/sales/contract/renew.toml",
        "customer.heating == \"gas\"",
        "customer.heating == \"gass\"",
        &[
            "actions/sales/contract/renew.toml | \"gass\" | `gass` is not one of the declared values | did you mean `gas`?",
        ],
    ),
    (
        "actions/sales/contract/renew.toml",
        "customer.heating == \"gas\"",
        "customer.arrears < 1.0",
        &[
            "actions/sales/contract/renew.toml | customer.arrears | `customer.arrears` may not be used for `offers` | it may be used for `care`",
        ],
    ),
    (
        "actions/sales/contract/renew.toml",
        "customer.heating == \"gas\"",
        "customer.heating == ",
        &["actions/sales/contract/renew.toml |  | the rule ends where more is expected | -"],
    ),
    (
        "actions/sales/contract/renew.toml",
        "organisation = 12.0",
        "organisation = \"customer.heating\"",
        &[
            "actions/sales/contract/renew.toml | customer.heating | the rule is text, but has to be a number | -",
        ],
    ),
    (
        "actions/sales/contract/renew.toml",
        "event = \"contract_renewed\", ",
        "",
        &[
            "actions/sales/contract/renew.toml | { within = \"30d\" } | a goal is one of an event, an attribute and a consent | write `goal = { event = \"…\", within = \"30d\" }`",
        ],
    ),
    (
        "actions/sales/contract/renew.toml",
        "U stookt op {heating}",
        "U stookt op {heatng}",
        &[
            "actions/sales/contract/renew.toml | {heatng} | no attribute is called `heatng` | did you mean `heating`?",
        ],
    ),
    (
        "actions/sales/contract/renew.toml",
        "U stookt op {heating}",
        "U heeft {arrears} open",
        &[
            "actions/sales/contract/renew.toml | {arrears} | `arrears` may not be used for this action's purpose | add the purpose to the attribute, or leave it out of the text",
            "actions/sales/contract/renew.toml | {arrears} | the customer never told us `arrears`, so it is not said to them | leave it out; where they can see it with us anyway, declare `shown = true`",
        ],
    ),
    (
        "actions/sales/contract/renew.toml",
        "U stookt op {heating}",
        "U stookt op {heating",
        &[
            "actions/sales/contract/renew.toml | {heating | this `{` is not closed | write `{{` for a brace that is said as it is",
        ],
    ),
    (
        "actions/sales/contract/renew.toml",
        "placement = \"hero\"",
        "placement = \"herro\"",
        &[
            "actions/sales/contract/renew.toml | \"herro\" | no placement is called `herro` | did you mean `hero`?",
        ],
    ),
    (
        "actions/sales/contract/renew.toml",
        "mandate = \"board\"\n",
        "",
        &["actions/sales/contract/renew.toml | - | the file has no `mandate` | -"],
    ),
    (
        "actions/sales/contract/renew.toml",
        "prior = 0.05",
        "prior = \"high\"",
        &[
            "actions/sales/contract/renew.toml | \"high\" | `prior` expects a probability above 0 and below 1, found `high` | -",
        ],
    ),
    (
        "actions/sales/contract/renew.toml",
        "prior = 0.05",
        "prior = ",
        &["actions/sales/contract/renew.toml |  | a value is missing here | -"],
    ),
    (
        "actions/sales/contract/renew.toml",
        "prior = 0.05",
        "valid = { from = 2026-05-01, until = 2026-04-01 }",
        &[
            "actions/sales/contract/renew.toml | { from = 2026-05-01, until = 2026-04-01 } | the action ends before it begins | -",
        ],
    ),
    (
        "contact-policy.toml",
        "at_most = 3",
        "at_most = 0",
        &["contact-policy.toml | 0 | `at_most` expects a whole number of at least 1, found the number 0 | -"],
    ),
    (
        "contact-policy.toml",
        "\"rejected\"",
        "\"rejectd\"",
        &["contact-policy.toml | \"rejectd\" | no outcome is called `rejectd` | did you mean `rejected`?"],
    ),
    (
        "contact-policy.toml",
        "\"after_no\"",
        "\"weekly\"",
        &["contact-policy.toml | \"weekly\" | the limit or pause `weekly` is declared twice | -"],
    ),
    (
        "permissions.toml",
        "from = 2026-07-01",
        "from = \"2026-07-01\"",
        &[
            "permissions.toml | \"2026-07-01\" | `from` expects a date such as `2026-03-09` or a moment such as `2026-03-09T10:00:00+01:00`, found `2026-07-01` | a date stands without quotes",
        ],
    ),
    (
        "permissions.toml",
        "reason = \"law\"",
        "reason = \"\"",
        &["permissions.toml | \"\" | `reason` expects a text, found an empty text | -"],
    ),
    (
        "tests/sales.toml",
        "arrears = 120.0",
        "arrears = \"much\"",
        &["tests/sales.toml | \"much\" | `arrears` expects a number, found `much` | -"],
    ),
    (
        "tests/sales.toml",
        "\"principle:no",
        "\"principel:no",
        &[
            "tests/sales.toml | \"principel:no_sales_in_arrears\" | no step of a decision is called `principel` | did you mean `principle`?",
        ],
    ),
    (
        "tests/sales.toml",
        "expect = {",
        "expects = {",
        &[
            "tests/sales.toml | [[tests]] | `tests` has no `expect` | -",
            "tests/sales.toml | expects | `tests` has no place for `expects` | did you mean `expect`?",
        ],
    ),
    (
        "tests/sales.toml",
        "\"sales/contract/renew\"",
        "\"sales/contract/renw\"",
        &[
            "tests/sales.toml | \"sales/contract/renw\" | no action is called `sales/contract/renw` | did you mean `sales/contract/renew`?",
        ],
    ),
    (
        "purposes.toml",
        "assessment = { reference = \"LIA-1\", date = 2026-01-15 }\n",
        "",
        &[
            "purposes.toml | care | `care` rests on legitimate interests without an assessment of them | write `assessment = { reference = \"…\", date = 2026-01-15 }`",
        ],
    ),
    (
        "purposes.toml",
        "basis = \"consent\"",
        "basis = \"consent\"\nprofiling = true",
        &[
            "purposes.toml | offers | `offers` profiles people systematically without an impact assessment | write `impact_assessment = { reference = \"…\", date = 2026-01-15 }`",
        ],
    ),
    (
        "purposes.toml",
        "basis = \"consent\"",
        "basis = \"consent\"\nconsent_holds = \"2y\"",
        &["purposes.toml | \"2y\" | a consent holds for at most a year | ask again after `365d`, or sooner"],
    ),
    (
        "purposes.toml",
        "basis = \"consent\"",
        "basis = \"consent\"\ntcf_purpose = 25",
        &["purposes.toml | 25 | the framework numbers its purposes from 1 to 24 | -"],
    ),
    (
        "inventory/customer.toml",
        "owner = \"advice\"",
        "owner = [\"advice\", \"sales\"]",
        &[
            "inventory/customer.toml | [\"advice\", \"sales\"] | an attribute has one owner | name the one who answers for it",
        ],
    ),
    (
        "inventory/customer.toml",
        "owner = \"advice\"",
        "owner = \"advice\"\ncategory = \"dpv-pd:Incom\"",
        &[
            "inventory/customer.toml | \"dpv-pd:Incom\" | no category of personal data is called `dpv-pd:Incom` | did you mean `dpv-pd:Income`?",
        ],
    ),
    (
        "inventory/customer.toml",
        "owner = \"advice\"",
        "owner = \"advice\"\ncategory = \"dpv-pd:Religion\"",
        &[
            "inventory/customer.toml | \"dpv-pd:Religion\" | `dpv-pd:Religion` is a special category | write `sensitivity = \"special\"`, or do not keep it",
        ],
    ),
    (
        "inventory/customer.toml",
        "owner = \"advice\"",
        "owner = \"advice\"\nsensitivity = \"special\"",
        &[
            "actions/sales/contract/renew.toml | heating | `heating` is a special category and may not make an action more likely here | read it in the rules of a care action",
            "actions/sales/contract/renew.toml | {heating} | the customer never told us `heating`, so it is not said to them | leave it out; where they can see it with us anyway, declare `shown = true`",
            "actions/sales/contract/renew.toml | {heating} | the customer never told us `heating`, so it is not said to them | leave it out; where they can see it with us anyway, declare `shown = true`",
            "inventory/customer.toml | heating | the special category `heating` is used for `offers` without an impact assessment | write `impact_assessment = { reference = \"…\", date = 2026-01-15 }` at the purpose",
        ],
    ),
    (
        "inventory/customer.toml",
        "owner = \"advice\"",
        "owner = \"advice\"\nproxy_for = \"dpv-pd:MedicalHealth\"",
        &[
            "actions/sales/contract/renew.toml | heating | `heating` stands for `dpv-pd:MedicalHealth`, so no rule may read it | leave it out; a special category needs the customer's explicit consent",
        ],
    ),
    (
        "inventory/customer.toml",
        "owner = \"advice\"",
        "owner = \"advice\"\nmin = 3.0",
        &["inventory/customer.toml | min | `min` is for numbers only | -"],
    ),
    (
        "inventory/customer.toml",
        "owner = \"advice\"",
        "owner = \"advice\"\nsource = \"derived\"",
        &[
            "actions/sales/contract/renew.toml | {heating} | the customer never told us `heating`, so it is not said to them | leave it out; where they can see it with us anyway, declare `shown = true`",
            "actions/sales/contract/renew.toml | {heating} | the customer never told us `heating`, so it is not said to them | leave it out; where they can see it with us anyway, declare `shown = true`",
        ],
    ),
    (
        "actions/sales/contract/renew.toml",
        "title = { en = \"Renew\", nl = \"Verleng\" }",
        "title = { en = \"Only today\", nl = \"Verleng\" }",
        &[
            "actions/sales/contract/renew.toml | Only today | `Only today` presses the customer without a source and an end | write `claim = { source = \"…\", until = 2026-04-01 }`, or say it without pressure",
        ],
    ),
    (
        "actions/sales/contract/renew.toml",
        "title = { en = \"Renew\", nl = \"Verleng\" }",
        "title = { en = \"Renew\", nl = \"Nog maar drie\" }",
        &[
            "actions/sales/contract/renew.toml | Nog maar | `Nog maar` presses the customer without a source and an end | write `claim = { source = \"…\", until = 2026-04-01 }`, or say it without pressure",
        ],
    ),
    (
        "actions/sales/contract/renew.toml",
        "prior = 0.05",
        "prior = 0.05\nprice = { varies_by = \"person\", disclosure = { en = \"Your own price\", nl = \"Uw eigen prijs\" } }",
        &[
            "actions/sales/contract/renew.toml | [[treatments]] | the text in `en` does not say that the price is not the same for everybody | say the `disclosure` of the action's `price` in it",
            "actions/sales/contract/renew.toml | [[treatments]] | the text in `nl` does not say that the price is not the same for everybody | say the `disclosure` of the action's `price` in it",
        ],
    ),
    (
        "purposes.toml",
        "basis = \"consent\"",
        "basis = \"consent\"\naudit_only = true",
        &[
            "actions/sales/contract/renew.toml | \"offers\" | `offers` is for audits only, and nothing is decided for it | name the purpose that this action serves",
        ],
    ),
    (
        "purposes.toml",
        "protective = true",
        "protective = true\naudit_only = true",
        &[
            "purposes.toml | care | `care` is for audits only, and yet decisions would read it to protect | leave out `audit_only` or `protective`",
        ],
    ),
    (
        "organisation.toml",
        "[levers]",
        "[integrity]\nproxy_threshold = 2.0\n[levers]",
        &[
            "organisation.toml | 2.0 | `proxy_threshold` expects a number from 0 to 1, found the number 2.0 | -",
        ],
    ),
];
