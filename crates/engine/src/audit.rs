//! What was done, by whom, and was it changed since? Records in hash chains, one per partition of customers and one
//! for the house, added in the same batch as what they are about.
//!
//! An entry holds nothing personal. What a decision was, and whom an entry is about, it holds as a hash of content
//! that is sealed with the customer's own key; the content's own random ids are its salt. So erasing a
//! customer leaves every chain as it was. [`verify`] walks the chains; [`head`] signs how far they are.

pub mod head;
pub mod verify;

use crate::{
    Engine, EngineError, codec,
    storage::{Batch, Read, Store, Table, Ticket, Write, key},
};
use decision::{
    Timestamp,
    id::{CustomerId, DecisionId},
    strategy::StrategyVersion,
};
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The chain of what is not about one customer's partition: keys, publications, reads, erasures.
pub const HOUSE: u16 = 256;
/// How many chains there are.
pub const CHAINS: u16 = HOUSE + 1;
/// Length of a link.
const LINK_BYTES: usize = 32;
/// Rows read at once.
const PAGE: usize = 1024;

/// What kind of thing was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A decision was made; `about` is its id.
    Decision,
    /// A strategy began to decide; `about` is its version.
    Publication,
    /// A statement about a purpose came in; `about` is the purpose and what was said.
    Consent,
    /// A customer's data was read by staff; `about` is the route.
    Read,
    /// An API or token key was made; `about` is its prefix and what it may do.
    KeyMade,
    /// A key was revoked; `about` is its prefix.
    KeyRevoked,
    /// A customer was erased.
    Erasure,
    /// Two customers were merged.
    Merge,
    /// A merge was undone.
    Unmerge,
    /// A customer used a right, other than erasure; `about` says which.
    Right,
    /// A person decided what no machine may decide alone; `about` says what.
    Review,
    /// The master key was replaced.
    Rotation,
    /// A customer about whom nothing may be kept any more went; `about` says so.
    Retention,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::Decision,
        Self::Publication,
        Self::Consent,
        Self::Read,
        Self::KeyMade,
        Self::KeyRevoked,
        Self::Erasure,
        Self::Merge,
        Self::Unmerge,
        Self::Right,
        Self::Review,
        Self::Rotation,
        Self::Retention,
    ];

    /// The word used in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Publication => "publication",
            Self::Consent => "consent",
            Self::Read => "read",
            Self::KeyMade => "key_made",
            Self::KeyRevoked => "key_revoked",
            Self::Erasure => "erasure",
            Self::Merge => "merge",
            Self::Unmerge => "unmerge",
            Self::Right => "right",
            Self::Review => "review",
            Self::Rotation => "rotation",
            Self::Retention => "retention",
        }
    }

    /// Whether entries go to the customer's partition; they are too many for one chain.
    fn is_partitioned(self) -> bool {
        matches!(self, Self::Decision | Self::Consent)
    }
}

/// Something to add to a chain. `by` and `about` are never personal data: they are not sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    kind: Kind,
    customer: Option<CustomerId>,
    by: Option<String>,
    about: String,
    content: Option<[u8; 32]>,
    row: Option<(Vec<u8>, Vec<u8>)>,
    released: Released,
}

/// What an erasure took the content of: where it is missing from then on, that is right.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// Decision records.
    pub(crate) decisions: Vec<DecisionId>,
    /// Entries that no longer say whom they are about.
    pub(crate) entries: Vec<Place>,
}

impl Note {
    /// Something that was done, in words that hold no personal data.
    pub fn new(kind: Kind, about: impl Into<String>) -> Self {
        let released = Released::default();
        Self { kind, customer: None, by: None, about: about.into(), content: None, row: None, released }
    }

    /// To whom; sealed with the customer's key.
    pub fn of(self, customer: CustomerId) -> Self {
        Self { customer: Some(customer), ..self }
    }

    /// By which key, named by its prefix.
    pub fn by(self, prefix: impl Into<String>) -> Self {
        Self { by: Some(prefix.into()), ..self }
    }

