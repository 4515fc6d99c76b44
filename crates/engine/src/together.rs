//! What is known of a person whose customers were merged? A fold over the parts in the order of the merges,
//! the same whenever it is made.
//!
//! Of two values the better source counts, then the newer one, as for values that come in. Of two statements
//! from before the merge the stricter one counts; what is said afterwards is said by the one person they are.
//! Contacts and outcomes are those of all parts, so limits, pauses and closed needs are worked out from all.

use crate::customer::ProfileRow;
use decision::{
    id::CustomerId,
    profile::{AttributeValue, Attributes, ConsentStatement, ConsentStatus, ContactHistory},
    strategy::{Items, Strategy},
    value::Value,
};

/// What one customer of a person knows by itself, and when it was taken in.
pub(crate) struct Own {
    pub id: CustomerId,
    /// By whom, and when in milliseconds since 1970 UTC; `None` for the first one.
    pub into: Option<(CustomerId, i64)>,
    pub row: ProfileRow,
    pub history: ContactHistory,
}

/// What the parts add up to. The first one took in the others; each stands behind the one that took it in, and
/// those that one customer took in stand in the order of the merges.
pub(crate) fn together(strategy: &Strategy, parts: &[Own]) -> (ProfileRow, ContactHistory) {
    of(strategy, parts, &parts[0])
}

fn of(strategy: &Strategy, parts: &[Own], part: &Own) -> (ProfileRow, ContactHistory) {
    let mut known = (part.row.clone(), part.history.clone());
    for taken in parts {
        let Some((_, at_ms)) = taken.into.filter(|(into, _)| *into == part.id) else {
            continue;
        };
        let (row, history) = of(strategy, parts, taken);
        known.0 = rows(strategy, known.0, row, at_ms);
        known.1 = histories(known.1, history);
    }
    known
}

fn rows(strategy: &Strategy, one: ProfileRow, other: ProfileRow, at_ms: i64) -> ProfileRow {
    let mut row = one.clone();
    let profile = &mut row.profile;
    for (name, cleared_at) in &other.cleared {
        profile
            .attributes
            .retain(|known, value| known != name || value.observed_at.as_millisecond() > *cleared_at);
    }
    for (name, value) in &other.profile.attributes {
        let is_cleared =
            one.cleared.get(name).is_some_and(|cleared_at| value.observed_at.as_millisecond() <= *cleared_at);
        let is_beaten = profile.attributes.get(name).is_some_and(|known| !beats(value, known));
        if !is_cleared && !is_beaten {
            profile.attributes.insert(name.clone(), value.clone());
        }
    }
    add_purchases(strategy, &one.profile.attributes, &other.profile.attributes, &mut profile.attributes);
    profile.consents = stricter(&one.profile.consents, &other.profile.consents, at_ms);
    for (name, cleared_at) in other.cleared {
        let known = row.cleared.entry(name).or_insert(cleared_at);
        *known = (*known).max(cleared_at);
    }
    row.household = row.household.or(other.household);
    row
}

/// Whether a value counts rather than another one of the same attribute.
fn beats(value: &AttributeValue, other: &AttributeValue) -> bool {
    if value.source < other.source && value.expires_at > other.observed_at {
        return true;
    }
    if other.source < value.source && other.expires_at > value.observed_at {
        return false;
    }
    value.observed_at > other.observed_at
}

/// Days, amounts and what was bought add up; the first purchase is the earliest, the last one the latest.
fn add_purchases(strategy: &Strategy, one: &Attributes, other: &Attributes, into: &mut Attributes) {
    let Some(purchases) = &strategy.purchases else {
        return;
    };
    let kept = purchases.kept().into_iter().chain(purchases.items.iter().map(|items| items.chosen));
    for (position, index) in kept.enumerate() {
        let name = &strategy.attributes[usize::from(index)].name;
        let (Some(one), Some(other)) = (one.get(name), other.get(name)) else {
            continue;
        };
        let value = match (position, &one.value, &other.value) {
            (0, Value::Time(one), Value::Time(other)) => Value::Time(*one.min(other)),
            (1, Value::Time(one), Value::Time(other)) => Value::Time(*one.max(other)),
            (_, Value::Number(one), Value::Number(other)) => Value::Number(one + other),
            (_, Value::Text(one), Value::Text(other)) => Value::Text(Items::both(one, other).into()),
            _ => continue,
        };
        if let Some(known) = into.get_mut(name) {
            known.value = value;
        }
    }
}

/// The statements of both, oldest first, without a yes from before the merge that the other one contradicts. Of
/// two at the same moment the yes comes first, so that the other one counts.
fn stricter(
    one_said: &[ConsentStatement],
    other_said: &[ConsentStatement],
    at_ms: i64,
) -> Vec<ConsentStatement> {
    let before = |statement: &ConsentStatement| statement.at.as_millisecond() <= at_ms;
    let contradicted = |statement: &ConsentStatement, by: &[ConsentStatement]| {
        let about = |said: &&ConsentStatement| before(said) && same_subject(said, statement);
        let last = by.iter().filter(about).max_by_key(|said| said.at);
        last.is_some_and(|last| !loosens(last))
    };
    let stands = |statement: &&ConsentStatement, by: &[ConsentStatement]| {
        !loosens(statement) || !before(statement) || !contradicted(statement, by)
    };
    let mut one = one_said.iter().filter(|statement| stands(statement, other_said)).peekable();
    let mut other = other_said.iter().filter(|statement| stands(statement, one_said)).peekable();
    let mut both = Vec::new();
    loop {
        let takes_one = match (one.peek(), other.peek()) {
            (Some(one), Some(other)) if one.at == other.at => loosens(one),
            (Some(one), Some(other)) => one.at < other.at,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => return both,
        };
        let next = if takes_one { one.next() } else { other.next() };
        both.extend(next.cloned());
    }
}

/// Whether a statement allows more than was allowed before it.
fn loosens(statement: &ConsentStatement) -> bool {
    matches!(statement.status, ConsentStatus::Given | ConsentStatus::Lifted)
}

fn same_subject(one: &ConsentStatement, other: &ConsentStatement) -> bool {
    one.about == other.about && one.channel == other.channel
}

fn histories(mut one: ContactHistory, other: ContactHistory) -> ContactHistory {
    one.contacts.extend(other.contacts);
    one.contacts.sort_by_key(|contact| contact.at);
    one.outcomes.extend(other.outcomes);
    one.outcomes.sort_by_key(|outcome| outcome.at);
    one
}
