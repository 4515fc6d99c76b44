//! What does a row look like on disk? A header, the content (sealed when it has an owner), a checksum.
//!
//! ```text
//! layout u8 · version u64 · expires_at_ms i64 · [owner u128 · key id u64 · nonce 12] · content · checksum 8
//! ```
//! Integers are little-endian; `i64::MAX` means that the row never expires. The checksum is the start
//! of a BLAKE3 hash over table, key and everything before it; for owned rows table, key and header are
//! also the cipher's associated data. So neither a flipped bit nor a row moved to another place is
//! ever taken for an answer.

use super::keyring::CustomerKey;
use decision::id::CustomerId;
use engine::storage::{StoreError, Version, key::short_hash};

const PLAIN: u8 = 1;
const OWNED: u8 = 2;
const HEADER_BYTES: usize = 17;
const OWNER_BYTES: usize = 24;
pub(super) const NONCE_BYTES: usize = 12;
const CHECKSUM_BYTES: usize = 8;
const NEVER: i64 = i64::MAX;

/// Where a cell belongs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub table: &'static str,
    pub key: &'a [u8],
}

impl Place<'_> {
    pub fn damaged(self) -> StoreError {
        StoreError::Damaged { table: self.table, key_hash: short_hash(self.key) }
    }

    fn associated(self, header: &[u8]) -> Vec<u8> {
        [self.table.as_bytes(), &[0], self.key, &[0], header].concat()
    }

    fn checksum(self, cell: &[u8]) -> [u8; CHECKSUM_BYTES] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.table.as_bytes()).update(&(self.key.len() as u64).to_le_bytes());
        hasher.update(self.key).update(cell);
        let mut checksum = [0; CHECKSUM_BYTES];
        checksum.copy_from_slice(&hasher.finalize().as_bytes()[..CHECKSUM_BYTES]);
        checksum
    }
}

/// Whose content it is, and what to seal it with. A nonce is used once.
pub(super) struct Seal<'a> {
    pub owner: CustomerId,
    pub key: &'a CustomerKey,
    pub nonce: [u8; NONCE_BYTES],
}

/// Writes a cell.
pub(super) fn encode(
    place: Place<'_>,
    version: Version,
    expires_at_ms: Option<i64>,
    seal: Option<Seal<'_>>,
    content: &[u8],
) -> Vec<u8> {
    let mut cell = Vec::with_capacity(content.len() + 96);
    cell.push(if seal.is_some() { OWNED } else { PLAIN });
    cell.extend_from_slice(&version.0.to_le_bytes());
    cell.extend_from_slice(&expires_at_ms.unwrap_or(NEVER).to_le_bytes());
    match seal {
        None => cell.extend_from_slice(content),
        Some(Seal { owner, key, nonce }) => {
            cell.extend_from_slice(&owner.0.to_le_bytes());
            cell.extend_from_slice(&key.id().to_le_bytes());
            let sealed = key.seal(&nonce, &place.associated(&cell), content);
            cell.extend_from_slice(&nonce);
            cell.extend_from_slice(&sealed);
        }
    }
    let checksum = place.checksum(&cell);
    cell.extend_from_slice(&checksum);
    cell
}

/// A cell that has not been opened yet.
#[derive(Debug)]
pub(super) struct Cell<'a> {
    place: Place<'a>,
    header: &'a [u8],
    rest: &'a [u8],
    pub version: Version,
    pub owner: Option<CustomerId>,
    key_id: u64,
    expires_at_ms: i64,
}

impl<'a> Cell<'a> {
    /// A cell whose checksum holds.
    pub fn read(place: Place<'a>, bytes: &'a [u8]) -> Result<Self, StoreError> {
        let holds = bytes
            .split_last_chunk::<CHECKSUM_BYTES>()
            .is_some_and(|(cell, checksum)| place.checksum(cell) == *checksum);
        Self::parse(place, bytes).filter(|_| holds).ok_or_else(|| place.damaged())
    }

    /// A cell as it seems to be, for who looks at very many: nothing may follow from it before it was read.
    pub fn glance(place: Place<'a>, bytes: &'a [u8]) -> Result<Self, StoreError> {
        Self::parse(place, bytes).ok_or_else(|| place.damaged())
    }

