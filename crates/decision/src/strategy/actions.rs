//! What could we say, do or ask: one action per file, its rules, its value and its forms?

use super::{
    document::{Item, Table},
    integrity::{self, Price, report_sensitive_reads, report_texts},
    lookup::applies,
    model::{Action, ActionIndex, Basis, Class, Content, Goal, GoalTarget, PurposeIndex, Treatment},
    principles::report_distress,
    quantity::{Chance, Count, NotNegative, PositiveShare},
    texts::template,
    vocabulary::{Vocabulary, report_repetition},
};
use crate::{
    Duration, Timestamp,
    id::{ActionId, EventName, Language, OutcomeName, TreatmentId},
    questions::ANSWERS_MAX,
    rules::{AllowRule, Layer, Position, Rule, View},
    value::{Value, ValueType},
};
use std::collections::{BTreeMap, BTreeSet};

/// Base rate of a goal unless declared otherwise.
const USUAL_PRIOR: f64 = 0.05;
/// How long a need is met after its goal unless declared otherwise.
const USUAL_CLOSED_FOR: Duration = Duration::from_hours(365 * 24);
const CLASSES: [(&str, Class); 3] =
    [("normal", Class::Normal), ("service", Class::Service), ("mandatory", Class::Mandatory)];

/// The path a file gives its action: `actions/<issue>/<group>/<action>.toml`.
pub(super) fn id_of(file: &str) -> Option<ActionId> {
    let path = file.strip_prefix("actions/")?.strip_suffix(".toml")?;
    let fit = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte))
    };
    let parts: Vec<&str> = path.split('/').collect();
    (parts.len() == 3 && parts.into_iter().all(fit)).then(|| ActionId::from(path))
}

/// What an action's file gives: the action and its allow rules.
pub(super) struct Read {
    pub action: Action,
    pub rules: Vec<AllowRule>,
}

/// Reads one action, not yet knowing whether it is spared. `silenced` are the scopes that are silent during a complaint.
pub(super) fn read(
    file: Table<'_>,
    id: ActionId,
    index: ActionIndex,
    vocabulary: &Vocabulary,
    silenced: &[String],
) -> Read {
    let languages = &vocabulary.languages;
    let purpose = file.needs("purpose").and_then(|purpose| deciding_purpose(purpose, vocabulary));
    let (valid_from, valid_until) = validity(&file, vocabulary);
    let commercial = !silenced.is_empty() && applies(silenced, &id);
    let rules = allow_rules(&file, index, purpose, vocabulary, commercial);
    let (value_for_customer, value_for_organisation) = values(&file, purpose, vocabulary);
    let price = integrity::price(&file, vocabulary);
    let action = Action {
        name: file.texts("name", languages),
        intent: file.texts("intent", languages),
        owner: file.required::<&str>("owner").unwrap_or_default().to_owned(),
        mandate: file.required::<&str>("mandate").unwrap_or_default().to_owned(),
        purpose: purpose.unwrap_or_default(),
        class: file.word("class", &CLASSES).unwrap_or(Class::Normal),
        legal_effect: file.optional("legal_effect").unwrap_or(false),
        sensitive: file.optional("sensitive").unwrap_or(false),
        spared: false,
        valid_from,
        valid_until,
        volume: file.optional("volume").map(|Count(volume)| u64::from(volume)),
        goal: goal(&file, vocabulary),
        value_for_customer,
        value_for_organisation,
        prior: file.optional("prior").map_or(USUAL_PRIOR, |Chance(prior)| prior),
        lever: file.optional("lever").unwrap_or(0.0),
        treatments: treatments(&file, purpose, vocabulary, price.as_ref()),
        id,
    };
    file.close();
    Read { action, rules }
}

fn validity(file: &Table<'_>, vocabulary: &Vocabulary) -> (Option<Timestamp>, Option<Timestamp>) {
    let Some(item) = file.get("valid") else {
        return (None, None);
    };
    let table = item.table();
    let from = table.get("from").and_then(|from| from.moment(&vocabulary.time_zone));
    let until = table.get("until").and_then(|until| until.moment(&vocabulary.time_zone));
    table.close();
    if from.is_some() && until.is_some() && from >= until {
        item.place.problem("the action ends before it begins");
    }
    (from, until)
}

