//! Does a mapping fit its strategy? Every name it uses is declared, and it says on which ground and for
//! how long data are kept; otherwise nothing is imported.

use super::mapping::{Chosen, ContactColumns, Everybody, Mapping, RowOrder, Source, days};
use decision::{
    strategy::{Basis, Strategy},
    value::ValueType,
};

/// Every problem, one sentence each.
pub fn problems(mapping: &Mapping, strategy: &Strategy) -> Vec<String> {
    let mut problems = Vec::new();
    basis(mapping, strategy, &mut problems);
    retention(mapping, strategy, &mut problems);
    for (name, order) in &mapping.orders {
        order_problems(name, order, &mut problems);
    }
    for source in &mapping.sources {
        names(mapping, source, strategy, &mut problems);
    }
    for fact in &mapping.facts {
        let found = strategy.attribute_index(&fact.attribute);
        let number = found.map(|index| &strategy.attributes[usize::from(index)]);
        if number.is_none_or(|attribute| attribute.value_type != ValueType::Number) {
            problems.push(format!("`facts` keeps `{}`, which is not a declared number", fact.attribute));
        }
        if fact.per.is_some() && fact.weight <= 0.0 {
            problems.push(format!("the rate `{}` needs a `weight` above 0", fact.attribute));
        }
    }
    if let Some(everybody) = mapping.backtest.as_ref().and_then(|question| question.everybody.as_ref()) {
        ask(mapping, everybody, strategy, &mut problems);
    }
    problems
}

fn basis(mapping: &Mapping, strategy: &Strategy, problems: &mut Vec<String>) {
    let Some(stated) = &mapping.basis else {
        problems.push("the mapping states no `[basis]`: say on which lawful ground these data are used, for which purposes, and why".into());
        return;
    };
    if stated.because.trim().is_empty() || stated.purposes.is_empty() {
        problems.push("`[basis]` needs `purposes` and a reason in `because`".into());
    }
    if stated.assumed == "consent" {
        problems.push("consent cannot be assumed; import the statements of the customers instead".into());
    }
    for name in &stated.purposes {
        match strategy.purpose_index(name) {
            None => problems
                .push(format!("`[basis]` names purpose `{name}`, which the strategy does not declare")),
            Some(index) => {
                let declared = word(strategy.purposes[usize::from(index)].basis);
                if declared != stated.assumed {
                    problems.push(format!(
                        "the mapping assumes `{}` for purpose `{name}`, the strategy declares `{declared}`",
                        stated.assumed
                    ));
                }
            }
        }
    }
}

fn word(basis: Basis) -> &'static str {
    match basis {
        Basis::Consent => "consent",
        Basis::Contract => "contract",
        Basis::LegalObligation => "legal_obligation",
        Basis::VitalInterests => "vital_interests",
        Basis::PublicTask => "public_task",
        Basis::LegitimateInterests => "legitimate_interests",
    }
}

fn retention(mapping: &Mapping, strategy: &Strategy, problems: &mut Vec<String>) {
    let Some(stated) = &mapping.retention else {
        problems.push("the mapping states no `[retention]`: say how long the rows are kept and why".into());
        return;
    };
    if stated.reason.trim().is_empty() {
        problems.push("`[retention]` needs a `reason`".into());
    }
    let Some(keep) = days(&stated.keep) else {
        problems.push(format!("`keep = \"{}\"` is not a number of days such as `800d`", stated.keep));
        return;
    };
    let set = mapping.sources.iter().flat_map(|source| source.attributes.keys());
    for name in set.chain(mapping.facts.iter().map(|fact| &fact.attribute)) {
        let attribute = strategy.attribute_index(name).map(|index| &strategy.attributes[usize::from(index)]);
        if attribute.is_some_and(|attribute| attribute.retention > keep) {
            problems
                .push(format!("attribute `{name}` is kept longer than the `{}` of the mapping", stated.keep));
        }
    }
}

