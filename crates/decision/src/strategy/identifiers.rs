//! What does a kind of identifier point to: a person, a device that persons share, or an account of several?
//!
//! Which customer an identifier leads to is deliberately not known here; the engine keeps that.

use super::{
    document::Item,
    model::{IdentifierKind, Identifies, Strategy},
    quantity::Count,
    vocabulary::report_unfit_name,
};
use std::collections::BTreeMap;

const IDENTIFIES: [(&str, Identifies); 3] =
    [("person", Identifies::Person), ("account", Identifies::Account), ("device", Identifies::Device)];

/// The kinds that need no declaration.
fn usual() -> BTreeMap<String, IdentifierKind> {
    let kind = |name: &str, identifies, at_most| (name.to_owned(), IdentifierKind { identifies, at_most });
    BTreeMap::from([
        kind("user_id", Identifies::Person, 1),
        kind("email", Identifies::Person, u32::MAX),
        kind("phone", Identifies::Person, u32::MAX),
        kind("loyalty_card", Identifies::Person, u32::MAX),
        kind("anonymous_id", Identifies::Device, u32::MAX),
        kind("device_id", Identifies::Device, u32::MAX),
    ])
}

/// Reads the declared kinds, by name, with the usual ones that are not declared otherwise.
pub(super) fn read<'a>(declared: impl Iterator<Item = Item<'a>>) -> BTreeMap<String, IdentifierKind> {
    let mut kinds = usual();
    for item in declared {
        report_unfit_name("a kind of identifier", item.name, item.key);
        let table = item.table();
        let identifies = table.needs("identifies").and_then(|word| word.word(&IDENTIFIES));
        let at_most = table.optional("at_most").map_or(u32::MAX, |Count(count)| count);
        table.close();
        let identifies = identifies.unwrap_or(Identifies::Person);
        kinds.insert(item.name.to_owned(), IdentifierKind { identifies, at_most });
    }
    kinds
}

impl Strategy {
    /// What identifiers of a kind point to. A kind that nobody declared points to a person.
    pub fn identifier_kind(&self, name: &str) -> IdentifierKind {
        let unknown = IdentifierKind { identifies: Identifies::Person, at_most: u32::MAX };
        self.identifiers.get(name).copied().unwrap_or(unknown)
    }
}
