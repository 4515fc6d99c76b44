//! What is said to people: a text per language, and texts with places for attributes.

use super::{
    document::{Item, Table},
    model::{Attribute, AttributeIndex, PurposeIndex, Template, TemplatePart, Texts},
    names::did_you_mean,
};
use crate::id::Language;
use std::ops::Range;

impl<'a> Table<'a> {
    /// The texts of a key that must be there, in every language of the organisation.
    pub fn texts(&self, key: &'static str, languages: &[Language]) -> Texts {
        let items = self.texts_with_places(key, languages);
        items
            .into_iter()
            .map(|(language, item)| (language, item.text().unwrap_or_default().to_owned()))
            .collect()
    }

    /// The same, as items.
    pub fn texts_with_places(&self, key: &'static str, languages: &[Language]) -> Vec<(Language, Item<'a>)> {
        let Some(item) = self.needs(key) else {
            return Vec::new();
        };
        if !item.is_table() {
            let first = languages.first().map_or("en", Language::as_str);
            item.expected(&format!("a text per language such as `{key}.{first} = \"…\"`"));
            return Vec::new();
        }
        let written = item.table().entries();
        report_languages(item, &written, languages);
        written
            .into_iter()
            .filter(|text| languages.iter().any(|language| language.as_str() == text.name))
            .filter(|text| text.read::<&str>().is_some())
            .map(|text| (Language::from(text.name), text))
            .collect()
    }
}

fn report_languages(item: Item<'_>, written: &[Item<'_>], languages: &[Language]) {
    for language in languages {
        if !written.iter().any(|text| text.name == language.as_str()) {
            item.key.problem(format!("`{}` has no text in `{language}`", item.name));
        }
    }
    for text in written {
        if !languages.is_empty() && !languages.iter().any(|language| language.as_str() == text.name) {
            let message = format!("`{}` is not one of the organisation's languages", text.name);
            text.key.add(message, did_you_mean(text.name, languages.iter().map(Language::as_str)));
        }
    }
}

/// A text with places written `{attribute}`; `{{` and `}}` stand for single braces.
///
/// An attribute that is not declared or not permitted for `purpose` is a problem.
pub(super) fn template(item: Item<'_>, attributes: &[Attribute], purpose: Option<PurposeIndex>) -> Template {
    let text = item.text().unwrap_or_default();
    let mut parts = Vec::new();
    let mut said = String::new();
    let mut position = 0;
    while let Some(next) = text[position..].chars().next() {
        let rest = &text[position..];
        if rest.starts_with("{{") || rest.starts_with("}}") {
            said.push(next);
            position += 2;
        } else if next == '{' {
            let end = rest.find('}').map_or(text.len(), |end| position + end + 1);
            if let Some(index) = attribute_at(item, text, position..end, attributes, purpose) {
                if !said.is_empty() {
                    parts.push(TemplatePart::Text(std::mem::take(&mut said)));
                }
                parts.push(TemplatePart::Attribute(index));
            }
            position = end;
        } else {
            said.push(next);
            position += next.len_utf8();
        }
    }
    if !said.is_empty() {
        parts.push(TemplatePart::Text(said));
    }
    Template(parts)
}

fn attribute_at(
    item: Item<'_>,
    text: &str,
    place: Range<usize>,
    attributes: &[Attribute],
    purpose: Option<PurposeIndex>,
) -> Option<AttributeIndex> {
    let here = item.inside(place.clone());
    let Some(name) = text[place].strip_prefix('{').and_then(|name| name.strip_suffix('}')) else {
        here.problem_with_hint("this `{` is not closed", "write `{{` for a brace that is said as it is");
        return None;
    };
    let Some(index) = attributes.iter().position(|attribute| attribute.name.as_str() == name) else {
        let hint = did_you_mean(name, attributes.iter().map(|attribute| attribute.name.as_str()));
        here.add(format!("no attribute is called `{name}`"), hint);
        return None;
    };
    let permitted = &attributes[index].purposes;
    if !permitted.is_empty() && purpose.is_some_and(|purpose| !permitted.contains(&purpose)) {
        here.problem_with_hint(
            format!("`{name}` may not be used for this action's purpose"),
            "add the purpose to the attribute, or leave it out of the text",
        );
    }
    AttributeIndex::try_from(index).ok()
}