fn names(mapping: &Mapping, source: &Source, strategy: &Strategy, problems: &mut Vec<String>) {
    let place = format!("source `{}`", source.name);
    let mut undeclared = |kind: &str, name: &str| {
        problems.push(format!("{place} uses {kind} `{name}`, which is not declared"));
    };
    for name in source.attributes.keys() {
        if strategy.attribute_index(name).is_none() {
            undeclared("attribute", name);
        }
    }
    if let Some(name) = &source.event {
        let declared = strategy.event(name);
        if declared.is_none() {
            undeclared("event", name);
        }
        for property in source.properties.keys() {
            if declared.is_some_and(|event| !event.properties.contains_key(property)) {
                undeclared("property", property);
            }
        }
    }
    for consent in &source.consents {
        if strategy.purpose_index(&consent.purpose).is_none() {
            undeclared("purpose", &consent.purpose);
        }
        if let Some(channel) = consent.channel.as_ref().filter(|name| strategy.channel(name).is_none()) {
            undeclared("channel", channel);
        }
    }
    if let Some(outcome) = &source.outcome
        && strategy.event(&outcome.event).is_none()
    {
        undeclared("event", &outcome.event);
    }
    if let Some(lookup) = &source.lookup
        && !mapping.tables.contains_key(&lookup.table)
    {
        undeclared("table", &lookup.table);
    }
    if let Some(order) = &source.order
        && !mapping.orders.contains_key(order)
    {
        undeclared("order", order);
    }
    if let Some(contact) = &source.contact {
        place_names(strategy, &contact.channel, &contact.placement, contact.context.keys(), &mut undeclared);
    }
    if let Some(contact) = &source.contact {
        contact_problems(&place, contact, problems);
    }
    for rule in &source.exclude {
        let tells = rule.empty
            || !rule.starts_with.is_empty()
            || !rule.one_of.is_empty()
            || rule.at_most.is_some_and(f64::is_finite);
        if rule.because.trim().is_empty() || rule.repeated == (tells && !rule.column.is_empty()) {
            problems.push(format!(
                "{place} needs `because` in every `exclude`, and either `repeated` or a `column` with `empty`, \
                 `starts_with`, `one_of` or `at_most`"
            ));
        }
    }
    if source.identifiers.is_empty() {
        problems.push(format!("{place} has no `identifiers`: whose rows are they"));
    }
    let moments = source.consents.iter().filter_map(|consent| consent.at.as_ref());
    if moments.chain([&source.at]).any(|at| at.column.is_some() == at.date.is_some()) {
        problems.push(format!("{place} needs either a `column` or a `date` in `at`"));
    }
}

fn contact_problems(place: &str, contact: &ContactColumns, problems: &mut Vec<String>) {
    if contact.action.is_some() != contact.withheld.is_empty() {
        problems.push(format!("{place} needs either an `action` or what was `withheld` in `contact`"));
    }
    let fits = |chosen: &Chosen| match (chosen.value, &chosen.column) {
        (Some(value), None) => value > 0.0 && value <= 1.0,
        (None, column) => column.is_some(),
        _ => false,
    };
    if !contact.probability.as_ref().is_none_or(fits) {
        problems
            .push(format!("{place} needs a `value` above 0 and at most 1, or a `column`, in `probability`"));
    }
}

fn order_problems(name: &str, order: &RowOrder, problems: &mut Vec<String>) {
    if order.day.is_none() {
        return;
    }
    let calendar = order.month.is_some() && order.weekday.is_some();
    let spread = order.rows.is_some_and(|rows| rows > 0)
        && order.every.as_deref().is_some_and(|every| days(every).is_some());
    if order.from.is_none() || calendar == spread {
        problems.push(format!(
            "order `{name}` makes days: it needs `from`, and either `month` and `weekday` or `rows` and `every`"
        ));
    }
}

fn place_names<'a>(
    strategy: &Strategy,
    channel: &str,
    placement: &str,
    context: impl Iterator<Item = &'a String>,
    undeclared: &mut impl FnMut(&str, &str),
) {
    if strategy.channel(channel).is_none() {
        undeclared("channel", channel);
    }
    if strategy.placement(placement).is_none() {
        undeclared("placement", placement);
    }
    for name in context {
        if strategy.context_index(name).is_none() {
            undeclared("context value", name);
        }
    }
}

fn ask(mapping: &Mapping, question: &Everybody, strategy: &Strategy, problems: &mut Vec<String>) {
    let mut undeclared = |kind: &str, name: &str| {
        problems.push(format!("`[backtest.everybody]` uses {kind} `{name}`, which is not declared"));
    };
    if !mapping.tables.contains_key(&question.table) {
        undeclared("table", &question.table);
    }
    place_names(strategy, &question.channel, &question.placement, question.context.keys(), &mut undeclared);
}
