//! Who may call? Scoped API keys, kept in the store as hashes.
//!
//! A key is 256 random bits, so one fast hash (blake3) is enough: there is nothing to guess. Passwords
//! of people would need a slow one; there are none here.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use engine::storage::{Batch, Store, StoreError, Table, Write};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};
use utoipa::ToSchema;

/// What every key begins with.
pub const PREFIX: &str = "atk_";
/// How much of a key one may see later, in characters.
const VISIBLE: usize = 12;
const ROW_PREFIX: &str = "api_key/";
const PAGE: usize = 1024;

/// What a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Ask for decisions and report their outcomes.
    Decide,
    /// Send events, consents and outcomes.
    Ingest,
    /// Read customers, decisions and the strategy.
    Read,
    /// Everything, also keys and rejects.
    Admin,
    /// From a page that everybody can read: ask, tell and report for an anonymous id or for the customer whose token
    /// comes along, and learn nothing about anybody.
    Browser,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 5] = [Self::Decide, Self::Ingest, Self::Read, Self::Admin, Self::Browser];

    /// The word used in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decide => "decide",
            Self::Ingest => "ingest",
            Self::Read => "read",
            Self::Admin => "admin",
            Self::Browser => "browser",
        }
    }
}

/// A key as one may see it after it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyInfo {
    /// Its first characters, which also name it.
    pub prefix: String,
    /// What it is for, in the words of who made it.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// When it was made, in milliseconds since 1970 UTC.
    pub created_at_ms: i64,
}

impl KeyInfo {
    /// As one would name it in a record of who did something.
    pub fn named(&self) -> String {
        format!("{} ({}…)", self.name, self.prefix)
    }

    /// Whether the key may lie open in a page; then it is treated as one that everybody has.
    pub fn is_browser(&self) -> bool {
        self.scopes.contains(&Scope::Browser)
    }

    /// Whether the key may be used for any of these.
    pub fn allows(&self, scopes: &[Scope]) -> bool {
        self.scopes.iter().any(|scope| *scope == Scope::Admin || scopes.contains(scope))
    }
}

/// Why a key could not be made, read or revoked.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A row is not a key.
    #[error("an api key row is damaged; restore it from a backup")]
    Damaged,
    /// The keys that sign tokens of customers cannot be read.
    #[error(transparent)]
    Tokens(#[from] crate::tokens::TokenKeyError),
    /// The system gave no randomness.
    #[error("the system gave no random bytes: {0}")]
    Entropy(String),
}

/// All keys of a store.
pub struct Keys {
    store: Arc<dyn Store>,
    known: RwLock<BTreeMap<[u8; 32], KeyInfo>>,
}

impl Keys {
    /// Reads the keys of a store.
    pub fn open(store: Arc<dyn Store>) -> Result<Self, KeyError> {
        let mut known = BTreeMap::new();
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = store.scan(Table::Meta, ROW_PREFIX.as_bytes(), after.as_deref(), PAGE)?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            for (row, value) in &page {
                let hash = std::str::from_utf8(&row[ROW_PREFIX.len()..]).ok();
                let hash = hash.and_then(|hex| blake3::Hash::from_hex(hex).ok()).ok_or(KeyError::Damaged)?;
                let info = serde_json::from_slice(value).map_err(|_| KeyError::Damaged)?;
                known.insert(*hash.as_bytes(), info);
            }
        }
        Ok(Self { store, known: RwLock::new(known) })
    }

    /// Makes a key and waits until it is durable. The key itself is returned once and kept nowhere.
    pub fn create(&self, name: &str, scopes: &[Scope], at: Timestamp) -> Result<(String, KeyInfo), KeyError> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| KeyError::Entropy(error.to_string()))?;
        let key = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(secret));
        let info = KeyInfo {
            prefix: key[..VISIBLE].to_owned(),
            name: name.to_owned(),
            scopes: scopes.to_vec(),
            created_at_ms: at.as_millisecond(),
        };
        let hash = blake3::hash(key.as_bytes());
        let value = serde_json::to_vec(&info).expect("a key's description holds text and numbers only");
        self.commit(Write::put(Table::Meta, row(&hash), value))?;
        self.write().insert(*hash.as_bytes(), info.clone());
        Ok((key, info))
    }

    /// Makes the keys with this prefix useless at once; says whether there was one.
    pub fn revoke(&self, prefix: &str) -> Result<bool, KeyError> {
        let known = self.read();
        let hashes: Vec<[u8; 32]> =
            known.iter().filter(|(_, info)| info.prefix == prefix).map(|(hash, _)| *hash).collect();
        drop(known);
        for hash in &hashes {
            self.write().remove(hash);
            self.commit(Write::delete(Table::Meta, row(&blake3::Hash::from_bytes(*hash))))?;
        }
        Ok(!hashes.is_empty())
    }

    /// What a presented key may do; `None` when it is not one of ours.
    pub fn find(&self, key: &str) -> Option<KeyInfo> {
        let hash = blake3::hash(key.as_bytes());
        self.read().get(hash.as_bytes()).cloned()
    }

    /// All keys, oldest first.
    pub fn list(&self) -> Vec<KeyInfo> {
        let mut keys: Vec<KeyInfo> = self.read().values().cloned().collect();
        keys.sort_by(|one, other| {
            (one.created_at_ms, &one.prefix).cmp(&(other.created_at_ms, &other.prefix))
        });
        keys
    }

    fn commit(&self, write: Write) -> Result<(), KeyError> {
        Ok(self.store.commit(Batch { writes: vec![write], ..Batch::default() })?.wait()?)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<[u8; 32], KeyInfo>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, BTreeMap<[u8; 32], KeyInfo>> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn row(hash: &blake3::Hash) -> Vec<u8> {
    format!("{ROW_PREFIX}{}", hash.to_hex()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::storage::MemoryStore;

    #[test]
    fn a_key_is_known_after_reopening_and_its_text_is_stored_nowhere() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let (key, info) = Keys::open(store.clone())
            .unwrap()
            .create("web", &[Scope::Decide], Timestamp::UNIX_EPOCH)
            .unwrap();
        let reopened = Keys::open(store.clone()).unwrap();
        assert_eq!(reopened.find(&key), Some(info));
        let rows = store.scan(Table::Meta, &[], None, 100).unwrap();
        assert_eq!(rows.len(), 1);
        for (row, value) in rows {
            let text = [row, value.to_vec()].concat();
            assert!(!text.windows(20).any(|window| window == &key.as_bytes()[4..24]));
        }
    }

    #[test]
    fn a_revoked_key_is_unknown_at_once_and_after_reopening() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let keys = Keys::open(store.clone()).unwrap();
        let (key, info) = keys.create("web", &[Scope::Decide], Timestamp::UNIX_EPOCH).unwrap();
        assert!(keys.revoke(&info.prefix).unwrap());
        assert!(!keys.revoke(&info.prefix).unwrap());
        assert_eq!(keys.find(&key), None);
        assert_eq!(Keys::open(store).unwrap().find(&key), None);
    }
}