    /// Together with this row of the ledger of consents, so that it is found when it is changed.
    pub(crate) fn keeping(self, row: &Write) -> Self {
        Self { row: row.value.clone().map(|content| (row.key.clone(), content)), ..self }
    }

    pub(crate) fn releasing(self, released: Released) -> Self {
        Self { released, ..self }
    }
}

/// Which chain, and which entry of it, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The chain: a partition of customers, or [`HOUSE`].
    pub chain: u16,
    /// The number within the chain.
    pub number: u64,
}

impl Place {
    /// The key of the entry's row.
    pub(crate) fn key(self) -> Vec<u8> {
        [&self.chain.to_be_bytes()[..], &self.number.to_be_bytes()].concat()
    }

    fn of_key(key: &[u8]) -> Option<Self> {
        let (chain, number) = key.split_first_chunk()?;
        Some(Self { chain: u16::from_be_bytes(*chain), number: u64::from_be_bytes(number.try_into().ok()?) })
    }
}

/// One entry as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, in milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// What kind of thing.
    pub kind: Kind,
    /// By which key, named by its prefix.
    pub by: Option<String>,
    /// What exactly, without personal data.
    pub about: String,
    /// Hash of the sealed content.
    content: Option<[u8; 32]>,
    released: Released,
}

/// An entry with its place, and whom it is about as long as that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// Where.
    pub place: Place,
    /// What.
    pub entry: Entry,
    /// Whom it is about; `None`: nobody, or somebody who was erased.
    pub customer: Option<CustomerId>,
}

/// Which entries to read.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this kind.
    pub kind: Option<Kind>,
    /// By this key.
    pub by: Option<String>,
    /// From this moment on.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
}

impl Filter {
    fn fits(&self, entry: &Entry) -> bool {
        self.kind.is_none_or(|kind| kind == entry.kind)
            && self.by.as_ref().is_none_or(|by| entry.by.as_ref() == Some(by))
            && self.from.is_none_or(|from| from.as_millisecond() <= entry.at_ms)
            && self.until.is_none_or(|until| entry.at_ms < until.as_millisecond())
    }

    /// The chains that can hold such entries.
    fn chains(&self) -> std::ops::Range<u16> {
        match self.kind {
            Some(kind) if kind.is_partitioned() => 0..HOUSE,
            Some(_) => HOUSE..CHAINS,
            None => 0..CHAINS,
        }
    }
}

/// How far a chain is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub number: u64,
    pub link: [u8; LINK_BYTES],
}

impl Head {
    const NONE: Self = Self { number: 0, link: [0; LINK_BYTES] };
}

/// The keys of the audit, derived from the vault's secret.
pub(crate) struct Secrets {
    content: [u8; 32],
    head: [u8; 32],
    signing: [u8; 32],
    salt: [u8; 32],
    /// Customers' keys are made from it.
    pub minting: [u8; 32],
}

/// The ends of all chains, each behind its own lock.
pub(crate) struct Chains {
    heads: Vec<Mutex<Option<Head>>>,
    /// A strategy that was published and has not decided anything yet.
    published: Mutex<Option<StrategyVersion>>,
    pub secrets: Secrets,
}

impl Chains {
    /// `entropy` is not kept anywhere.
    pub fn open(store: &dyn Store, entropy: &[u8; 32]) -> Self {
        let secret = store.vault().secret();
        let derived = |what| blake3::derive_key(what, &secret);
        let secrets = Secrets {
            content: derived("attent 2026 audit content"),
            head: derived("attent 2026 audit head"),
            signing: derived("attent 2026 audit signature"),
            minting: derived("attent 2026 customer keys"),
            salt: blake3::derive_key("attent 2026 audit salt", entropy),
        };
        let heads = (0..CHAINS).map(|_| Mutex::default()).collect();
        Self { heads, published: Mutex::default(), secrets }
    }

    /// A strategy decides from now on; noted with the moment of the first thing that is noted under it.
    pub fn publish(&self, version: StrategyVersion) {
        *self.unnoted() = Some(version);
    }

    fn unnoted(&self) -> MutexGuard<'_, Option<StrategyVersion>> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Secrets {
    pub fn hash(&self, content: &[u8]) -> [u8; 32] {
        *blake3::keyed_hash(&self.content, content).as_bytes()
    }

