//! Who is in a household, and what did each tell of it? So that a person's share can go, and the rest stay.

use crate::{
    Engine, EngineError, codec,
    customer::HISTORY_MS,
    storage::{Batch, Read, Row, Table, Write},
};
use decision::{
    Timestamp,
    id::{AttributeName, CustomerId},
    profile::Attributes,
};
use std::collections::BTreeSet;

/// What a member told.
type Told = BTreeSet<AttributeName>;

impl Engine {
    /// Notes that a customer is in a household, and told what differs from before.
    pub(crate) fn tells(
        &self,
        (household, customer): (&str, CustomerId),
        (before, now): (&Attributes, &Attributes),
        batch: &mut Batch,
        at: Timestamp,
    ) -> Result<(), EngineError> {
        let key = member_key(&self.household_key(household), customer);
        let row = self.store.get(&[Read::new(Table::Member, key.clone())])?.remove(0);
        let mut told = told(&row)?;
        told.extend(
            now.iter()
                .filter(|(name, value)| before.get(*name) != Some(*value))
                .map(|(name, _)| name.clone()),
        );
        let write = Write::put(Table::Member, key, codec::encode(&told)).owned_by(customer);
        batch.writes.push(write.until(at.as_millisecond() + HISTORY_MS));
        Ok(())
    }

    /// The writes after which a customer is no longer in a household: what nobody else told of it goes, and all of
    /// it with the last member.
    pub(crate) fn leaving(&self, household: &str, customer: CustomerId) -> Result<Vec<Write>, EngineError> {
        let key = self.household_key(household);
        let own = member_key(&key, customer);
        let (mut mine, mut others, mut is_last) = (Told::new(), Told::new(), true);
        for (member, row) in self.store.scan(Table::Member, &key, None, usize::MAX)? {
            let told: Told = codec::decode("member", &row)?;
            match member == own {
                true => mine = told,
                false => {
                    is_last = false;
                    others.extend(told);
                }
            }
        }
        let mut writes = vec![Write::delete(Table::Member, own)];
        let row = self.store.get(&[Read::new(Table::Household, key.clone())])?.remove(0);
        let Some(bytes) = row.value() else { return Ok(writes) };
        let mut kept: Attributes = codec::decode("household", bytes)?;
        kept.retain(|name, _| !mine.contains(name) || others.contains(name));
        let write = match is_last || kept.is_empty() {
            true => Write::delete(Table::Household, key),
            false => Write::put(Table::Household, key, codec::encode(&kept)),
        };
        writes.push(write.expecting(row.version()));
        Ok(writes)
    }
}

fn told(row: &Row) -> Result<Told, EngineError> {
    row.value().map_or_else(|| Ok(Told::new()), |bytes| codec::decode("member", bytes))
}

fn member_key(household: &[u8], customer: CustomerId) -> Vec<u8> {
    [household, &customer.0.to_be_bytes()].concat()
}
