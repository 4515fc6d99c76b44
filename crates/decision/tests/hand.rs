//! One small organisation made by hand: a supplier that wants to renew a contract, has a care action,
//! a recall and a shop of small offers, with every kind of rule and policy once.

use crate::generated::{at, compile, days};
use decision::{
    Timestamp,
    candidate::Fate,
    decide::{Worked, decide, work_out},
    experiment::Enrolled,
    id::{ActionId, CustomerId, DecisionId},
    inputs::{Assignment, Inputs},
    profile::{
        About, AttributeValue, ConsentStatement, ConsentStatus, Contact, ContactState, Customer, Outcome,
        Profile, Source,
    },
    record::Decision,
    request::{Direction, PlacementRequest, Request},
    strategy::Strategy,
    value::Value,
};
use learning::{Arm, Arms, Features, ModelVersion, Prediction, Predictor};
use std::collections::BTreeMap;

pub const RENEW: &str = "sales/contract/renew";
pub const DAYTIME: &str = "2026-03-09T10:00:00+01:00";

const FILES: [(&str, &str); 12] = [
    (
        "organisation.toml",
        r#"
name = "Morgen"
time_zone = "Europe/Amsterdam"
languages = ["nl", "en"]
[weights]
customer = 1.0
organisation = 0.5
[floor]
customer = 0.0
customer_vulnerable = 4.0
vulnerable = '''customer.illness'''
[exploration]
floor = 0.0
contenders = 4
[attention]
fatigue = 0.25
within = "14d"
[levers]
"sales" = 0.1
"sales/contract" = 0.2
[outcomes.complaint]
event = "complained"
within = "14d"
value = { customer = -15.0, organisation = -40.0 }
prior = 0.002
"#,
    ),
    (
        "purposes.toml",
        r#"
[purposes.offers]
name.nl = "Aanbiedingen die bij u passen"
name.en = "Offers that fit you"
basis = "consent"
impact_assessment = { reference = "DPIA-1", date = 2026-01-15 }
[purposes.mailing]
name.nl = "U mailen met een aanbod"
name.en = "Mailing you an offer"
basis = "consent"
impact_assessment = { reference = "DPIA-1", date = 2026-01-15 }
[purposes.contract]
name.nl = "Uw contract uitvoeren"
name.en = "Carrying out your contract"
basis = "contract"
[purposes.protection]
name.nl = "U met rust laten"
name.en = "Leaving you in peace"
basis = "legal_obligation"
protective = true
"#,
    ),
    (
        "channels.toml",
        r#"
[channels.web]
name.nl = "website"
name.en = "website"
directions = ["inbound"]
[channels.email]
name.nl = "e-mail"
name.en = "e-mail"
directions = ["outbound"]
contact_cost = 0.5
quiet_hours = { from = "21:00", until = "08:00" }
"#,
    ),
    (
        "placements.toml",
        r#"
[placements.hero]
channel = "web"
name.nl = "bovenaan"
name.en = "top of the page"
slots = 2
order = 1
neutral_default = "Hallo"
[placements.mail]
channel = "email"
name.nl = "bericht"
name.en = "message"
slots = 2
order = 2
neutral_default = "Hallo"
"#,
    ),
    (
        "permissions.toml",
        r#"
[[permissions]]
channel = "email"
direction = "outbound"
applies_to = ["sales"]
from = 2026-03-01
needs = "mailing"
reason = "since March mailing an offer needs a yes"
"#,
    ),
    (
        "contact-policy.toml",
        r#"
inbound_counts = true
complaint_silences = ["sales"]
[[limits]]
id = "three_a_week"
per = "all"
at_most = 3
within = "7d"
[[pauses]]
id = "twice_dismissed"
outcome = "dismissed"
times = 2
within = "14d"
per = "group"
pause_for = "20d"
"#,
    ),
    (
        "inventory/all.toml",
        r#"
[attributes.first_name]
name.nl = "uw voornaam"
name.en = "your first name"
type = "text"
source = "provided"
purposes = ["offers", "contract"]
owner = "service"
learn = false
[attributes.years]
name.nl = "hoe lang u klant bent"
name.en = "how long you are a customer"
type = "number"
purposes = ["offers", "protection"]
owner = "service"
[attributes.contract_type]
name.nl = "uw soort contract"
name.en = "your kind of contract"
type = "text"
values = ["fixed", "variable"]
source = "provided"
purposes = ["offers", "contract"]
owner = "service"
[attributes.solvent]
name.nl = "of het contract bij u past"
name.en = "whether the contract suits you"
type = "bool"
source = "derived"
purposes = ["offers"]
owner = "service"
[attributes.gain]
name.nl = "wat het u oplevert"
name.en = "what it brings you"
type = "number"
source = "derived"
purposes = ["offers"]
owner = "service"
learn = false
[attributes.arrears]
name.nl = "wat er nog open staat"
name.en = "what is still to be paid"
type = "number"
sensitivity = "financial_distress"
purposes = ["contract", "protection"]
owner = "care"
[attributes.apology_owed]
name.nl = "of wij u excuses schuldig zijn"
name.en = "whether we owe you an apology"
type = "bool"
purposes = ["protection"]
owner = "care"
[attributes.illness]
name.nl = "of u ziek bent"
name.en = "whether you are ill"
type = "bool"
source = "provided"
purposes = ["protection"]
owner = "care"
[context.page]
type = "text"
values = ["home", "bill"]
[events.renewed]
[events.paid]
[events.replaced]
[events.bought]
[events.complained]
outcome = "complaint"
[events.solved]
outcome = "complaint_resolved"
"#,
    ),
    (
        "principles/all.toml",
        r#"
[principles.no_sales_in_arrears]
order = 10
kind = "veto"
applies_to = ["sales"]
when = '''customer.arrears > 0.0'''
when_unknown = "veto"
owner = "board"
reason.nl = "Wie moeite heeft met betalen, krijgt hulp en geen aanbod."
reason.en = "Who finds it hard to pay gets help, not an offer."
[principles.apologise_first]
order = 20
kind = "require"
applies_to = ["sales"]
requires = '''!customer.apology_owed'''
when_unknown = "pass"
owner = "complaints"
reason.nl = "Eerst excuses."
reason.en = "First an apology."
[principles.what_they_came_for]
order = 30
kind = "weigh"
applies_to = ["sales/contract"]
when = '''context.page == "bill"'''
weight = 0.5
owner = "service"
reason.nl = "Daar kwam u voor."
reason.en = "That is what you came for."
"#,
    ),
    (
        "actions/sales/contract/renew.toml",
        r#"
name.nl = "Contract verlengen"
name.en = "Renew your contract"
intent.nl = "Zekerheid over uw prijs"
intent.en = "Certainty about your price"
owner = "contracts"
mandate = "board, 2026-01-15"
purpose = "offers"
valid = { from = 2026-03-01, until = 2026-12-01 }
volume = 1000
goal = { event = "renewed", within = "30d", closed_for = "300d" }
value = { customer = '''customer.gain''', organisation = 60.0 }
prior = 0.05
lever = -0.1
eligibility = '''customer.contract_type == "variable"'''
applicability = '''customer.years > 1.0'''
suitability = '''customer.solvent'''
[[treatments]]
id = "mail"
placement = "mail"
title.nl = "{first_name}, uw contract"
title.en = "{first_name}, your contract"
body.nl = "Verleng het nu."
body.en = "Renew it now."
[[treatments]]
id = "web"
placement = "hero"
title.nl = "Uw contract"
title.en = "Your contract"
body.nl = "Verleng het nu."
body.en = "Renew it now."
"#,
    ),
    (
        "actions/sales/extra/lamp.toml",
        r#"
name.nl = "Lamp"
name.en = "Lamp"
intent.nl = "Licht"
intent.en = "Light"
owner = "shop"
mandate = "board, 2026-01-15"
purpose = "contract"
goal = { event = "bought", within = "30d" }
value = { customer = 5.0, organisation = 4.0 }
[[treatments]]
id = "web"
placement = "hero"
title.nl = "Lamp"
title.en = "Lamp"
body.nl = "Licht."
body.en = "Light."
"#,
    ),
    (
        "actions/care/money/plan.toml",
        r#"
name.nl = "Betalen in stappen"
name.en = "Pay in steps"
intent.nl = "Rust"
intent.en = "Peace of mind"
owner = "care"
mandate = "board, 2026-01-15"
purpose = "contract"
goal = { event = "paid", within = "30d" }
value = { customer = 80.0, organisation = 20.0 }
eligibility = '''customer.arrears > 0.0'''
[[treatments]]
id = "web"
placement = "hero"
title.nl = "Betalen in stappen"
title.en = "Pay in steps"
body.nl = "Het kost niets."
body.en = "It costs nothing."
"#,
    ),
    (
        "actions/safety/meter/recall.toml",
        r#"
name.nl = "Meter vervangen"
name.en = "Replace your meter"
intent.nl = "Veiligheid"
intent.en = "Safety"
owner = "safety"
mandate = "law"
purpose = "contract"
class = "mandatory"
goal = { event = "replaced", within = "30d" }
value = { customer = 0.0, organisation = -5.0 }
applicability = '''context.page == "bill"'''
[[treatments]]
id = "web"
placement = "hero"
title.nl = "Meter"
title.en = "Meter"
body.nl = "Wij vervangen uw meter."
body.en = "We replace your meter."
"#,
    ),
];