    fn seal_head(&self, chain: u16, head: Head) -> Vec<u8> {
        let mut row = codec::encode(&head);
        row.extend(self.head_seal(chain, &row));
        row
    }

    fn head_seal(&self, chain: u16, row: &[u8]) -> [u8; LINK_BYTES] {
        let mut hasher = blake3::Hasher::new_keyed(&self.head);
        *hasher.update(&chain.to_be_bytes()).update(row).finalize().as_bytes()
    }

    /// The head in a row; `None` when it is not what was written.
    pub fn open_head(&self, chain: u16, row: &[u8]) -> Option<Head> {
        let (head, seal) = row.split_last_chunk::<LINK_BYTES>()?;
        (self.head_seal(chain, head) == *seal).then(|| codec::decode("audit head", head).ok())?
    }
}

fn link(place: Place, before: &[u8; LINK_BYTES], entry: &[u8]) -> [u8; LINK_BYTES] {
    let mut hasher = blake3::Hasher::new_derive_key("attent 2026 audit link");
    hasher.update(before).update(&place.key()).update(entry);
    *hasher.finalize().as_bytes()
}

fn head_key(chain: u16) -> Vec<u8> {
    chain.to_be_bytes().to_vec()
}

/// Whom an entry is about, with salt.
#[derive(Serialize, Deserialize)]
struct About {
    customer: CustomerId,
    salt: [u8; 16],
    /// The row of the ledger of consents that came with it: its key, and the hash of its content.
    row: Option<(Vec<u8>, [u8; 32])>,
}

impl Engine {
    /// Adds a note to its chain; the ticket resolves when it is durable.
    pub fn note(&self, note: Note, at: Timestamp) -> Result<Ticket, EngineError> {
        self.commit_noted(Batch::default(), note, at)
    }

    /// Commits a batch together with the note of it: both or neither.
    pub(crate) fn commit_noted(
        &self,
        batch: Batch,
        note: Note,
        at: Timestamp,
    ) -> Result<Ticket, EngineError> {
        self.with_note(batch, note, at, |batch, _| Ok(self.store.commit(batch)?))
    }

    /// Adds a note to a batch and hands it to `commit`, while nobody else adds to that chain.
    pub(crate) fn with_note<T>(
        &self,
        batch: Batch,
        note: Note,
        at: Timestamp,
        commit: impl FnOnce(Batch, Place) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let published = self.chains.unnoted().take();
        if let Some(version) = published {
            let note = Note::new(Kind::Publication, version.to_string());
            let noted = self.add_note(Batch::default(), note, at, |batch, _| Ok(self.store.commit(batch)?));
            if noted.is_err() {
                self.chains.publish(version);
            }
            drop(noted?);
        }
        self.add_note(batch, note, at, commit)
    }

    fn add_note<T>(
        &self,
        mut batch: Batch,
        note: Note,
        at: Timestamp,
        commit: impl FnOnce(Batch, Place) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let chain = match note.customer.filter(|_| note.kind.is_partitioned()) {
            Some(customer) => u16::from(key::partition(customer)),
            None if note.kind == Kind::Decision => 0,
            None => HOUSE,
        };
        let mut head = self.chains.heads[usize::from(chain)].lock().unwrap_or_else(PoisonError::into_inner);
        let before = match *head {
            Some(head) => head,
            None => self.head(chain)?,
        };
        let place = Place { chain, number: before.number + 1 };
        let content = note.content.or_else(|| self.tell_whom(&note, place, &mut batch));
        let Note { kind, by, about, released, .. } = note;
        let entry = codec::encode(&Entry { at_ms: at.as_millisecond(), kind, by, about, content, released });
        let link = link(place, &before.link, &entry);
        let after = Head { number: place.number, link };
        batch.writes.push(Write::put(Table::Audit, place.key(), [&link[..], &entry].concat()));
        let sealed = self.chains.secrets.seal_head(chain, after);
        batch.writes.push(Write::put(Table::Audit, head_key(chain), sealed));
        let committed = commit(batch, place)?;
        *head = Some(after);
        Ok(committed)
    }

