//! How do we know what the customer allowed? Every statement is an entry of an append-only ledger: what was said,
//! when it came in, to which version of the texts, and what shows it.
//!
//! Evidence is a kind and a short reference to what is kept elsewhere: no free text, which could hold somebody
//! else's data. What an entry means for a decision is not known here.

use crate::{
    Engine, EngineError, Identifier, Published, codec,
    storage::{Batch, Read, Table, Write, key},
};
use decision::{
    Timestamp,
    id::{CustomerId, PurposeId},
    profile::{About, ConsentStatement, ConsentStatus},
    strategy::{Strategy, TextVersion, Texts},
};
use serde::{Deserialize, Serialize};

/// Longest reference of a piece of evidence, in bytes.
const REFERENCE_BYTES_MAX: usize = 64;
const PAGE: usize = 1024;

/// What kind of thing shows that something was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// A form that the customer filled in; the reference is its id.
    Form,
    /// A telephone call; the reference is its id.
    Call,
    /// A letter or an e-mail; the reference is its id.
    Letter,
    /// The consent object of a Segment event; the reference is the category.
    SegmentConsent,
    /// The browser sent `Sec-GPC: 1`.
    GlobalPrivacyControl,
    /// A TCF string; the reference is the consent platform, the vendor list and the start of the string's hash.
    TcfString,
}

impl EvidenceKind {
    /// The word used in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Call => "call",
            Self::Letter => "letter",
            Self::SegmentConsent => "segment_consent",
            Self::GlobalPrivacyControl => "global_privacy_control",
            Self::TcfString => "tcf_string",
        }
    }
}

/// What shows that something was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    kind: EvidenceKind,
    reference: Option<String>,
}

/// Why something cannot be evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a reference has at most {REFERENCE_BYTES_MAX} letters, digits and `_.:/-`, and is no text")]
pub struct UnfitReference;

impl Evidence {
    /// Evidence of a kind, with a reference where there is one.
    ///
    /// # Errors
    /// The reference is empty, too long, or more than a plain id.
    pub fn new(kind: EvidenceKind, reference: Option<&str>) -> Result<Self, UnfitReference> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:/-".contains(&byte);
        let fits =
            |text: &str| !text.is_empty() && text.len() <= REFERENCE_BYTES_MAX && text.bytes().all(plain);
        match reference {
            Some(text) if !fits(text) => Err(UnfitReference),
            other => Ok(Self { kind, reference: other.map(str::to_owned) }),
        }
    }
    /// What kind.
    pub fn kind(&self) -> EvidenceKind {
        self.kind
    }
    /// Where it is kept, or what it says.
    pub fn reference(&self) -> Option<&str> {
        self.reference.as_deref()
    }
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// What was said.
    pub statement: ConsentStatement,
    /// When it came in, in milliseconds since 1970 UTC.
    pub received_at_ms: i64,
    /// Which version of the purpose's texts it was said to, where that is known.
    pub text: Option<TextVersion>,
    /// What shows it.
    pub evidence: Option<Evidence>,
}

/// What a purpose said at some version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PurposeText {
    /// Its name per language.
    pub name: Texts,
    /// What it means, per language.
    pub explanation: Texts,
}

/// A customer's part of the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct Ledger {
    /// Whose.
    pub customer: CustomerId,
    /// Entries, by when they were said.
    pub entries: Vec<LedgerEntry>,
}