fn goal(file: &Table<'_>, vocabulary: &Vocabulary) -> Goal {
    let absent = || GoalTarget::Event(EventName::from(""));
    let none = || Goal {
        target: absent(),
        within: Duration::ZERO,
        closed_for: USUAL_CLOSED_FOR,
        answers: Vec::new(),
    };
    let Some(item) = file.needs("goal") else {
        return none();
    };
    let table = item.table();
    let target = match (table.get("event"), table.get("attribute"), table.get("consent")) {
        (Some(event), None, None) => {
            vocabulary.event_names.resolve(event).map(|name| GoalTarget::Event(EventName::from(name)))
        }
        (None, Some(attribute), None) => vocabulary.attribute_names.resolve(attribute).and_then(|name| {
            let index = vocabulary.attributes.iter().position(|attribute| attribute.name.as_str() == name)?;
            u16::try_from(index).ok().map(GoalTarget::Attribute)
        }),
        (None, None, Some(consent)) => consent_goal(consent, vocabulary),
        _ if item.is_table() => {
            item.place.problem_with_hint(
                "a goal is one of an event, an attribute and a consent",
                "write `goal = { event = \"…\", within = \"30d\" }`",
            );
            None
        }
        _ => None,
    };
    let answers =
        table.get("answers").map_or_else(Vec::new, |item| answers(item, target.as_ref(), vocabulary));
    let goal = Goal {
        target: target.unwrap_or_else(absent),
        within: table.required("within").unwrap_or(Duration::ZERO),
        closed_for: table.optional("closed_for").unwrap_or(USUAL_CLOSED_FOR),
        answers,
    };
    table.close();
    goal
}

fn consent_goal(item: Item<'_>, vocabulary: &Vocabulary) -> Option<GoalTarget> {
    let purpose = vocabulary.purpose(item)?;
    if vocabulary.purposes[usize::from(purpose)].basis != Basis::Consent {
        item.place.problem_with_hint(
            format!("`{}` does not rest on consent", vocabulary.purposes[usize::from(purpose)].id),
            "ask for consent only where the basis of the purpose is `consent`",
        );
        return None;
    }
    Some(GoalTarget::Consent(purpose))
}

/// Which answers are expected, and how likely each is; the shares are scaled to add up to 1.
fn answers(item: Item<'_>, target: Option<&GoalTarget>, vocabulary: &Vocabulary) -> Vec<(Value, f64)> {
    let Some(GoalTarget::Attribute(index)) = target else {
        item.key.problem("`answers` belong to a question about an attribute");
        return Vec::new();
    };
    let attribute = &vocabulary.attributes[usize::from(*index)];
    let mut answers = Vec::new();
    for answer in item.table().entries() {
        let value = match attribute.value_type {
            ValueType::Bool => answer.name.parse().ok().map(Value::Bool),
            ValueType::Number => answer.name.parse().ok().filter(|n: &f64| n.is_finite()).map(Value::Number),
            ValueType::Text => {
                let listed = attribute.values.is_empty() || attribute.values.iter().any(|v| v == answer.name);
                listed.then(|| Value::Text(answer.name.into()))
            }
            ValueType::Time => None,
        };
        match value {
            Some(value) => answers.extend(answer.read().map(|PositiveShare(share)| (value, share))),
            None => {
                answer.key.problem(format!("`{}` cannot be a value of `{}`", answer.name, attribute.name))
            }
        }
    }
    if answers.len() > ANSWERS_MAX {
        item.key.problem(format!("at most {ANSWERS_MAX} answers are weighed"));
    }
    let total: f64 = answers.iter().map(|(_, share)| share).sum();
    answers.iter_mut().for_each(|(_, share)| *share /= total);
    answers
}

/// A purpose for which something may be decided.
fn deciding_purpose(item: Item<'_>, vocabulary: &Vocabulary) -> Option<PurposeIndex> {
    let index = vocabulary.purpose(item)?;
    let purpose = &vocabulary.purposes[usize::from(index)];
    if purpose.audit_only {
        item.place.problem_with_hint(
            format!("`{}` is for audits only, and nothing is decided for it", purpose.id),
            "name the purpose that this action serves",
        );
    }
    Some(index)
}

fn values(file: &Table<'_>, purpose: Option<PurposeIndex>, vocabulary: &Vocabulary) -> (Rule, Rule) {
    let Some(item) = file.needs("value") else {
        return (Rule::constant(0.0), Rule::constant(0.0));
    };
    let table = item.table();
    let value = |key| {
        let rule = table.needs(key).and_then(|item| {
            let rule = vocabulary.amount(item, View::Purpose(purpose?))?;
            report_distress(item, &rule, vocabulary);
            Some(rule)
        });
        rule.unwrap_or_else(|| Rule::constant(0.0))
    };
    let values = (value("customer"), value("organisation"));
    table.close();
    values
}