    /// The note of a decision, whose record is its sealed content.
    pub(crate) fn decision_note(&self, id: DecisionId, customer: Option<CustomerId>, record: &[u8]) -> Note {
        let content = Some(self.chains.secrets.hash(record));
        Note { customer, content, ..Note::new(Kind::Decision, id.to_string()) }
    }

    /// Puts into the batch whom a note is about, sealed, and gives its hash.
    fn tell_whom(&self, note: &Note, place: Place, batch: &mut Batch) -> Option<[u8; 32]> {
        let customer = note.customer?;
        let salted = blake3::keyed_hash(&self.chains.secrets.salt, &place.key());
        let mut salt = [0; 16];
        salt.copy_from_slice(&salted.as_bytes()[..16]);
        let row = note.row.as_ref().map(|(key, row)| (key.clone(), self.chains.secrets.hash(row)));
        let about = codec::encode(&About { customer, salt, row });
        let content = self.chains.secrets.hash(&about);
        let index = key::customer_row(customer, &place.key());
        batch.writes.push(Write::put(Table::AuditSubject, place.key(), about).owned_by(customer));
        batch.writes.push(Write::put(Table::AuditSubject, index, []).owned_by(customer));
        Some(content)
    }

    fn head(&self, chain: u16) -> Result<Head, EngineError> {
        let row = self.store.get(&[Read::new(Table::Audit, head_key(chain))])?.remove(0);
        let damaged = EngineError::Damaged { what: "audit head" };
        match row.value() {
            None => Ok(Head::NONE),
            Some(row) => self.chains.secrets.open_head(chain, row).ok_or(damaged),
        }
    }

    /// What was done to, or with the data of, one customer, other than deciding: where it is in the chains.
    pub(crate) fn audited_of(&self, customer: CustomerId) -> Result<Vec<Place>, EngineError> {
        let prefix = key::customer(customer);
        let rows = self.store.scan(Table::AuditSubject, &prefix, None, usize::MAX)?;
        Ok(rows.iter().filter_map(|(key, _)| Place::of_key(&key[prefix.len()..])).collect())
    }

    /// The entries that fit, in order of their chain, at most `limit`, from beyond `after` on.
    pub fn audit(
        &self,
        filter: &Filter,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Vec<Noted>, EngineError> {
        let mut found = Vec::new();
        let chains = filter.chains();
        for chain in chains.start.max(after.map_or(0, |after| after.chain))..chains.end {
            let mut last =
                after.filter(|after| after.chain == chain).map(Place::key).unwrap_or(head_key(chain));
            loop {
                let page = self.store.scan(Table::Audit, &head_key(chain), Some(&last), PAGE)?;
                let Some((key, _)) = page.last() else { break };
                last = key.clone();
                for (key, row) in &page {
                    let (place, entry) = entry_of(key, row)?;
                    if filter.fits(&entry) {
                        found.push(Noted { place, customer: self.subject(place, &entry)?, entry });
                    }
                    if found.len() == limit {
                        return Ok(found);
                    }
                }
            }
        }
        Ok(found)
    }

    fn subject(&self, place: Place, entry: &Entry) -> Result<Option<CustomerId>, EngineError> {
        if entry.kind == Kind::Decision {
            let id = entry.about.parse().map_err(|_| EngineError::Damaged { what: "audit" })?;
            return Ok(self.decision(id)?.and_then(|decision| decision.customer));
        }
        let row = self.store.get(&[Read::new(Table::AuditSubject, place.key())])?.remove(0);
        let about: Option<About> = row.value().map(|row| codec::decode("audit subject", row)).transpose()?;
        Ok(about.map(|about| about.customer))
    }
}

/// Reads one row of a chain, without looking at its link.
fn entry_of(key: &[u8], row: &[u8]) -> Result<(Place, Entry), EngineError> {
    let damaged = || EngineError::Damaged { what: "audit" };
    let place = Place::of_key(key).ok_or_else(damaged)?;
    let (_, entry) = row.split_first_chunk::<LINK_BYTES>().ok_or_else(damaged)?;
    Ok((place, codec::decode("audit", entry)?))
}
