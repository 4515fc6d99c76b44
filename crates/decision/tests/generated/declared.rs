//! What every generated organisation declares: purposes, channels, places, facts and events.

use std::{collections::BTreeMap, fmt::Write};

pub fn files() -> BTreeMap<String, String> {
    let purposes = r#"
[purposes.offers]
name.en = "Offers that fit you"
basis = "consent"
impact_assessment = { reference = "DPIA-1", date = 2026-01-15 }
global_privacy_control = true
[purposes.advice]
name.en = "Advice"
basis = "legitimate_interests"
assessment = { reference = "LIA-1", date = 2026-01-15 }
[purposes.service]
name.en = "Your contract"
basis = "contract"
[purposes.calls]
name.en = "Calling you"
basis = "consent"
impact_assessment = { reference = "DPIA-1", date = 2026-01-15 }
[purposes.protection]
name.en = "Leaving you alone"
basis = "legal_obligation"
protective = true
"#;
    let channels = r#"
[channels.web]
name.en = "website"
directions = ["inbound"]
[channels.email]
name.en = "e-mail"
directions = ["outbound"]
contact_cost = 0.05
reservation = "3d"
quiet_hours = { from = "21:00", until = "08:00" }
"#;
    let placements = r#"
[placements.hero]
channel = "web"
name.en = "top"
slots = 1
order = 1
neutral_default = "Hello"
[placements.side]
channel = "web"
name.en = "side"
slots = 2
order = 2
neutral_default = "Hello"
[placements.mail]
channel = "email"
name.en = "mail"
slots = 2
order = 3
neutral_default = "Hello"
"#;
    let permissions = r#"
[[permissions]]
channel = "email"
direction = "outbound"
applies_to = ["sales/extra"]
from = 2026-02-01
needs = "calls"
reason = "the law of February"
"#;
    let ordinary = "purposes = [\"offers\", \"advice\", \"service\", \"protection\"]\nowner = \"team\"\n";
    let mut inventory = String::new();
    for (name, kind, extra) in [
        ("n0", "number", "source = \"provided\"\n"),
        ("n1", "number", "half_life = \"100d\"\n"),
        ("n2", "number", "source = \"derived\"\n"),
        ("f0", "bool", "source = \"provided\"\n"),
        ("f1", "bool", "source = \"third_party\"\n"),
        ("kind", "text", "values = [\"red\", \"green\", \"blue\"]\n"),
        ("since", "time", "retention = \"200d\"\n"),
        ("first_name", "text", "source = \"provided\"\nlearn = false\n"),
        ("people", "number", "subject = \"household\"\n"),
    ] {
        let _ = writeln!(
            inventory,
            "[attributes.{name}]\nname.en = \"label {name}\"\ntype = \"{kind}\"\n{ordinary}{extra}"
        );
    }
    inventory.push_str(
        "[attributes.segment]\nname.en = \"label segment\"\ntype = \"number\"\nsource = \"derived\"\npurposes = [\"offers\", \"protection\"]\nowner = \"team\"\n\
         [attributes.health]\nname.en = \"label health\"\ntype = \"number\"\nsensitivity = \"special\"\npurposes = [\"offers\"]\nowner = \"team\"\n\
         [attributes.arrears]\nname.en = \"label arrears\"\ntype = \"number\"\nsensitivity = \"financial_distress\"\npurposes = [\"protection\"]\nowner = \"team\"\n\
         [context.page]\ntype = \"text\"\nvalues = [\"home\", \"bill\"]\n\
         [events.bought]\n[events.plain_done]\n\
         [events.complained]\noutcome = \"complaint\"\n[events.solved]\noutcome = \"complaint_resolved\"\n",
    );
    [
        ("purposes.toml", purposes),
        ("channels.toml", channels),
        ("placements.toml", placements),
        ("permissions.toml", permissions),
        ("inventory/all.toml", &inventory),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), text.to_owned()))
    .collect()
}
