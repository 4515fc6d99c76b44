//! What holds for the organisation as a whole: languages and clock, the two ledgers, care for the
//! vulnerable, how much is tried out, and what attention costs?

use super::{
    document::{Item, Table},
    model::{Attention, Control, Exploration, Organisation, SideOutcome, Weights},
    quantity::{Chance, Count, HalfShare, NotNegative, Share},
    vocabulary::Vocabulary,
};
use crate::{
    Duration,
    id::{EventName, Language, OutcomeName},
    rules::{Position, View},
};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::collections::{BTreeMap, BTreeSet};

/// How many decisions an answer serves unless declared otherwise: only the next. Differences between estimates are partly
/// noise, and what seems to be gained by knowing grows with it.
const USUAL_AHEAD: f64 = 1.0;
/// How much a fact may tell about a protected attribute unless declared otherwise.
const USUAL_PROXY_THRESHOLD: f64 = 0.2;
const DAY: Duration = Duration::from_hours(24);

/// What every other file needs to be read.
pub(super) struct Basics {
    pub time_zone: TimeZone,
    pub languages: Vec<Language>,
}

/// Reads the time zone and the languages of `organisation.toml`.
pub(super) fn basics(file: &Table<'_>) -> Basics {
    let time_zone = file.needs("time_zone").and_then(time_zone).unwrap_or(TimeZone::UTC);
    let languages = file.needs("languages").map(languages).unwrap_or_default();
    Basics { time_zone, languages }
}

fn time_zone(item: Item<'_>) -> Option<TimeZone> {
    let name: &str = item.read()?;
    let zone = TimeZoneDatabase::bundled().get(name).ok();
    if zone.is_none() {
        item.place.problem_with_hint(
            format!("no time zone is called `{name}`"),
            "use a name of the IANA database such as `Europe/Amsterdam`",
        );
    }
    zone
}

fn languages(item: Item<'_>) -> Vec<Language> {
    let mut seen = BTreeSet::new();
    let languages: Vec<Language> = item
        .list()
        .into_iter()
        .filter_map(|language| {
            let name: &str = language.read()?;
            super::vocabulary::report_repetition(&mut seen, "language", name, language.place);
            let fit =
                name.len() <= 16 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            if !fit {
                language.expected("a language such as `nl` or `en-GB`");
            }
            fit.then(|| Language::from(name))
        })
        .collect();
    if languages.is_empty() && item.is_empty_list() {
        item.place.problem("an organisation speaks at least one language");
    }
    languages
}

/// The outcomes that `organisation.toml` declares, with their places.
pub(super) fn outcome_names<'a>(file: &Table<'a>) -> Vec<&'a str> {
    file.section("outcomes").entries().into_iter().map(|item| item.name).collect()
}

/// Reads all of `organisation.toml`.
pub(super) fn read(file: Table<'_>, vocabulary: &Vocabulary) -> Organisation {
    let floor = file.section("floor");
    let customer_floor = floor.optional("customer").unwrap_or(0.0);
    let vulnerable_floor = floor.get("customer_vulnerable");
    let customer_floor_vulnerable = vulnerable_floor.and_then(Item::read).unwrap_or(customer_floor);
    if customer_floor_vulnerable < customer_floor
        && let Some(item) = vulnerable_floor
    {
        item.place.problem("a vulnerable customer deserves at least the floor of any other");
    }
    let minors = file.section("minors");
    let privacy = file.section("privacy");
    let organisation = Organisation {
        name: file.required::<&str>("name").unwrap_or_default().to_owned(),
        contact: privacy.optional::<&str>("contact").map(str::to_owned),
        data_protection_officer: privacy.optional::<&str>("data_protection_officer").map(str::to_owned),
        time_zone: vocabulary.time_zone.clone(),
        languages: vocabulary.languages.clone(),
        weights: weights(file.section("weights")),
        customer_floor,
        customer_floor_vulnerable,
        vulnerable: floor
            .get("vulnerable")
            .and_then(|rule| vocabulary.condition(rule, View::Protection, Position::Restrict)),
        directed_at_minors: minors.optional("directed_at").unwrap_or(false),
        minor_when: minors
            .get("when")
            .and_then(|rule| vocabulary.condition(rule, View::Protection, Position::Restrict)),
        confidence_floor: confidence_floor(file.section("reliability")),
        exploration: exploration(file.section("exploration")),
        attention: attention(file.section("attention")),
        decisions_ahead: decisions_ahead(file.section("questions")),
        control: control(file.section("control"), vocabulary),
        proxy_threshold: proxy_threshold(file.section("integrity")),
        levers: levers(&file, vocabulary),
        outcomes: file
            .section("outcomes")
            .entries()
            .into_iter()
            .map(|item| side_outcome(item, vocabulary))
            .collect(),
    };
    floor.close();
    minors.close();
    privacy.close();
    file.close();
    organisation
}