    fn parse(place: Place<'a>, bytes: &'a [u8]) -> Option<Self> {
        let (cell, _) = bytes.split_last_chunk::<CHECKSUM_BYTES>()?;
        let version = Version(u64::from_le_bytes(bytes_at(cell, 1)?));
        let expires_at_ms = i64::from_le_bytes(bytes_at(cell, 9)?);
        let (header_bytes, owner, key_id) = match *cell.first()? {
            PLAIN => (HEADER_BYTES, None, 0),
            OWNED => {
                let owner = CustomerId(u128::from_le_bytes(bytes_at(cell, HEADER_BYTES)?));
                let key_id = u64::from_le_bytes(bytes_at(cell, HEADER_BYTES + 16)?);
                (HEADER_BYTES + OWNER_BYTES, Some(owner), key_id)
            }
            _ => return None,
        };
        let (header, rest) = cell.split_at_checked(header_bytes)?;
        Some(Self { place, header, rest, version, owner, key_id, expires_at_ms })
    }

    /// When the row ends; `None`: never.
    pub fn expires_at_ms(&self) -> Option<i64> {
        (self.expires_at_ms != NEVER).then_some(self.expires_at_ms)
    }

    /// Whether the row may go at this moment.
    pub fn expired(&self, at_ms: i64) -> bool {
        self.expires_at_ms != NEVER && self.expires_at_ms <= at_ms
    }

    /// Whether `key`, the owner's present key, is not the one this cell was sealed with.
    pub fn orphaned(&self, key: Option<&CustomerKey>) -> bool {
        self.owner.is_some() && key.is_none_or(|key| key.id() != self.key_id)
    }

    /// The content, or `None` when the owner's key has been forgotten.
    pub fn open(&self, key: Option<&CustomerKey>) -> Result<Option<Vec<u8>>, StoreError> {
        if self.owner.is_none() {
            return Ok(Some(self.rest.to_vec()));
        }
        let Some(key) = key.filter(|key| key.id() == self.key_id) else {
            return Ok(None);
        };
        let opened = self
            .rest
            .split_first_chunk::<NONCE_BYTES>()
            .and_then(|(nonce, sealed)| key.open(nonce, &self.place.associated(self.header), sealed));
        opened.map(Some).ok_or_else(|| self.place.damaged())
    }
}

/// The `N` bytes from `start` on.
fn bytes_at<const N: usize>(bytes: &[u8], start: usize) -> Option<[u8; N]> {
    bytes.get(start..start + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'static> = Place { table: "profile", key: b"jan" };

    fn owned(key: &CustomerKey) -> Vec<u8> {
        let seal = Seal { owner: CustomerId(7), key, nonce: [3; NONCE_BYTES] };
        encode(PLACE, Version(5), Some(1_000), Some(seal), b"lives alone")
    }

    #[test]
    fn an_owned_row_opens_with_its_own_key_only() {
        let (key, other) = (CustomerKey::for_tests(1), CustomerKey::for_tests(2));
        let bytes = owned(&key);
        let cell = Cell::read(PLACE, &bytes).unwrap();
        assert_eq!((cell.version, cell.owner), (Version(5), Some(CustomerId(7))));
        assert_eq!(cell.open(Some(&key)).unwrap().as_deref(), Some(&b"lives alone"[..]));
        assert_eq!(cell.open(Some(&other)), Ok(None));
        assert_eq!(cell.open(None), Ok(None));
        assert!(cell.expired(1_000) && !cell.expired(999));
    }

    #[test]
    fn a_flipped_bit_anywhere_is_damage() {
        let plain = encode(PLACE, Version(5), None, None, b"quota 12");
        for bytes in [owned(&CustomerKey::for_tests(1)), plain] {
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(Cell::read(PLACE, &flipped).unwrap_err(), PLACE.damaged(), "bit {bit}");
            }
        }
    }

    #[test]
    fn a_glance_believes_a_flipped_bit_that_a_reading_refuses() {
        let mut bytes = owned(&CustomerKey::for_tests(1));
        bytes[9] ^= 0xFF;
        assert!(Cell::glance(PLACE, &bytes).unwrap().expired(999));
        assert_eq!(Cell::read(PLACE, &bytes).unwrap_err(), PLACE.damaged());
        assert_eq!(Cell::glance(PLACE, b"short").unwrap_err(), PLACE.damaged());
    }

    #[test]
    fn a_row_moved_to_another_place_is_damage() {
        let bytes = owned(&CustomerKey::for_tests(1));
        for place in [Place { table: "contacts", ..PLACE }, Place { key: b"eva", ..PLACE }] {
            assert_eq!(Cell::read(place, &bytes).unwrap_err(), place.damaged());
        }
    }

    #[test]
    fn a_forged_checksum_does_not_open_changed_content() {
        let key = CustomerKey::for_tests(1);
        let mut bytes = owned(&key);
        let end = bytes.len() - CHECKSUM_BYTES;
        bytes[9] ^= 1;
        let forged = PLACE.checksum(&bytes[..end]);
        bytes[end..].copy_from_slice(&forged);
        assert_eq!(Cell::read(PLACE, &bytes).unwrap().open(Some(&key)), Err(PLACE.damaged()));
    }
}
