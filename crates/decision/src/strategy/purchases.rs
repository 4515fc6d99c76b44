//! What does buying leave behind, and what is worked out from it? One event is the purchase; a handful of declared
//! attributes keep when, how often and for how much a customer bought, and what; others hold what is to be expected.
//!
//! No list of orders is kept. Keeping the attributes up to date is the engine's business, working out what is to be
//! expected that of whoever reads everybody.

use super::{
    document::{Item, Table},
    model::{Attribute, AttributeIndex, Subject},
    vocabulary::Vocabulary,
};
use crate::{Duration, id::EventName, value::ValueType};

/// Within which time purchases are expected, unless declared otherwise.
const USUAL_WITHIN: Duration = Duration::from_hours(365 * 24);

/// The purchase and what it leaves behind.
#[derive(Debug, Clone, PartialEq)]
pub struct Purchases {
    /// The event that is a purchase, or one line of it.
    pub event: EventName,
    /// Its property with the amount paid.
    pub amount: String,
    /// Keeps the moment of the first purchase.
    pub first_at: AttributeIndex,
    /// Keeps the moment of the last purchase.
    pub last_at: AttributeIndex,
    /// Keeps on how many days something was bought.
    pub days: AttributeIndex,
    /// Keeps what was paid in all.
    pub total: AttributeIndex,
    /// What was bought.
    pub items: Option<Items>,
    /// What is to be expected.
    pub expected: Option<Expected>,
}

/// What was bought, and what goes with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Items {
    /// The event's property that names what was bought, as one would say it.
    pub property: String,
    /// Keeps what was bought last, see [`Items::read`].
    pub chosen: AttributeIndex,
    /// Holds what goes with it and is not among it.
    pub similar: Option<AttributeIndex>,
    /// Holds which of it speaks for that.
    pub because: Option<AttributeIndex>,
}

/// What is to be expected of a customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// Within which time from now on.
    pub within: Duration,
    /// Holds the probability that the customer has not left.
    pub alive: Option<AttributeIndex>,
    /// Holds the expected number of days on which something is bought.
    pub purchases: Option<AttributeIndex>,
    /// Holds the expected amount.
    pub value: Option<AttributeIndex>,
}

/// Between two items; a name does not contain it.
const BETWEEN: &str = " · ";

impl Items {
    /// So many items are kept.
    pub const MOST: usize = 50;

    /// The kept items, newest first.
    pub fn read(kept: &str) -> impl Iterator<Item = &str> {
        kept.split(BETWEEN).filter(|item| !item.is_empty())
    }

    /// The kept items with one that was just bought, newest first, each once, at most [`Items::MOST`].
    pub fn with(kept: &str, item: &str) -> String {
        let item = Self::name(item);
        let older = Self::read(kept).filter(|older| *older != item);
        let all: Vec<&str> = std::iter::once(item.as_str()).chain(older).take(Self::MOST).collect();
        all.join(BETWEEN)
    }

    /// The items of two lists, each once, at most [`Items::MOST`].
    pub fn both(one: &str, other: &str) -> String {
        let mut all: Vec<&str> = Self::read(one).collect();
        all.extend(Self::read(other).filter(|item| !Self::read(one).any(|known| known == *item)));
        all.truncate(Self::MOST);
        all.join(BETWEEN)
    }

    /// An item as it is kept: white space as one blank, and no sign that stands between items.
    pub fn name(item: &str) -> String {
        let words: Vec<&str> = item.split_whitespace().filter(|word| *word != BETWEEN.trim()).collect();
        words.join(" ")
    }
}

impl Purchases {
    /// The attributes that a purchase keeps up to date, besides what was bought.
    pub fn kept(&self) -> [AttributeIndex; 4] {
        [self.first_at, self.last_at, self.days, self.total]
    }

    /// The attributes that are worked out, over everybody.
    pub fn worked_out(&self) -> impl Iterator<Item = AttributeIndex> {
        let expected = self.expected.iter().flat_map(|held| [held.alive, held.purchases, held.value]);
        let similar = self.items.iter().flat_map(|items| [items.similar, items.because]);
        expected.chain(similar).flatten()
    }
}

