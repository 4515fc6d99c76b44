//! May this be published? What an action and its texts must show before anybody hears them: that a
//! hurry or a crowd is real, that a price that differs is said to differ, and that
//! nobody is told what they never told us.
//!
//! Deliberately not here: whether names and types fit (the file of each concept), and what principles veto while
//! deciding.

use super::{
    document::{Item, Table},
    model::{Attribute, Content, TemplatePart},
    vocabulary::Vocabulary,
};
use crate::{Timestamp, id::Language, profile::Source, rules::Rule, strategy::Sensitivity, value::ValueType};
use std::{collections::BTreeMap, ops::Range};

/// Words that hurry or that point at a crowd, in lower case. They are allowed with a source and an end.
const PRESSING: [&str; 26] = [
    "alleen vandaag",
    "vandaag nog",
    "laatste kans",
    "laatste dag",
    "nog maar",
    "bijna uitverkocht",
    "bijna vol",
    "op is op",
    "wees er snel bij",
    "mis het niet",
    "anderen kochten",
    "mensen bekijken",
    "miljoen mensen",
    "meest gekozen",
    "only today",
    "today only",
    "last chance",
    "last day",
    "hurry up",
    "almost gone",
    "almost sold out",
    "nearly full",
    "people are looking",
    "million people",
    "most chosen",
    "while stocks last",
];
/// Words that say that a text is about what something costs this customer.
const PRICING: [&str; 4] = ["prijs", "price", "korting", "discount"];

/// What makes a pressing text true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Where it can be looked up.
    pub source: String,
    /// From when on it is no longer true.
    pub until: Timestamp,
}

/// Why a price is not the same for everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Varies {
    /// It depends on who asks.
    Person,
    /// It depends on how many ask.
    Demand,
}

const VARIATIONS: [(&str, Varies); 2] = [("person", Varies::Person), ("demand", Varies::Demand)];

/// A price that is not the same for everybody, with the words that say so.
pub struct Price<'a> {
    disclosure: BTreeMap<Language, Item<'a>>,
}

/// Reads `price = { varies_by = "person", disclosure = { … } }`.
pub(super) fn price<'a>(file: &Table<'a>, vocabulary: &Vocabulary) -> Option<Price<'a>> {
    let table = file.get("price")?.table();
    table.needs("varies_by").and_then(|item| item.word(&VARIATIONS));
    let disclosure = table.texts_with_places("disclosure", &vocabulary.languages).into_iter().collect();
    table.close();
    Some(Price { disclosure })
}

/// Reads `claim = { source = "…", until = 2026-04-01 }`.
pub(super) fn claim(table: &Table<'_>, vocabulary: &Vocabulary) -> Option<Claim> {
    let table = table.get("claim")?.table();
    let source = table.required::<&str>("source");
    let until = table.needs("until").and_then(|until| until.moment(&vocabulary.time_zone));
    table.close();
    Some(Claim { source: source?.to_owned(), until: until? })
}

/// What gives a special category away may not be read; a special category itself may not be worth anything,
/// nor make a sale possible.
pub(super) fn report_sensitive_reads(item: Item<'_>, rule: &Rule, vocabulary: &Vocabulary, raises: bool) {
    for index in &rule.reads().attributes {
        let attribute = &vocabulary.attributes[usize::from(*index)];
        let name = attribute.name.as_str();
        if let Some(category) = &attribute.proxy_for {
            place(item, name).problem_with_hint(
                format!("`{name}` stands for `{category}`, so no rule may read it"),
                "leave it out; a special category needs the customer's explicit consent",
            );
        } else if raises && attribute.sensitivity == Sensitivity::Special {
            place(item, name).problem_with_hint(
                format!("`{name}` is a special category and may not make an action more likely here"),
                "read it in the rules of a care action",
            );
        }
    }
}

fn place<'a>(item: Item<'a>, name: &str) -> super::problem::Place<'a> {
    let found = item.text().and_then(|source| source.find(name)).map(|start| start..start + name.len());
    found.map_or(item.place, |range| item.inside(range))
}

