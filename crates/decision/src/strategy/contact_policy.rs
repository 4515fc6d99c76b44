//! How often may we come to a customer, and after what do we stay away?

use super::{
    document::{Item, Table},
    model::{ContactPolicy, Limit, Pause, PolicyScope},
    quantity::Count,
    vocabulary::{Vocabulary, report_repetition},
};
use crate::{
    Duration,
    id::{ChannelId, PolicyId},
};
use std::collections::BTreeSet;

const SCOPES: [(&str, PolicyScope); 5] = [
    ("all", PolicyScope::All),
    ("channel", PolicyScope::Channel),
    ("action", PolicyScope::Action),
    ("group", PolicyScope::Group),
    ("issue", PolicyScope::Issue),
];

/// Reads `contact-policy.toml`; limits and pauses keep its order.
pub(super) fn read(file: Table<'_>, vocabulary: &Vocabulary) -> ContactPolicy {
    let mut ids = BTreeSet::new();
    let policy = ContactPolicy {
        limits: file.list("limits").into_iter().map(|item| limit(item, vocabulary, &mut ids)).collect(),
        pauses: file.list("pauses").into_iter().map(|item| pause(item, vocabulary, &mut ids)).collect(),
        complaint_silences: file
            .get("complaint_silences")
            .map(|item| silences(item, vocabulary))
            .unwrap_or_default(),
        inbound_counts: file.optional("inbound_counts").unwrap_or(false),
    };
    file.close();
    policy
}

/// A complaint that no event can open, or none can resolve, is a slip.
fn silences(item: Item<'_>, vocabulary: &Vocabulary) -> Vec<String> {
    let scopes = vocabulary.scopes(item.list());
    for outcome in ["complaint", "complaint_resolved"] {
        let declared = vocabulary
            .events
            .iter()
            .any(|event| event.outcome.as_ref().is_some_and(|declared| declared.as_str() == outcome));
        if !scopes.is_empty() && !declared && vocabulary.rules_can_be_typed {
            item.key.problem_with_hint(
                format!("no event has the outcome `{outcome}`"),
                format!("write `outcome = \"{outcome}\"` on the event in the inventory"),
            );
        }
    }
    scopes
}

fn id<'a>(table: &Table<'a>, ids: &mut BTreeSet<&'a str>) -> PolicyId {
    let id = table.needs("id").and_then(|item| Some((item, item.read::<&str>()?)));
    if let Some((item, id)) = id {
        report_repetition(ids, "limit or pause", id, item.place);
    }
    PolicyId::from(id.map_or("", |(_, id)| id))
}

fn limit<'a>(item: Item<'a>, vocabulary: &Vocabulary, ids: &mut BTreeSet<&'a str>) -> Limit {
    let table = item.table();
    let limit = Limit {
        id: id(&table, ids),
        per: table.needs("per").and_then(|per| per.word(&SCOPES)).unwrap_or(PolicyScope::All),
        channels: vocabulary
            .channel_names
            .resolve_all(table.list("channels"))
            .into_iter()
            .map(ChannelId::from)
            .collect(),
        applies_to: vocabulary.scopes(table.list("applies_to")),
        at_most: table.required("at_most").map_or(1, |Count(count)| count),
        within: table.required("within").unwrap_or(Duration::ZERO),
    };
    table.close();
    limit
}

fn pause<'a>(item: Item<'a>, vocabulary: &Vocabulary, ids: &mut BTreeSet<&'a str>) -> Pause {
    let table = item.table();
    let pause = Pause {
        id: id(&table, ids),
        outcome: table
            .needs("outcome")
            .and_then(|outcome| vocabulary.outcome_names.resolve(outcome))
            .unwrap_or_default()
            .into(),
        times: table.optional("times").map_or(1, |Count(times)| times),
        within: table.required("within").unwrap_or(Duration::ZERO),
        per: table.needs("per").and_then(|per| per.word(&SCOPES)).unwrap_or(PolicyScope::All),
        applies_to: vocabulary.scopes(table.list("applies_to")),
        pause_for: table.required("pause_for").unwrap_or(Duration::ZERO),
    };
    table.close();
    pause
}