/// Reads the declaration.
pub(super) fn read(item: Item<'_>, vocabulary: &Vocabulary) -> Option<Purchases> {
    let table = item.table();
    let event = table.needs("event").and_then(|name| Some((name, vocabulary.event_names.resolve(name)?)));
    let property = |name: &Item<'_>, wanted: ValueType| {
        let written: &str = name.read()?;
        let declared =
            vocabulary.events.iter().find(|found| Some(found.name.as_str()) == event.map(|(_, id)| id))?;
        let fits = declared.properties.get(written) == Some(&wanted);
        if !fits {
            name.place.problem(format!("`{}` has no property `{written}` of type {wanted}", declared.name));
        }
        fits.then(|| written.to_owned())
    };
    let reader = Reader { vocabulary };
    let amount = table.needs("amount").and_then(|name| property(&name, ValueType::Number));
    let first_at = reader.needed(&table, "first_at", ValueType::Time);
    let last_at = reader.needed(&table, "last_at", ValueType::Time);
    let days = reader.needed(&table, "days", ValueType::Number);
    let total = reader.needed(&table, "total", ValueType::Number);
    let items = table.get("item").and_then(|name| {
        let chosen = reader.needed(&table, "items", ValueType::Text);
        let similar = reader.worked_out(&table, "similar", ValueType::Text, &[chosen]);
        let because = reader.worked_out(&table, "because", ValueType::Text, &[chosen]);
        Some(Items { property: property(&name, ValueType::Text)?, chosen: chosen?, similar, because })
    });
    let expected = table.get("expected").map(|item| {
        let (held, times, all) = (item.table(), [first_at, last_at, days], [first_at, last_at, days, total]);
        let expected = Expected {
            within: held.optional("within").unwrap_or(USUAL_WITHIN),
            alive: reader.worked_out(&held, "alive", ValueType::Number, &times),
            purchases: reader.worked_out(&held, "purchases", ValueType::Number, &times),
            value: reader.worked_out(&held, "value", ValueType::Number, &all),
        };
        held.close();
        expected
    });
    table.close();
    let event = EventName::from(event?.1);
    Some(Purchases {
        event,
        amount: amount?,
        first_at: first_at?,
        last_at: last_at?,
        days: days?,
        total: total?,
        items,
        expected,
    })
}

struct Reader<'v> {
    vocabulary: &'v Vocabulary,
}

impl<'v> Reader<'v> {
    fn needed(&self, table: &Table<'_>, key: &'static str, wanted: ValueType) -> Option<AttributeIndex> {
        table.needs(key).and_then(|name| self.attribute(name, wanted))
    }

    /// An attribute that is worked out from others may serve no purpose that one of those may not serve.
    fn worked_out(
        &self,
        table: &Table<'_>,
        key: &'static str,
        wanted: ValueType,
        from: &[Option<AttributeIndex>],
    ) -> Option<AttributeIndex> {
        let name = table.get(key)?;
        let index = self.attribute(name, wanted)?;
        let held = self.declared(index);
        for source in from.iter().flatten().map(|source| self.declared(*source)) {
            let beyond = held.purposes.iter().find(|purpose| !source.purposes.contains(purpose));
            if let Some(purpose) = beyond {
                let purpose = &self.vocabulary.purposes[usize::from(*purpose)].id;
                name.place.problem_with_hint(
                    format!(
                        "`{}` may be used for `{purpose}`, what it is worked out from may not",
                        held.name
                    ),
                    format!("add the purpose to `{}`, or take it from `{}`", source.name, held.name),
                );
            }
        }
        Some(index)
    }

    fn attribute(&self, name: Item<'_>, wanted: ValueType) -> Option<AttributeIndex> {
        let written = self.vocabulary.attribute_names.resolve(name)?;
        let found = |attribute: &Attribute| attribute.name.as_str() == written;
        let index = self.vocabulary.attributes.iter().position(found)?;
        let attribute = &self.vocabulary.attributes[index];
        if attribute.value_type != wanted && self.vocabulary.rules_can_be_typed {
            let given = attribute.value_type;
            name.place.problem(format!(
                "`{}` expects an attribute of type {wanted}, `{written}` is of type {given}",
                name.name
            ));
        }
        if attribute.subject != Subject::Customer {
            name.place.problem(format!("`{written}` belongs to a household, a purchase to a customer"));
        }
        AttributeIndex::try_from(index).ok()
    }

    fn declared(&self, index: AttributeIndex) -> &'v Attribute {
        &self.vocabulary.attributes[usize::from(index)]
    }
}

#[cfg(test)]
mod tests {
    use super::Items;

    #[test]
    fn what_was_bought_is_kept_newest_first_and_each_item_once() {
        let mut kept = String::new();
        for item in ["tea", "a  cup · big", "tea", "pot"] {
            kept = Items::with(&kept, item);
        }
        assert_eq!(Items::read(&kept).collect::<Vec<_>>(), ["pot", "tea", "a cup big"]);
        assert_eq!(Items::read("").count(), 0);
    }

    #[test]
    fn the_oldest_items_are_forgotten() {
        let kept = (0..60).fold(String::new(), |kept, item| Items::with(&kept, &item.to_string()));
        let items: Vec<&str> = Items::read(&kept).collect();
        assert_eq!((items.len(), items[0], items[Items::MOST - 1]), (Items::MOST, "59", "10"));
    }
}
