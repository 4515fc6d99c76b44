//! How far are the chains, signed? Whoever keeps a signed head can show later that nothing before it was changed,
//! also to those who hold the store and its secrets.
//!
//! The signature is Ed25519 (RFC 8032) over the moment and the head of every chain that has entries.

use super::{CHAINS, Chains, Engine};
use crate::EngineError;
use decision::Timestamp;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

const CONTEXT: &[u8] = b"attent audit head 1";

/// How far every chain was at a moment, signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedHead {
    /// When, in milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// The chains that have entries, in order.
    pub chains: Vec<ChainHead>,
    /// The public key that it is signed with, 64 hexadecimal digits.
    pub public_key: String,
    /// The signature, 128 hexadecimal digits.
    pub signature: String,
}

/// How far one chain was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainHead {
    /// The chain.
    pub chain: u16,
    /// The number of its last entry.
    pub number: u64,
    /// The link of its last entry, 64 hexadecimal digits.
    pub link: String,
}

impl SignedHead {
    /// Whether the signature is that of `public_key` over this head. Compare that key with the one you trust.
    pub fn is_genuine(&self) -> bool {
        let verified = || {
            let key = VerifyingKey::from_bytes(&bytes(&self.public_key)?).ok()?;
            let signature = Signature::from_bytes(&bytes(&self.signature)?);
            key.verify_strict(&self.message(), &signature).ok()
        };
        verified().is_some()
    }

    fn message(&self) -> Vec<u8> {
        let mut message = CONTEXT.to_vec();
        message.extend(self.at_ms.to_be_bytes());
        for head in &self.chains {
            message.extend(head.chain.to_be_bytes());
            message.extend(head.number.to_be_bytes());
            message.extend(head.link.as_bytes());
        }
        message
    }
}

impl Engine {
    /// How far the chains are now, signed.
    pub fn audit_head(&self, at: Timestamp) -> Result<SignedHead, EngineError> {
        let mut chains = Vec::new();
        for chain in 0..CHAINS {
            let head = self.head(chain)?;
            if head.number > 0 {
                chains.push(ChainHead { chain, number: head.number, link: hex(&head.link) });
            }
        }
        let key = signing_key(&self.chains);
        let public_key = hex(key.verifying_key().as_bytes());
        let at_ms = at.as_millisecond();
        let mut head = SignedHead { at_ms, chains, public_key, signature: String::new() };
        head.signature = hex(&key.sign(&head.message()).to_bytes());
        Ok(head)
    }

    /// The public key that heads of this store are signed with, 64 hexadecimal digits.
    pub fn audit_public_key(&self) -> String {
        hex(signing_key(&self.chains).verifying_key().as_bytes())
    }
}

fn signing_key(chains: &Chains) -> SigningKey {
    SigningKey::from_bytes(&chains.secrets.signing)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes<const N: usize>(hex: &str) -> Option<[u8; N]> {
    let digits = hex.as_bytes().as_chunks::<2>();
    if digits.0.len() != N || !digits.1.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.0) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}
