//! Who is the customer that calls? A token that the organisation signed for them, with a key that it registered here.
//!
//! A key has one algorithm, and a token is checked with that and no other: what its header says may only agree. Every
//! token that does not hold gets the same answer after the same work, so that nobody learns what was wrong with it.
//! Links to the preference centre are sealed by us and say who is meant to nobody else.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce, aead::Aead};
use ed25519_dalek::{Signature, VerifyingKey};
use engine::{
    Identifier,
    storage::{Batch, Store, StoreError, Table, Write},
};
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::Sha256;
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};
use utoipa::ToSchema;

/// Longest time a token may hold, in seconds.
pub const HOLDS_SECONDS_MAX: i64 = 3600;
/// How far the clock of who signed may be ahead of ours, in seconds.
const CLOCK_SKEW_SECONDS: i64 = 60;
/// How long a link to the preference centre holds, in seconds.
pub const LINK_HOLDS_SECONDS: i64 = 30 * 86_400;
/// Longest token, in bytes.
const TOKEN_BYTES_MAX: usize = 4096;
/// Shortest shared secret, in bytes.
const SECRET_BYTES_MIN: usize = 32;
const ROW_PREFIX: &str = "token_key/";
const LINK_PREFIX: &str = "atp_";
const NONCE_BYTES: usize = 24;
const PAGE: usize = 1024;

/// With what a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Algorithm {
    /// Ed25519: we hold the public key only.
    EdDSA,
    /// HMAC with SHA-256 and a shared secret.
    HS256,
}

/// A key that signs tokens of customers, as one may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenKeyInfo {
    /// Its name, which tokens give as `kid`.
    pub id: String,
    /// With what it signs.
    pub algorithm: Algorithm,
    /// Which `aud` its tokens must have.
    pub audience: String,
    /// Which kind of identifier `sub` is, for example `user_id`.
    pub identifies: String,
    /// When it was registered, in milliseconds since 1970 UTC.
    pub created_at_ms: i64,
}

/// A key as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct TokenKey {
    #[serde(flatten)]
    info: TokenKeyInfo,
    /// The public key or the shared secret; sealed on disk.
    secret: Vec<u8>,
}

/// What a token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum May {
    /// Everything about the customer.
    Everything,
    /// To see and change what is allowed, and nothing else.
    Preferences,
}

/// The customer that a token is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub identifier: Identifier,
    /// For what.
    pub may: May,
}

/// Why a key cannot be registered, read or removed.
#[derive(Debug, thiserror::Error)]
pub enum TokenKeyError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A row is not a key.
    #[error("a token key row is damaged; restore it from a backup")]
    Damaged,
    /// The key itself does not fit its algorithm.
    #[error("{0}")]
    Unfit(&'static str),
}

/// All token keys of a store.
pub struct Tokens {
    store: Arc<dyn Store>,
    known: RwLock<BTreeMap<String, TokenKey>>,
    seal: [u8; 32],
}