/// Its files.
pub fn files() -> BTreeMap<String, String> {
    FILES.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

/// The organisation; without exploration the best is said.
pub fn strategy() -> Strategy {
    compile(files())
}

/// Estimates per action, sure and equal for everybody: P(goal | act) and P(goal | not act).
#[derive(Debug, Clone, Default)]
pub struct Table(pub BTreeMap<&'static str, (f32, Option<f32>)>);

/// P(complaint | act) and P(complaint | not act).
pub const COMPLAINT: (f32, f32) = (0.01, 0.004);

impl Predictor for Table {
    fn predict(&self, _features: &Features, arms: Arms<'_>) -> Vec<Prediction> {
        let estimate = |arm: Arm<'_>| {
            let goal = self.0.get(arm.action).copied().unwrap_or((0.05, None));
            let (probability, baseline) =
                if arm.outcome == "goal" { goal } else { (COMPLAINT.0, Some(COMPLAINT.1)) };
            Prediction { probability, deviation: 0.0, baseline, evidence: 100.0 }
        };
        arms.iter().map(estimate).collect()
    }
    fn version(&self) -> ModelVersion {
        ModelVersion::NONE
    }
}

/// A customer with everything in order, and a question by e-mail at daytime.
#[derive(Debug, Clone)]
pub struct Story {
    pub customer: Customer,
    pub recognised: bool,
    pub quotas: BTreeMap<ActionId, u64>,
    pub assignment: Assignment,
    pub experiments: Vec<Enrolled>,
    pub request: Request,
    pub at: Timestamp,
    pub seed: u64,
    pub model: Table,
}

impl Default for Story {
    fn default() -> Self {
        let request = Request {
            channel: "email".into(),
            direction: Direction::Outbound,
            placements: vec![PlacementRequest { placement: "mail".into(), slots: 1 }],
            context: BTreeMap::new(),
            language: Some("nl".into()),
            global_privacy_control: false,
            dry_run: false,
        };
        let nobody = Customer { id: CustomerId(7), profile: Profile::default(), history: Default::default() };
        let mut story = Self {
            customer: nobody,
            recognised: true,
            quotas: BTreeMap::new(),
            assignment: Assignment::Strategy,
            experiments: Vec::new(),
            request,
            at: at(DAYTIME),
            seed: 1,
            model: Table([(RENEW, (0.25, Some(0.05)))].into()),
        };
        story.knows("first_name", Value::Text("Noor".into()), Source::Provided);
        story.knows("contract_type", Value::Text("variable".into()), Source::Provided);
        story.knows("years", Value::Number(3.0), Source::Observed);
        story.knows("solvent", Value::Bool(true), Source::Derived);
        story.knows("gain", Value::Number(40.0), Source::Derived);
        story.knows("arrears", Value::Number(0.0), Source::Observed);
        story.knows("apology_owed", Value::Bool(false), Source::Observed);
        story.knows("illness", Value::Bool(false), Source::Provided);
        story.states("offers", ConsentStatus::Given);
        story.states("mailing", ConsentStatus::Given);
        story
    }
}

impl Story {
    /// The same on the website.
    pub fn on_the_web(slots: u16) -> Self {
        let mut story = Self::default();
        story.request.channel = "web".into();
        story.request.direction = Direction::Inbound;
        story.request.placements = vec![PlacementRequest { placement: "hero".into(), slots }];
        story
    }
    pub fn knows(&mut self, name: &str, value: Value, source: Source) {
        let observed_at = at(DAYTIME) - days(40.0);
        let known = AttributeValue {
            value,
            source,
            confidence: 1.0,
            observed_at,
            expires_at: observed_at + days(365.0),
        };
        self.customer.profile.attributes.insert(name.into(), known);
    }
    pub fn number(&mut self, name: &str, number: f64) {
        self.knows(name, Value::Number(number), Source::Observed);
    }
    pub fn flag(&mut self, name: &str, flag: bool) {
        self.knows(name, Value::Bool(flag), Source::Observed);
    }
    pub fn forget(&mut self, name: &str) {
        self.customer.profile.attributes.remove(name);
    }
    pub fn states(&mut self, purpose: &str, status: ConsentStatus) {
        self.says(About::Purpose(purpose.into()), status);
    }
    /// Says this about anything, after everything said before.
    pub fn says(&mut self, about: About, status: ConsentStatus) {
        let at = at(DAYTIME) - days(35.0);
        let statement = ConsentStatement { about, channel: None, status, at, expires_at: None };
        self.customer.profile.consents.push(statement);
    }
    /// A counted contact about the lamp, by this many days ago.
    pub fn contact(&mut self, days_ago: f64) {
        self.contact_about("sales/extra/lamp", days_ago);
    }
    pub fn contact_about(&mut self, action: &str, days_ago: f64) {
        self.customer.history.contacts.push(Contact {
            decision: DecisionId(1),
            slot: 0,
            action: action.into(),
            channel: "web".into(),
            placement: "hero".into(),
            direction: Direction::Inbound,
            at: at(DAYTIME) - days(days_ago),
            state: ContactState::Counted { late: false },
        });
        self.customer.history.contacts.sort_by_key(|contact| contact.at);
    }
    pub fn outcome(&mut self, outcome: &str, action: Option<&str>, days_ago: f64) {
        self.customer.history.outcomes.push(Outcome {
            outcome: outcome.into(),
            event: (outcome == "goal").then(|| "renewed".into()),
            action: action.map(Into::into),
            at: at(DAYTIME) - days(days_ago),
        });
        self.customer.history.outcomes.sort_by_key(|outcome| outcome.at);
    }
    pub fn inputs(&self) -> Inputs<'_> {
        Inputs {
            customer: self.recognised.then_some(&self.customer),
            household: None,
            quotas: &self.quotas,
            predictor: &self.model,
            assignment: self.assignment,
            experiments: &self.experiments,
            recorded_worth: None,
            adjustments: &[],
        }
    }
    pub fn decide(&self, strategy: &Strategy) -> Decision {
        decide(strategy, &self.inputs(), &self.request, self.at, self.seed)
    }
    pub fn work_out<'a>(&'a self, strategy: &'a Strategy) -> Worked<'a> {
        work_out(strategy, &self.inputs(), &self.request, self.at, self.seed)
    }
}

/// The fate of an action at the first placement where it is a candidate.
pub fn fate(strategy: &Strategy, decision: &Decision, action: &str) -> Fate {
    let index = strategy.action_index(action).expect("an action of the strategy");
    decision.fates.iter().find(|fate| fate.action == index).expect("a candidate").fate
}

/// The ids of what is said, by slot; `None` is silence.
pub fn said(strategy: &Strategy, decision: &Decision) -> Vec<Option<String>> {
    let action =
        |pick: u16| strategy.actions[usize::from(decision.fates[usize::from(pick)].action)].id.to_string();
    decision.slots.iter().map(|slot| slot.pick.map(action)).collect()
}