impl Engine {
    /// All that a customer ever said about the use of their data; `None` when nobody is known by these.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn ledger(&self, identifiers: &[Identifier]) -> Result<Option<Ledger>, EngineError> {
        let Some(customer) = self.find(identifiers)? else {
            return Ok(None);
        };
        let mut entries: Vec<LedgerEntry> = Vec::new();
        for part in self.parts(customer)? {
            let prefix = key::customer(part);
            let mut after: Option<Vec<u8>> = None;
            loop {
                let page = self.store.scan(Table::Consent, &prefix, after.as_deref(), PAGE)?;
                let Some((last, _)) = page.last() else {
                    break;
                };
                after = Some(last.clone());
                for (_, bytes) in &page {
                    entries.push(codec::decode("consent", bytes)?);
                }
            }
        }
        entries.sort_by_key(|entry| entry.statement.at);
        Ok(Some(Ledger { customer, entries }))
    }

    /// What a customer said at a moment, to the millisecond.
    pub(crate) fn said_at(
        &self,
        customer: CustomerId,
        at: Timestamp,
    ) -> Result<Vec<LedgerEntry>, EngineError> {
        let prefix = key::customer_row(customer, &moment(at));
        let page = self.store.scan(Table::Consent, &prefix, None, PAGE)?;
        page.iter().map(|(_, bytes)| codec::decode("consent", bytes)).collect()
    }

    /// What a purpose said at this version, as far as it was ever published.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn purpose_text(
        &self,
        purpose: &PurposeId,
        version: TextVersion,
    ) -> Result<Option<PurposeText>, EngineError> {
        let row = self.store.get(&[Read::new(Table::Meta, text_key(purpose, version))])?.remove(0);
        row.value().map(|bytes| codec::decode("purpose text", bytes)).transpose()
    }

    /// Keeps what every purpose says now, so that later versions know what was agreed to.
    pub(crate) fn keep_texts(&self, published: &Published) -> Result<(), EngineError> {
        let purposes = &published.strategy.purposes;
        let reads: Vec<Read> = purposes
            .iter()
            .map(|purpose| Read::new(Table::Meta, text_key(&purpose.id, purpose.text)))
            .collect();
        let rows = self.store.get(&reads)?;
        let new = purposes.iter().zip(reads).zip(&rows).filter(|(_, row)| row.value().is_none());
        let writes: Vec<Write> = new
            .map(|((purpose, read), _)| {
                let text =
                    PurposeText { name: purpose.name.clone(), explanation: purpose.explanation.clone() };
                Write::put(Table::Meta, read.key, codec::encode(&text))
            })
            .collect();
        if !writes.is_empty() {
            self.store.commit(Batch { writes, ..Batch::default() })?.wait()?;
        }
        Ok(())
    }

    /// The version of the texts that a statement was made to: the one it names, else the present one when it was
    /// said just now. The inner error is a code and a message for whoever sent it.
    pub(crate) fn text_agreed_to(
        &self,
        strategy: &Strategy,
        (about, status): (&About, ConsentStatus),
        named: Option<TextVersion>,
        said_now: bool,
    ) -> Result<Result<Option<TextVersion>, (&'static str, String)>, EngineError> {
        let About::Purpose(id) = about else {
            return Ok(Ok(None));
        };
        let Some(index) = strategy.purpose_index(id.as_str()) else {
            return Ok(Ok(None));
        };
        let purpose = &strategy.purposes[usize::from(index)];
        match named {
            Some(version) if version == purpose.text => Ok(Ok(Some(version))),
            Some(version) if self.purpose_text(id, version)?.is_some() => Ok(Ok(Some(version))),
            Some(_) => {
                let message = format!("`{id}` was never published with this text");
                Ok(Err(("unknown_text_version", message)))
            }
            None if purpose.needs_text && status == ConsentStatus::Given => {
                let message = format!(
                    "consent for `{id}` has to say which text it was given to; it is {}",
                    purpose.text
                );
                Ok(Err(("no_text_version", message)))
            }
            None => Ok(Ok(said_now.then_some(purpose.text))),
        }
    }
}

fn text_key(purpose: &PurposeId, version: TextVersion) -> Vec<u8> {
    format!("purpose_text/{purpose}/{version}").into_bytes()
}

fn moment(at: Timestamp) -> [u8; 8] {
    at.as_millisecond().max(0).to_be_bytes()
}

/// The write that adds an entry; `number` tells entries of the same moment apart.
pub(crate) fn entry(entry: &LedgerEntry, customer: CustomerId, number: usize) -> Write {
    let mut suffix = moment(entry.statement.at).to_vec();
    suffix.extend((number as u64).to_be_bytes());
    Write::put(Table::Consent, key::customer_row(customer, &suffix), codec::encode(entry)).owned_by(customer)
}
