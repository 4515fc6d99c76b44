//! What is known, of how many, and what did it do lately? A walk over profiles, households and recent decisions for
//! whoever wants to add them up.
//!
//! A large store is sampled: customers live in partitions that a hash puts them in, so whole partitions, picked by
//! a seed, are a fair sample. Nobody's name or key is told. Deliberately not here: what is counted.

use crate::{Engine, EngineError, codec, customer::ProfileRow, measuring::no_request, storage::Table};
use decision::{
    Timestamp,
    consent::{self, Known, WithheldAttribute},
    id::CustomerId,
    profile::{Attributes, ContactHistory, Customer},
    request::Request,
    strategy::Strategy,
};

/// Keys begin with one of so many bytes.
const PARTITIONS: u16 = 256;
const PAGE: usize = 1024;

/// What is known of one customer.
pub struct Surveyed<'a> {
    /// Facts about the customer.
    pub attributes: &'a Attributes,
    /// What may not be read for some purpose, on no channel in particular, and why.
    pub withheld: &'a [WithheldAttribute],
}

/// How much was walked over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Walked {
    /// Rows looked at.
    pub rows: u64,
    /// Partitions they were in, of 256.
    pub partitions: u16,
}

impl Walked {
    /// Whether nothing was left out.
    pub fn is_everything(&self) -> bool {
        self.partitions == PARTITIONS
    }
    /// How many rows there are in all, as far as this sample tells.
    pub fn all_rows(&self) -> f64 {
        self.rows as f64 * f64::from(PARTITIONS) / f64::from(self.partitions.max(1))
    }
}

impl Engine {
    /// Tells of customers, as their identifiers came in: all when there are few, else whole partitions picked by
    /// `seed` until `enough` were told of.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn survey_customers(
        &self,
        seed: u64,
        enough: u64,
        at: Timestamp,
        each: &mut dyn FnMut(Surveyed<'_>),
    ) -> Result<Walked, EngineError> {
        let published = self.published();
        let strategy = &published.strategy;
        let request = Request { channel: "".into(), ..no_request(strategy) };
        self.walk_partitions(Table::Profile, seed, enough, &mut |bytes| {
            let mut row: ProfileRow = codec::decode("profile", bytes)?;
            row.profile.attributes.retain(|_, value| value.expires_at > at);
            let withheld = withheld(strategy, &request, &row, at);
            each(Surveyed { attributes: &row.profile.attributes, withheld: &withheld });
            Ok(())
        })
    }

    /// Tells of households in the same way.
    ///
    /// # Errors
    /// As for [`Engine::survey_customers`].
    pub fn survey_households(
        &self,
        seed: u64,
        enough: u64,
        at: Timestamp,
        each: &mut dyn FnMut(&Attributes),
    ) -> Result<Walked, EngineError> {
        self.walk_partitions(Table::Household, seed, enough, &mut |bytes| {
            let mut attributes: Attributes = codec::decode("household", bytes)?;
            attributes.retain(|_, value| value.expires_at > at);
            each(&attributes);
            Ok(())
        })
    }

    fn walk_partitions(
        &self,
        table: Table,
        seed: u64,
        enough: u64,
        each: &mut dyn FnMut(&[u8]) -> Result<(), EngineError>,
    ) -> Result<Walked, EngineError> {
        let mut walked = Walked { rows: 0, partitions: 0 };
        for partition in in_order_of(seed) {
            if walked.rows >= enough {
                break;
            }
            let mut after: Option<Vec<u8>> = None;
            loop {
                let page = self.store.scan(table, &[partition], after.as_deref(), PAGE)?;
                let Some((last, _)) = page.last() else {
                    break;
                };
                after = Some(last.clone());
                walked.rows += page.len() as u64;
                page.iter().try_for_each(|(_, bytes)| each(bytes))?;
            }
            walked.partitions += 1;
        }
        Ok(walked)
    }
}

/// All partitions, shuffled by a seed.
fn in_order_of(seed: u64) -> Vec<u8> {
    let mut partitions: Vec<u8> = (0..=u8::MAX).collect();
    partitions.sort_by_key(|partition| {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes()).update(&[*partition]);
        *hasher.finalize().as_bytes()
    });
    partitions
}

fn withheld(
    strategy: &Strategy,
    request: &Request,
    row: &ProfileRow,
    at: Timestamp,
) -> Vec<WithheldAttribute> {
    let history = ContactHistory::default();
    let customer = Customer { id: CustomerId(0), profile: row.profile.clone(), history };
    let known = Known { customer: Some(&customer), household: None };
    consent::mask(strategy, known, request, &vec![true; strategy.purposes.len()], at).withheld
}
