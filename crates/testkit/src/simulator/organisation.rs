//! Which organisation is simulated? One with an example of everything that can go wrong over time: limits,
//! a limited volume, consent, an objection, a complaint, a household.

use decision::strategy::Files;
use std::collections::BTreeMap;

/// How often the voucher may be said in total.
pub const VOUCHERS: u64 = 12;
/// The limited action.
pub const VOUCHER: &str = "sales/garden/voucher";

/// Limits as the witness counts them: id, channel (`None`: all), per action, at most, within hours.
pub const LIMITS: [(&str, Option<&str>, bool, usize, i64); 3] = [
    ("two_a_week", None, false, 2, 7 * 24),
    ("one_mail_in_three_days", Some("email"), false, 1, 3 * 24),
    ("each_thrice_a_month", None, true, 3, 30 * 24),
];

/// How many strategies there are to publish.
pub const STRATEGIES: usize = 3;

/// One of the strategies: what they promise the customer is the same, what they like to say is not.
pub fn files(variant: usize) -> Files {
    let offer_value = [10.0, 4.0, 20.0][variant % STRATEGIES];
    let tip = TIP.replace("$VALUE", &format!("{:.1}", 24.0 - offer_value));
    let offer = OFFER.replace("$VALUE", &format!("{offer_value:.1}"));
    let voucher = VOUCHER_FILE.replace("$VOUCHERS", &VOUCHERS.to_string());
    let rare = if variant % STRATEGIES == 2 { "suitability = \"customer.has_garden\"\n" } else { "" };
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    Files(BTreeMap::from([
        file("organisation.toml", ORGANISATION),
        file("purposes.toml", PURPOSES),
        file("channels.toml", CHANNELS),
        file("placements.toml", PLACEMENTS),
        file("inventory/customer.toml", INVENTORY),
        file("contact-policy.toml", CONTACT_POLICY),
        file("actions/sales/garden/offer.toml", &offer),
        file("actions/sales/garden/voucher.toml", &voucher.replace("$RARE", rare)),
        file("actions/care/advice/tip.toml", &tip),
        file("actions/service/safety/recall.toml", RECALL),
    ]))
}

const ORGANISATION: &str = r#"
name = "Garden shop"
time_zone = "Europe/Amsterdam"
languages = ["en"]
[outcomes.complaint]
event = "complaint_opened"
within = "14d"
value = { customer = -5.0, organisation = -5.0 }
prior = 0.001
[control]
silence_share = 0.05
random_share = 0.2
"#;

const PURPOSES: &str = r#"
[purposes.offers]
name.en = "offers"
basis = "consent"
[purposes.advice]
name.en = "advice"
basis = "legitimate_interests"
assessment = { reference = "LIA-1", date = 2026-01-15 }
[purposes.service]
name.en = "service"
basis = "contract"
"#;

const CHANNELS: &str = r#"
[channels.email]
name.en = "e-mail"
directions = ["outbound"]
counts_on = "delivered"
reservation = "2d"
[channels.web]
name.en = "web"
directions = ["inbound"]
counts_on = "displayed"
reservation = "30m"
"#;

const PLACEMENTS: &str = r#"
[placements.mail]
channel = "email"
name.en = "mail"
slots = 2
order = 1
neutral_default = "hello"
[placements.home]
channel = "web"
name.en = "home"
slots = 2
order = 2
neutral_default = "hello"
"#;

const INVENTORY: &str = r#"
[attributes.has_garden]
name.en = "has a garden"
type = "bool"
purposes = ["offers"]
owner = "team"
[attributes.town]
name.en = "town"
type = "text"
purposes = ["offers", "advice"]
owner = "team"
[attributes.owns_heater]
name.en = "owns the heater"
type = "bool"
purposes = ["service"]
owner = "team"
[attributes.solar]
name.en = "has solar panels"
type = "bool"
subject = "household"
purposes = ["advice"]
owner = "team"
[attributes.battery]
name.en = "has a battery"
type = "bool"
subject = "household"
purposes = ["advice"]
owner = "team"
[events.bought]
properties = { amount = "number" }
[events.complaint_opened]
outcome = "complaint"
[events.complaint_closed]
outcome = "complaint_resolved"
[events.repaired]
sets = { owns_heater = false }
[events.read]
"#;

const CONTACT_POLICY: &str = r#"
inbound_counts = true
complaint_silences = ["sales"]
[[limits]]
id = "two_a_week"
per = "all"
at_most = 2
within = "7d"
[[limits]]
id = "one_mail_in_three_days"
per = "channel"
channels = ["email"]
at_most = 1
within = "3d"
[[limits]]
id = "each_thrice_a_month"
per = "action"
at_most = 3
within = "30d"
"#;

const OFFER: &str = r#"
name.en = "Garden offer"
intent.en = "a nicer garden"
owner = "garden team"
mandate = "board"
purpose = "offers"
goal = { event = "bought", within = "30d", closed_for = "20d" }
value = { customer = $VALUE, organisation = $VALUE }
eligibility = "customer.has_garden"
[[treatments]]
id = "mail"
placement = "mail"
title.en = "Your garden"
body.en = "In {town}, spring is near."
[[treatments]]
id = "home"
placement = "home"
title.en = "Your garden"
body.en = "Spring is near."
"#;

const VOUCHER_FILE: &str = r#"
name.en = "Voucher"
intent.en = "a cheaper garden"
owner = "garden team"
mandate = "board"
purpose = "offers"
volume = $VOUCHERS
goal = { event = "bought", within = "10d", closed_for = "20d" }
value = { customer = 12.0, organisation = 8.0 }
eligibility = "customer.has_garden"
$RARE
[[treatments]]
id = "mail"
placement = "mail"
title.en = "A voucher"
body.en = "Ten euro."
[[treatments]]
id = "home"
placement = "home"
title.en = "A voucher"
body.en = "Ten euro."
"#;

const TIP: &str = r#"
name.en = "Tip"
intent.en = "healthier plants"
owner = "care team"
mandate = "board"
purpose = "advice"
goal = { event = "read", within = "5d", closed_for = "3d" }
value = { customer = $VALUE, organisation = 1.0 }
[[treatments]]
id = "mail"
placement = "mail"
title.en = "A tip"
body.en = "Water early."
[[treatments]]
id = "home"
placement = "home"
title.en = "A tip"
body.en = "Water early."
"#;

const RECALL: &str = r#"
name.en = "Recall"
intent.en = "safety"
owner = "safety team"
mandate = "law"
purpose = "service"
class = "mandatory"
goal = { event = "repaired", within = "30d", closed_for = "30d" }
value = { customer = 100.0, organisation = 0.0 }
eligibility = "customer.owns_heater"
[[treatments]]
id = "mail"
placement = "mail"
title.en = "Your heater"
body.en = "Please have it repaired."
"#;