fn allow_rules(
    file: &Table<'_>,
    action: ActionIndex,
    purpose: Option<PurposeIndex>,
    vocabulary: &Vocabulary,
    commercial: bool,
) -> Vec<AllowRule> {
    let layers = [
        ("eligibility", Layer::Eligibility),
        ("applicability", Layer::Applicability),
        ("suitability", Layer::Suitability),
    ];
    let mut rules = Vec::new();
    for (key, layer) in layers {
        let (Some(item), Some(purpose)) = (file.get(key), purpose) else {
            continue;
        };
        if let Some(rule) = vocabulary.condition(item, View::Purpose(purpose), Position::Allow) {
            match commercial {
                true => report_distress(item, &rule, vocabulary),
                false => report_sensitive_reads(item, &rule, vocabulary, false),
            }
            rules.push(AllowRule { action, layer, purpose, rule });
        }
    }
    rules
}

fn treatments(
    file: &Table<'_>,
    purpose: Option<PurposeIndex>,
    vocabulary: &Vocabulary,
    price: Option<&Price<'_>>,
) -> Vec<Treatment> {
    let Some(item) = file.needs("treatments") else {
        return Vec::new();
    };
    let mut ids = BTreeSet::new();
    item.list().into_iter().map(|item| treatment(item, (purpose, price), vocabulary, &mut ids)).collect()
}

fn treatment<'a>(
    item: Item<'a>,
    (purpose, price): (Option<PurposeIndex>, Option<&Price<'_>>),
    vocabulary: &Vocabulary,
    ids: &mut BTreeSet<&'a str>,
) -> Treatment {
    let table = item.table();
    let id = table.needs("id").and_then(|item| {
        let id: &str = item.read()?;
        report_repetition(ids, "treatment", id, item.place);
        Some(id)
    });
    let treatment = Treatment {
        id: TreatmentId::from(id.unwrap_or_default()),
        placement: table
            .needs("placement")
            .and_then(|placement| vocabulary.placement_names.resolve(placement))
            .unwrap_or_default()
            .into(),
        contact_cost: table.optional("contact_cost").map(|NotNegative(cost)| cost),
        claim: integrity::claim(&table, vocabulary),
        content: content(&table, purpose, vocabulary),
    };
    report_texts(&table, &treatment.content, treatment.claim.as_ref(), price, vocabulary);
    report_unfit_channel(&table, &treatment, purpose, vocabulary);
    table.close();
    treatment
}

/// A purpose that names its channels is about no other.
fn report_unfit_channel(
    table: &Table<'_>,
    treatment: &Treatment,
    purpose: Option<PurposeIndex>,
    vocabulary: &Vocabulary,
) {
    let placement = vocabulary.placements.iter().find(|found| found.id == treatment.placement);
    let purpose = purpose.and_then(|index| vocabulary.purposes.get(usize::from(index)));
    if let (Some(placement), Some(purpose)) = (placement, purpose)
        && !purpose.channels.is_empty()
        && !purpose.channels.contains(&placement.channel)
        && let Some(item) = table.get("placement")
    {
        item.place.problem(format!("`{}` is not about the channel `{}`", purpose.id, placement.channel));
    }
}

fn content(
    table: &Table<'_>,
    purpose: Option<PurposeIndex>,
    vocabulary: &Vocabulary,
) -> BTreeMap<Language, Content> {
    let mut bodies: BTreeMap<Language, Item<'_>> =
        table.texts_with_places("body", &vocabulary.languages).into_iter().collect();
    let template = |item| template(item, &vocabulary.attributes, purpose);
    table
        .texts_with_places("title", &vocabulary.languages)
        .into_iter()
        .filter_map(|(language, title)| {
            let content = Content { title: template(title), body: template(bodies.remove(&language)?) };
            Some((language, content))
        })
        .collect()
}

/// Names of the outcomes a channel may report, and the one every action has.
pub(super) fn reported_outcomes() -> [OutcomeName; 8] {
    ["displayed", "delivered", "clicked", "accepted", "dismissed", "rejected", "disqualified", "goal"]
        .map(OutcomeName::from)
}
