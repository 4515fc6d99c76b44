//! What holds for the whole organisation, whatever a single action would gain?

use super::{
    document::{Item, Table},
    integrity::report_sensitive_reads,
    lookup::applies,
    model::{Action, Principle, PrincipleKind, PurposeIndex, Sensitivity, WhenUnknown},
    quantity::Order,
    vocabulary::Vocabulary,
};
use crate::{
    id::PrincipleId,
    rules::{Position, Rule, View},
};
use std::collections::BTreeMap;

const WHEN_UNKNOWN: [(&str, WhenUnknown); 2] = [("veto", WhenUnknown::Veto), ("pass", WhenUnknown::Pass)];

#[derive(Clone, Copy)]
enum Kind {
    Veto,
    Require,
    Weigh,
}
const KINDS: [(&str, Kind); 3] = [("veto", Kind::Veto), ("require", Kind::Require), ("weigh", Kind::Weigh)];

/// Reads `principles/*.toml`; in their order, then by id.
pub(super) fn read(files: Vec<Table<'_>>, vocabulary: &Vocabulary, actions: &[Action]) -> Vec<Principle> {
    let mut seen: BTreeMap<&str, Item<'_>> = BTreeMap::new();
    let mut principles = Vec::new();
    let mut lowest = 0.0;
    for file in files {
        for item in file.section("principles").entries() {
            if let Some(first) = seen.insert(item.name, item) {
                let hint = format!("it is already declared at {}", first.position());
                item.key.problem_with_hint(format!("the principle `{}` is declared twice", item.name), hint);
            }
            let (order, principle) = principle(item, vocabulary, actions);
            if let PrincipleKind::Weigh { weight, .. } = principle.kind {
                lowest += weight.min(0.0);
                report_too_low(item, lowest);
            }
            principles.push((order, principle));
        }
        file.close();
    }
    principles.sort_by(|(order, one), (other_order, other)| {
        order.cmp(other_order).then_with(|| one.id.cmp(&other.id))
    });
    principles.into_iter().map(|(_, principle)| principle).collect()
}

fn report_too_low(item: Item<'_>, lowest: f64) {
    if lowest <= -1.0 {
        item.key.problem_with_hint(
            format!("together the negative weights come to {lowest}, so a context weight could reach 0"),
            "keep their sum above -1, or use a veto",
        );
    }
}

fn principle(item: Item<'_>, vocabulary: &Vocabulary, actions: &[Action]) -> (i64, Principle) {
    super::vocabulary::report_unfit_name("a principle", item.name, item.key);
    let table = item.table();
    let order = table.optional("order").map_or(0, |Order(order)| order);
    let applies_to = vocabulary.scopes(table.list("applies_to"));
    let principle = Principle {
        id: PrincipleId::from(item.name),
        owner: table.required::<&str>("owner").unwrap_or_default().to_owned(),
        reason: table.texts("reason", &vocabulary.languages),
        kind: kind(&table, vocabulary, &applies_to, actions),
        applies_to,
    };
    table.close();
    (order, principle)
}

fn kind(
    table: &Table<'_>,
    vocabulary: &Vocabulary,
    applies_to: &[String],
    actions: &[Action],
) -> PrincipleKind {
    let protective = |item| vocabulary.condition(item, View::Protection, Position::Restrict);
    match table.needs("kind").and_then(|kind| kind.word(&KINDS)) {
        Some(Kind::Veto) => PrincipleKind::Veto {
            when: table.needs("when").and_then(protective).unwrap_or_else(nothing),
            when_unknown: when_unknown(table),
        },
        Some(Kind::Require) => PrincipleKind::Require {
            condition: table.needs("requires").and_then(protective).unwrap_or_else(nothing),
            when_unknown: when_unknown(table),
        },
        Some(Kind::Weigh) => {
            let when = table.needs("when").and_then(|item| weighing(item, vocabulary, applies_to, actions));
            PrincipleKind::Weigh {
                when: when.unwrap_or_else(nothing),
                weight: table.required("weight").unwrap_or_default(),
            }
        }
        None => {
            for key in ["when", "requires", "when_unknown", "weight"] {
                table.get(key);
            }
            PrincipleKind::Weigh { when: nothing(), weight: 0.0 }
        }
    }
}

/// Stands in for a rule that has a problem, so that reading can go on.
fn nothing() -> Rule {
    Rule::constant(0.0)
}

fn when_unknown(table: &Table<'_>) -> WhenUnknown {
    match table.get("when_unknown") {
        Some(item) => item.word(&WHEN_UNKNOWN).unwrap_or(WhenUnknown::Veto),
        None => {
            table.place.problem_with_hint(
                "a veto or requirement says what not knowing means",
                "write `when_unknown = \"veto\"` (better not) or `when_unknown = \"pass\"`",
            );
            WhenUnknown::Veto
        }
    }
}

/// A weighing condition reads each action's own permitted view, so it must make sense for the purpose of
/// at least one action it applies to.
fn weighing(
    item: Item<'_>,
    vocabulary: &Vocabulary,
    applies_to: &[String],
    actions: &[Action],
) -> Option<Rule> {
    let source: &str = item.read()?;
    let mut purposes: Vec<PurposeIndex> = actions
        .iter()
        .filter(|action| applies(applies_to, &action.id))
        .map(|action| action.purpose)
        .collect();
    purposes.sort_unstable();
    purposes.dedup();
    let mut problems = Vec::new();
    for purpose in purposes {
        let environment = vocabulary.environment(View::Purpose(purpose), Position::Weight);
        match Rule::condition(source, &environment) {
            Ok(rule) => {
                report_distress(item, &rule, vocabulary);
                return Some(rule);
            }
            Err(found) if problems.is_empty() => problems = found,
            Err(_) => {}
        }
    }
    vocabulary.show(item, problems);
    None
}

/// Money trouble never makes anything more likely.
pub(super) fn report_distress(item: Item<'_>, rule: &Rule, vocabulary: &Vocabulary) {
    report_sensitive_reads(item, rule, vocabulary, true);
    for index in &rule.reads().attributes {
        let attribute = &vocabulary.attributes[usize::from(*index)];
        if attribute.sensitivity == Sensitivity::FinancialDistress {
            let name = attribute.name.as_str();
            let place =
                item.text().and_then(|source| source.find(name)).map(|start| start..start + name.len());
            place.map_or(item.place, |place| item.inside(place)).problem_with_hint(
                format!("`{name}` tells of money trouble and may not make an action more likely here"),
                "read it in a veto or requirement, or in the rules of a care action",
            );
        }
    }
}