impl Tokens {
    /// Reads the token keys of a store.
    pub fn open(store: Arc<dyn Store>) -> Result<Self, TokenKeyError> {
        let seal = seal(&*store);
        let mut known = BTreeMap::new();
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = store.scan(Table::Meta, ROW_PREFIX.as_bytes(), after.as_deref(), PAGE)?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            for (_, value) in &page {
                let mut key: TokenKey = serde_json::from_slice(value).map_err(|_| TokenKeyError::Damaged)?;
                key.secret = unsealed(&seal, &key.secret).ok_or(TokenKeyError::Damaged)?;
                known.insert(key.info.id.clone(), key);
            }
        }
        Ok(Self { store, known: RwLock::new(known), seal })
    }

    /// Registers a key, or replaces the one of that name: its tokens are good, or no longer good, from now on.
    pub fn register(&self, info: TokenKeyInfo, secret: &[u8]) -> Result<TokenKeyInfo, TokenKeyError> {
        let fits = match info.algorithm {
            Algorithm::EdDSA => secret.try_into().is_ok_and(|bytes| VerifyingKey::from_bytes(bytes).is_ok()),
            Algorithm::HS256 => secret.len() >= SECRET_BYTES_MIN,
        };
        if !fits {
            return Err(TokenKeyError::Unfit(match info.algorithm {
                Algorithm::EdDSA => "an `EdDSA` key is the 32 bytes of an Ed25519 public key, in base64url",
                Algorithm::HS256 => "an `HS256` secret has at least 32 bytes, in base64url",
            }));
        }
        let key = TokenKey { info: info.clone(), secret: secret.to_vec() };
        let kept = TokenKey { info: info.clone(), secret: sealed(&self.seal, secret) };
        let value = serde_json::to_vec(&kept).expect("a key's description holds text and numbers only");
        self.commit(Write::put(Table::Meta, row(&info.id), value))?;
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(info.id.clone(), key);
        Ok(info)
    }

    /// Makes a key's tokens useless at once; says whether there was one.
    pub fn remove(&self, id: &str) -> Result<bool, TokenKeyError> {
        let known = self.known.write().unwrap_or_else(PoisonError::into_inner).remove(id);
        self.commit(Write::delete(Table::Meta, row(id)))?;
        Ok(known.is_some())
    }

    /// All keys, by name.
    pub fn list(&self) -> Vec<TokenKeyInfo> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.values().map(|key| key.info.clone()).collect()
    }

    /// The customer that a token is about at `at`; `None` when it does not hold, for whatever reason.
    pub fn caller(&self, token: &str, at: Timestamp) -> Option<Caller> {
        match token.strip_prefix(LINK_PREFIX) {
            Some(sealed) => self.unseal(sealed, at),
            None => self.signed(token, at),
        }
    }

    /// Seals a link to the preference centre of somebody.
    ///
    /// # Panics
    /// When the system has no randomness at all, which leaves nothing that can be done safely.
    pub fn link(&self, identifier: &Identifier, at: Timestamp) -> String {
        let link = Link { identifier: identifier.clone(), until: at.as_second() + LINK_HOLDS_SECONDS };
        let plain = serde_json::to_vec(&link).expect("a link holds text and numbers only");
        format!("{LINK_PREFIX}{}", URL_SAFE_NO_PAD.encode(sealed(&self.seal, &plain)))
    }

    /// A token that outcomes of a decision must carry when a browser reports them: bound to the decision and to who
    /// asked, and not to be guessed. It differs when models do not learn from the decision.
    pub fn of_decision(&self, decision: &str, who: &Identifier, teaches: bool) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.seal);
        let about = if teaches { "decision" } else { "decision that teaches nothing" };
        for part in [about, decision, &who.kind, &who.value] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        URL_SAFE_NO_PAD.encode(&hasher.finalize().as_bytes()[..16])
    }

    fn unseal(&self, sealed: &str, at: Timestamp) -> Option<Caller> {
        let plain = unsealed(&self.seal, &URL_SAFE_NO_PAD.decode(sealed).ok()?)?;
        let link: Link = serde_json::from_slice(&plain).ok()?;
        (link.until > at.as_second()).then_some(Caller { identifier: link.identifier, may: May::Preferences })
    }

    fn signed(&self, token: &str, at: Timestamp) -> Option<Caller> {
        let parts = Parts::of(token);
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let key = parts.as_ref().and_then(|parts| known.get(parts.header.kid.as_str()));
        let Some((parts, key)) = parts.as_ref().zip(key) else {
            // As much work as a token whose key is known.
            std::hint::black_box(holds(&TokenKey::nobody(), token.as_bytes(), &[0; 64]));
            return None;
        };
        let agrees = parts.header.alg == format!("{:?}", key.info.algorithm) && parts.header.crit.is_none();
        let is_signed = holds(key, parts.signed, &parts.signature);
        let claims = parts.claims.as_ref()?;
        (is_signed && agrees && claims.hold(&key.info, at)).then(|| Caller {
            identifier: Identifier::new(&key.info.identifies, &claims.sub),
            may: May::Everything,
        })
    }

    fn commit(&self, write: Write) -> Result<(), TokenKeyError> {
        Ok(self.store.commit(Batch { writes: vec![write], ..Batch::default() })?.wait()?)
    }
}

/// What a link says once it is opened.
#[derive(Serialize, Deserialize)]
struct Link {
    identifier: Identifier,
    /// In seconds since 1970 UTC.
    until: i64,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: String,
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    aud: Value,
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
}

