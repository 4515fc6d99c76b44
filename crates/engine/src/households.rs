//! Who is in a household, and what did each tell of it? So that a person's share can go, and the rest stay.
//!
//! An event says in which household its customer is; an account that it names does when nothing else did before.
//! Whoever moves to another one, leaves or is erased takes along what nobody else told, and the last one takes all.

use crate::{
    Engine, EngineError, codec,
    customer::Loaded,
    ingest::EventReport,
    storage::{Batch, Read, Row, Table, Write},
};
use decision::{
    id::{AttributeName, CustomerId},
    profile::Attributes,
    strategy::{Identifies, Strategy},
};
use std::{collections::BTreeSet, sync::MutexGuard};

/// What a member told.
type Told = BTreeSet<AttributeName>;

impl Engine {
    /// Who is in the household of a person, the person's own customers among them; nobody when there is none.
    pub fn housemates(&self, customer: CustomerId) -> Result<Vec<CustomerId>, EngineError> {
        let Some(household) = self.load(self.person(customer)?)?.household_of_person else {
            return Ok(Vec::new());
        };
        let rows = self.store.scan(Table::Member, &self.household_key(&household), None, usize::MAX)?;
        rows.iter().map(|(key, _)| member(key)).collect()
    }

    /// Holds the locks of the households that a customer is in and is going to be in.
    pub(crate) fn hold_households(&self, ids: [Option<&String>; 2]) -> Vec<MutexGuard<'_, ()>> {
        self.households.guard_all(ids.into_iter().flatten().map(|id| self.household_key(id)))
    }

    /// In which household a customer is once an event came in. One without a name is none.
    pub(crate) fn household_after(
        strategy: &Strategy,
        report: &EventReport,
        before: Option<&String>,
    ) -> Option<String> {
        if let Some(named) = &report.household {
            return Some(named.clone()).filter(|named| !named.is_empty());
        }
        let accounts = report.identifiers.iter();
        let mut accounts =
            accounts.filter(|known| strategy.identifier_kind(&known.kind).identifies == Identifies::Account);
        let of_account = || accounts.next().map(|account| format!("{}:{}", account.kind, account.value));
        before.cloned().or_else(of_account)
    }

    /// Moves a customer, and reads the household again now that nobody else changes it.
    pub(crate) fn move_to(
        &self,
        household: Option<String>,
        loaded: &mut Loaded,
        batch: &mut Batch,
    ) -> Result<(), EngineError> {
        if let Some(left) = loaded.household_id.as_ref().filter(|left| Some(*left) != household.as_ref()) {
            batch.writes.extend(self.leaving(left, &[loaded.customer.id])?);
        }
        loaded.household = household.as_deref().map(|id| self.load_household(id)).transpose()?;
        loaded.household_id = household;
        Ok(())
    }

    /// Notes that a customer is in a household, and told what differs from before.
    pub(crate) fn tells(
        &self,
        (household, customer): (&str, CustomerId),
        (before, now): (&Attributes, &Attributes),
        batch: &mut Batch,
    ) -> Result<(), EngineError> {
        let key = member_key(&self.household_key(household), customer);
        let row = self.store.get(&[Read::new(Table::Member, key.clone())])?.remove(0);
        let mut told = told(&row)?;
        told.extend(
            now.iter()
                .filter(|(name, value)| before.get(*name) != Some(*value))
                .map(|(name, _)| name.clone()),
        );
        batch.writes.push(Write::put(Table::Member, key, codec::encode(&told)).owned_by(customer));
        Ok(())
    }

    /// The writes after which customers are no longer in a household, theirs as members first: what nobody else told of
    /// it goes, and all of it with the last member.
    pub(crate) fn leaving(
        &self,
        household: &str,
        customers: &[CustomerId],
    ) -> Result<Vec<Write>, EngineError> {
        let key = self.household_key(household);
        let (mut theirs, mut others, mut is_last) = (Told::new(), Told::new(), true);
        for (row, bytes) in self.store.scan(Table::Member, &key, None, usize::MAX)? {
            let told: Told = codec::decode("member", &bytes)?;
            if customers.contains(&member(&row)?) {
                theirs.extend(told);
            } else {
                is_last = false;
                others.extend(told);
            }
        }
        let gone = |id: &CustomerId| Write::delete(Table::Member, member_key(&key, *id));
        let mut writes: Vec<Write> = customers.iter().map(gone).collect();
        let row = self.store.get(&[Read::new(Table::Household, key.clone())])?.remove(0);
        let Some(bytes) = row.value() else { return Ok(writes) };
        let mut kept: Attributes = codec::decode("household", bytes)?;
        kept.retain(|name, _| !theirs.contains(name) || others.contains(name));
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

fn member(key: &[u8]) -> Result<CustomerId, EngineError> {
    let id = key.last_chunk().ok_or(EngineError::Damaged { what: "member" })?;
    Ok(CustomerId(u128::from_be_bytes(*id)))
}