/// Looks at the texts of one form.
pub(super) fn report_texts(
    table: &Table<'_>,
    content: &BTreeMap<Language, Content>,
    claim: Option<&Claim>,
    price: Option<&Price<'_>>,
    vocabulary: &Vocabulary,
) {
    for key in ["title", "body"] {
        let Some(item) = table.get(key).filter(|item| item.is_table()) else {
            continue;
        };
        for text in item.table().entries() {
            let Some(written) = text.text() else {
                continue;
            };
            if let Some(range) = find(written, &PRESSING).filter(|_| claim.is_none()) {
                text.inside(range.clone()).problem_with_hint(
                    format!("`{}` presses the customer without a source and an end", &written[range]),
                    "write `claim = { source = \"…\", until = 2026-04-01 }`, or say it without pressure",
                );
            }
            report_told_secrets(text, written, vocabulary);
        }
    }
    report_price(table, content, price, vocabulary);
}

/// A text says only what the customer gave us or can see: what was derived, or came from somebody else, is not
/// said to them unless it is shown to them elsewhere.
fn report_told_secrets(text: Item<'_>, written: &str, vocabulary: &Vocabulary) {
    for attribute in &vocabulary.attributes {
        let spot = format!("{{{}}}", attribute.name);
        let hidden = matches!(attribute.source, Source::Derived | Source::ThirdParty) && !attribute.shown;
        let sensitive =
            attribute.sensitivity != Sensitivity::Ordinary && attribute.source != Source::Provided;
        if let Some(start) = written.find(&spot).filter(|_| hidden || sensitive) {
            text.inside(start..start + spot.len()).problem_with_hint(
                format!("the customer never told us `{}`, so it is not said to them", attribute.name),
                "leave it out; where they can see it with us anyway, declare `shown = true`",
            );
        }
    }
}

/// A price that is worked out for this customer, or that moves with demand, says so in every text.
fn report_price(
    table: &Table<'_>,
    content: &BTreeMap<Language, Content>,
    price: Option<&Price<'_>>,
    vocabulary: &Vocabulary,
) {
    for (language, content) in content {
        let said = format!("{} {}", plain(&content.title.0), plain(&content.body.0));
        let amounts =
            || content.title.0.iter().chain(&content.body.0).any(|part| is_amount(part, vocabulary));
        match price {
            None if find(&said, &PRICING).is_some() && amounts() => table.place.problem_with_hint(
                "a price of this customer's own is not disclosed as one",
                "write `price = { varies_by = \"person\", disclosure = { … } }` and say it in the text",
            ),
            Some(price) => {
                let Some(disclosure) = price.disclosure.get(language).and_then(|item| item.text()) else {
                    continue;
                };
                if !said.contains(disclosure) {
                    table.place.problem_with_hint(
                        format!("the text in `{language}` does not say that the price is not the same for everybody"),
                        "say the `disclosure` of the action's `price` in it",
                    );
                }
            }
            None => {}
        }
    }
}

fn is_amount(part: &TemplatePart, vocabulary: &Vocabulary) -> bool {
    let number = |attribute: &Attribute| attribute.value_type == ValueType::Number;
    matches!(part, TemplatePart::Attribute(index) if number(&vocabulary.attributes[usize::from(*index)]))
}

fn plain(parts: &[TemplatePart]) -> String {
    let text = |part: &TemplatePart| match part {
        TemplatePart::Text(text) => text.clone(),
        TemplatePart::Attribute(_) => " ".to_owned(),
    };
    parts.iter().map(text).collect()
}

/// Where one of these stands as whole words.
fn find(text: &str, phrases: &[&str]) -> Option<Range<usize>> {
    let lower = text.to_lowercase();
    if lower.len() != text.len() {
        return None;
    }
    let is_whole = |start: usize, end: usize| {
        let before = lower[..start].chars().next_back();
        let after = lower[end..].chars().next();
        ![before, after].into_iter().flatten().any(char::is_alphanumeric)
    };
    phrases.iter().find_map(|phrase| {
        let mut found = lower.match_indices(phrase).map(|(start, phrase)| (start, start + phrase.len()));
        found.find(|(start, end)| is_whole(*start, *end)).map(|(start, end)| start..end)
    })
}