impl Claims {
    fn hold(&self, key: &TokenKeyInfo, at: Timestamp) -> bool {
        let now = at.as_second();
        let is_for_us = match &self.aud {
            Value::String(audience) => *audience == key.audience,
            Value::Array(audiences) => audiences.iter().any(|audience| *audience == *key.audience),
            _ => false,
        };
        let starts = self.iat.max(self.nbf.unwrap_or(self.iat));
        let lasts = self.exp.saturating_sub(self.iat);
        is_for_us
            && !self.sub.is_empty()
            && self.exp > now
            && (1..=HOLDS_SECONDS_MAX).contains(&lasts)
            && starts <= now + CLOCK_SKEW_SECONDS
    }
}

/// A token taken apart; nothing in it is believed yet.
struct Parts<'a> {
    header: Header,
    claims: Option<Claims>,
    signed: &'a [u8],
    signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    fn of(token: &'a str) -> Option<Self> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        Some(Self {
            header: serde_json::from_slice(&decoded(header)?).ok()?,
            claims: serde_json::from_slice(&decoded(claims)?).ok(),
            signed: signed.as_bytes(),
            signature: decoded(signature)?,
        })
    }
}

impl TokenKey {
    /// A key that nobody can sign with.
    fn nobody() -> Self {
        let info = TokenKeyInfo {
            id: String::new(),
            algorithm: Algorithm::EdDSA,
            audience: String::new(),
            identifies: String::new(),
            created_at_ms: 0,
        };
        // The base point of the curve, as a public key.
        let mut secret = vec![0x66; 32];
        secret[0] = 0x58;
        Self { info, secret }
    }
}

/// Whether this is the signature of a key, by its own algorithm.
fn holds(key: &TokenKey, signed: &[u8], signature: &[u8]) -> bool {
    match key.info.algorithm {
        Algorithm::EdDSA => {
            let public =
                key.secret.as_slice().try_into().ok().and_then(|bytes| VerifyingKey::from_bytes(bytes).ok());
            let signature = Signature::from_slice(signature).ok();
            let both = public.zip(signature);
            both.is_some_and(|(public, signature)| public.verify_strict(signed, &signature).is_ok())
        }
        Algorithm::HS256 => {
            let mac = Hmac::<Sha256>::new_from_slice(&key.secret);
            mac.is_ok_and(|mac| mac.chain_update(signed).verify_slice(signature).is_ok())
        }
    }
}

fn sealed(seal: &[u8; 32], plain: &[u8]) -> Vec<u8> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).expect("the system gives random bytes");
    let sealed = XChaCha20Poly1305::new(seal.into()).encrypt(&XNonce::from(nonce), plain);
    [&nonce[..], &sealed.expect("a short text can be sealed")].concat()
}

fn unsealed(seal: &[u8; 32], bytes: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>()?;
    XChaCha20Poly1305::new(seal.into()).decrypt(&XNonce::from(*nonce), sealed).ok()
}

/// Of the secret that stays out of every backup, so that a backup alone lets nobody in.
fn seal(store: &dyn Store) -> [u8; 32] {
    blake3::derive_key("attent: links, decision tokens and token keys", &store.vault().secret())
}

fn row(id: &str) -> Vec<u8> {
    format!("{ROW_PREFIX}{id}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::storage::MemoryStore;

    #[test]
    fn a_shared_secret_is_known_after_reopening_and_stored_sealed() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let info = TokenKeyInfo {
            id: "shared".into(),
            algorithm: Algorithm::HS256,
            audience: "desk".into(),
            identifies: "user_id".into(),
            created_at_ms: 0,
        };
        let secret = *b"thirty-two bytes that are shared";
        Tokens::open(store.clone()).unwrap().register(info, &secret).unwrap();
        let rows = store.scan(Table::Meta, ROW_PREFIX.as_bytes(), None, 10).unwrap();
        let kept: TokenKey = serde_json::from_slice(&rows[0].1).unwrap();
        assert!(!kept.secret.windows(8).any(|part| part == &secret[..8]));
        let reopened = Tokens::open(store).unwrap();
        assert_eq!(reopened.known.read().unwrap()["shared"].secret, secret);
    }
}