fn weights(table: Table<'_>) -> Weights {
    let weights = Weights {
        customer: table.optional("customer").map_or(1.0, |NotNegative(weight)| weight),
        organisation: table.optional("organisation").map_or(1.0, |NotNegative(weight)| weight),
    };
    table.optional::<&str>("decided_by");
    if weights.customer == 0.0 && weights.organisation == 0.0 {
        table.place.problem("both ledgers weigh 0, so nothing would ever be worth saying");
    }
    table.close();
    weights
}

fn confidence_floor(table: Table<'_>) -> f32 {
    let floor = table.optional("confidence_floor").map_or(0.3, |Share(floor)| floor);
    table.close();
    floor as f32
}

fn proxy_threshold(table: Table<'_>) -> f64 {
    let threshold = table.optional("proxy_threshold").map_or(USUAL_PROXY_THRESHOLD, |Share(share)| share);
    table.close();
    threshold
}

fn exploration(table: Table<'_>) -> Exploration {
    let exploration = Exploration {
        floor: table.optional("floor").map_or(0.02, |HalfShare(floor)| floor),
        contenders: table.optional("contenders").map_or(4, |Count(contenders)| contenders as usize),
        ramp: table.optional("ramp").map_or(50, |Count(exposures)| exposures),
        budget: table.optional("budget").map_or(0.002, |Share(budget)| budget),
    };
    table.close();
    exploration
}

fn attention(table: Table<'_>) -> Attention {
    let attention = Attention {
        fatigue: table.optional("fatigue").map_or(0.0, |NotNegative(fatigue)| fatigue),
        within: table.optional("within").unwrap_or(14 * DAY),
    };
    table.close();
    attention
}

fn decisions_ahead(table: Table<'_>) -> f64 {
    let ahead = table.optional("decisions_ahead").map_or(USUAL_AHEAD, |NotNegative(ahead)| ahead);
    table.close();
    ahead
}

fn control(table: Table<'_>, vocabulary: &Vocabulary) -> Control {
    let control = Control {
        silence_share: table.optional("silence_share").map_or(0.0, |HalfShare(share)| share),
        random_share: table.optional("random_share").map_or(0.0, |HalfShare(share)| share),
        today_share: table.optional("today_share").map_or(0.0, |HalfShare(share)| share),
        today: table.get("today").and_then(|item| match &vocabulary.variant_names {
            Some(variants) => variants.resolve(item).map(str::to_owned),
            None => item.read::<&str>().map(str::to_owned),
        }),
        period: table.optional("period").unwrap_or(90 * DAY),
        within: table.optional("within").unwrap_or(28 * DAY),
        minimum_effect: table.optional("minimum_effect").map_or(1.0, |NotNegative(effect)| effect),
        spares: vocabulary.scopes(table.list("spares")),
    };
    let shares = control.silence_share + control.random_share + control.today_share;
    if shares > 1.0 {
        table.place.problem("the control groups together are more than all customers");
    }
    if control.today_share > 0.0 && control.today.is_none() {
        table.place.problem_with_hint(
            "a share of customers gets the strategy of before, but it is not said which that is",
            "write `today = \"NAME\"`; its files are in `variants/NAME/`",
        );
    }
    table.close();
    control
}

fn levers(file: &Table<'_>, vocabulary: &Vocabulary) -> BTreeMap<String, f64> {
    file.section("levers")
        .entries()
        .into_iter()
        .filter_map(|item| {
            let scope = vocabulary.scope_names.check(item.name, item.key)?;
            if vocabulary.action_names.contains(scope) {
                item.key.problem_with_hint(
                    format!("`{scope}` is an action, not an issue or group"),
                    "write `lever` in the action's own file",
                );
            }
            Some((scope.to_owned(), item.read()?))
        })
        .collect()
}

/// A declared event, or what channels report by themselves.
fn told<'a>(event: Item<'a>, vocabulary: &Vocabulary) -> Option<&'a str> {
    let name: &str = event.read()?;
    if ["clicked", "accepted"].contains(&name) {
        return Some(name);
    }
    vocabulary.event_names.check(name, event.place)
}

fn side_outcome(item: Item<'_>, vocabulary: &Vocabulary) -> SideOutcome {
    super::vocabulary::report_unfit_name("an outcome", item.name, item.key);
    if item.name == "goal" {
        item.key.problem("every action declares its own `goal`");
    }
    let table = item.table();
    let value = table.needs("value").map(Item::table);
    let outcome = SideOutcome {
        outcome: OutcomeName::from(item.name),
        event: EventName::from(
            table.needs("event").and_then(|event| told(event, vocabulary)).unwrap_or_default(),
        ),
        within: table.required("within").unwrap_or(DAY),
        value_for_customer: value.as_ref().and_then(|value| value.required("customer")).unwrap_or_default(),
        value_for_organisation: value
            .as_ref()
            .and_then(|value| value.required("organisation"))
            .unwrap_or_default(),
        prior: table.required("prior").map_or(0.5, |Chance(prior)| prior),
        early: table.optional("early").unwrap_or(false),
    };
    if let Some(value) = value {
        value.close();
    }
    table.close();
    outcome
}
