//! How does a file tell nothing to whoever lacks the vault's secret? It is sealed in parts that follow one another, so
//! that it can be written and read without knowing its length, and nobody can shorten it or change its order.
//!
//! ```text
//! head: "attentb2" · nonce 15 · which secret 8 · checksum of the head 8
//! part: content of 64 KiB, the last one shorter, possibly empty · tag 16
//! ```
//! A part's nonce is the head's, the number of the part as u64 and whether it is the last (XChaCha20-Poly1305; the
//! STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015).

use super::keyring::{KEY_BYTES, random};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, aead::Aead};
use std::io::{self, ErrorKind, Read, Write};

const BEGIN: &[u8; 8] = b"attentb2";
const NONCE_BYTES: usize = 15;
const CHECK_BYTES: usize = 8;
const HEAD_BYTES: usize = BEGIN.len() + NONCE_BYTES + 2 * CHECK_BYTES;
const PART_BYTES: usize = 64 * 1024;
const TAG_BYTES: usize = 16;

/// Seals or opens the parts of one file, in order.
struct Parts {
    cipher: XChaCha20Poly1305,
    nonce: [u8; NONCE_BYTES],
    number: u64,
}

impl Parts {
    fn new(secret: &[u8; KEY_BYTES], nonce: [u8; NONCE_BYTES]) -> Self {
        let key = blake3::derive_key("attent 2026 backup", secret);
        Self { cipher: XChaCha20Poly1305::new(&key.into()), nonce, number: 0 }
    }

    fn next_nonce(&mut self, is_last: bool) -> [u8; 24] {
        let mut nonce = [0; 24];
        nonce[..NONCE_BYTES].copy_from_slice(&self.nonce);
        nonce[NONCE_BYTES..23].copy_from_slice(&self.number.to_le_bytes());
        nonce[23] = u8::from(is_last);
        self.number += 1;
        nonce
    }

    fn seal(&mut self, content: &[u8], is_last: bool) -> Vec<u8> {
        let nonce = self.next_nonce(is_last);
        self.cipher.encrypt(&nonce.into(), content).expect("a part is far below the cipher's limit")
    }

    fn open(&mut self, sealed: &[u8]) -> io::Result<Vec<u8>> {
        let nonce = self.next_nonce(sealed.len() < PART_BYTES + TAG_BYTES);
        self.cipher.decrypt(&nonce.into(), sealed).map_err(|_| ErrorKind::InvalidData.into())
    }
}

fn head(secret: &[u8; KEY_BYTES], nonce: &[u8; NONCE_BYTES]) -> Vec<u8> {
    let which = blake3::derive_key("attent 2026 which secret", secret);
    let mut head = [&BEGIN[..], nonce, &which[..CHECK_BYTES]].concat();
    let checksum = blake3::hash(&head);
    head.extend(&checksum.as_bytes()[..CHECK_BYTES]);
    head
}

/// Takes content and writes it sealed; nothing is whole before [`Sealing::finish`].
pub(super) struct Sealing<'o> {
    out: &'o mut dyn Write,
    parts: Parts,
    waiting: Vec<u8>,
}

impl<'o> Sealing<'o> {
    pub fn new(out: &'o mut dyn Write, secret: &[u8; KEY_BYTES]) -> io::Result<Self> {
        let nonce = random().map_err(io::Error::other)?;
        out.write_all(&head(secret, &nonce))?;
        Ok(Self { out, parts: Parts::new(secret, nonce), waiting: Vec::with_capacity(PART_BYTES) })
    }

    /// Writes the last part.
    pub fn finish(mut self) -> io::Result<()> {
        let last = self.parts.seal(&self.waiting, true);
        self.out.write_all(&last)?;
        self.out.flush()
    }
}

impl Write for Sealing<'_> {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        let taken = content.len().min(PART_BYTES - self.waiting.len());
        self.waiting.extend_from_slice(&content[..taken]);
        if self.waiting.len() == PART_BYTES {
            let part = self.parts.seal(&self.waiting, false);
            self.out.write_all(&part)?;
            self.waiting.clear();
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Reads what was sealed. Content that was changed, and an end that is not the end, are [`ErrorKind::InvalidData`].
pub(super) struct Opening<R> {
    from: R,
    parts: Parts,
    open: Vec<u8>,
    read: usize,
    is_over: bool,
}

impl<R: Read> Opening<R> {
    /// `None` when it is sealed with another secret.
    pub fn new(mut from: R, secret: &[u8; KEY_BYTES]) -> io::Result<Option<Self>> {
        let mut told = [0; HEAD_BYTES];
        from.read_exact(&mut told)?;
        let (head_itself, checksum) = told.split_at(HEAD_BYTES - CHECK_BYTES);
        if !told.starts_with(BEGIN) || blake3::hash(head_itself).as_bytes()[..CHECK_BYTES] != *checksum {
            return Err(ErrorKind::InvalidData.into());
        }
        let nonce = *told[BEGIN.len()..].first_chunk().expect("the head is longer");
        let parts = Parts::new(secret, nonce);
        let opening = Self { from, parts, open: Vec::new(), read: 0, is_over: false };
        Ok((head(secret, &nonce) == told).then_some(opening))
    }

    fn next(&mut self) -> io::Result<()> {
        let mut sealed = Vec::with_capacity(PART_BYTES + TAG_BYTES);
        self.from.by_ref().take((PART_BYTES + TAG_BYTES) as u64).read_to_end(&mut sealed)?;
        self.is_over = sealed.len() < PART_BYTES + TAG_BYTES;
        self.open = self.parts.open(&sealed)?;
        self.read = 0;
        Ok(())
    }
}

impl<R: Read> Read for Opening<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.read == self.open.len() && !self.is_over {
            self.next()?;
        }
        let taken = into.len().min(self.open.len() - self.read);
        into[..taken].copy_from_slice(&self.open[self.read..self.read + taken]);
        self.read += taken;
        Ok(taken)
    }
}
