//! How is something kept that is too large for one row? In parts, written one after the other so that
//! no decision waits behind all of them; then one small row that says which parts belong together.
//!
//! What was begun and never finished is cleared away when the next content of its kind is kept.

use crate::{
    EngineError, codec,
    storage::{Batch, Read, Store, Table, Write},
};
use serde::{Deserialize, Serialize};

/// Longest part, in bytes; what is not longer is kept whole.
const PART_BYTES: usize = 1 << 20;

#[derive(Serialize, Deserialize)]
enum Kept {
    Whole(Vec<u8>),
    Parts(Parts),
}

/// The parts of one content, named by it.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Parts {
    digest: [u8; 16],
    count: u32,
}

/// Keeps what a batch may not hold and returns the writes that make `name` mean this content; nothing
/// changes before they are committed. `kind` has one unfinished content at a time, and names it in errors.
pub(crate) fn keep(
    store: &dyn Store,
    kind: &'static str,
    name: &[u8],
    content: &[u8],
    until_ms: Option<i64>,
) -> Result<Vec<Write>, EngineError> {
    let until = |write: Write| until_ms.into_iter().fold(write, Write::until);
    let row = |kept| until(Write::put(Table::Meta, name, codec::encode(kept)));
    let before = parts_of(store, kind, name)?;
    if content.len() <= PART_BYTES {
        let mut writes = vec![row(&Kept::Whole(content.to_vec()))];
        writes.extend(before.iter().flat_map(Parts::removal));
        return Ok(writes);
    }
    let unfinished = format!("unfinished/{kind}").into_bytes();
    let parts = Parts::of(content);
    let mut first = vec![Write::put(Table::Meta, unfinished.clone(), codec::encode(&parts))];
    if let Some(bytes) = store.get(&[Read::new(Table::Meta, unfinished.clone())])?[0].value() {
        let given_up: Parts = codec::decode(kind, bytes)?;
        if given_up != parts && Some(given_up) != before {
            first.extend(given_up.removal());
        }
    }
    let mut last = store.commit(Batch { writes: first, ..Batch::default() })?;
    for (key, part) in parts.keys().zip(content.chunks(PART_BYTES)) {
        last.wait()?;
        let writes = vec![until(Write::put(Table::Meta, key, part))];
        last = store.commit(Batch { writes, ..Batch::default() })?;
    }
    last.wait()?;
    let mut writes = vec![row(&Kept::Parts(parts)), Write::delete(Table::Meta, unfinished)];
    writes.extend(before.iter().filter(|before| **before != parts).flat_map(Parts::removal));
    Ok(writes)
}

/// Reads what was kept under a name.
pub(crate) fn read(
    store: &dyn Store,
    kind: &'static str,
    name: &[u8],
) -> Result<Option<Vec<u8>>, EngineError> {
    let parts = match kept(store, kind, name)? {
        None => return Ok(None),
        Some(Kept::Whole(content)) => return Ok(Some(content)),
        Some(Kept::Parts(parts)) => parts,
    };
    let mut content = Vec::with_capacity(parts.count as usize * PART_BYTES);
    for key in parts.keys() {
        let row = store.get(&[Read::new(Table::Meta, key)])?.remove(0);
        content.extend_from_slice(row.value().unwrap_or_default());
    }
    match Parts::of(&content) == parts {
        true => Ok(Some(content)),
        false => Err(EngineError::Damaged { what: kind }),
    }
}

/// Whether something is kept under a name.
pub(crate) fn has(store: &dyn Store, kind: &'static str, name: &[u8]) -> Result<bool, EngineError> {
    Ok(kept(store, kind, name)?.is_some())
}

/// The writes that remove what is kept under a name.
pub(crate) fn removal(store: &dyn Store, kind: &'static str, name: &[u8]) -> Result<Vec<Write>, EngineError> {
    let mut writes = vec![Write::delete(Table::Meta, name)];
    writes.extend(parts_of(store, kind, name)?.iter().flat_map(Parts::removal));
    Ok(writes)
}

fn kept(store: &dyn Store, kind: &'static str, name: &[u8]) -> Result<Option<Kept>, EngineError> {
    let row = store.get(&[Read::new(Table::Meta, name)])?.remove(0);
    row.value().map(|bytes| codec::decode(kind, bytes)).transpose()
}

/// The parts under a name; none for a row that cannot be read, which is about to be replaced.
fn parts_of(store: &dyn Store, kind: &'static str, name: &[u8]) -> Result<Option<Parts>, EngineError> {
    match kept(store, kind, name) {
        Ok(Some(Kept::Parts(parts))) => Ok(Some(parts)),
        Ok(_) => Ok(None),
        Err(error) if error.is_damage() => Ok(None),
        Err(error) => Err(error),
    }
}

impl Parts {
    fn of(content: &[u8]) -> Self {
        let mut digest = [0; 16];
        digest.copy_from_slice(&blake3::hash(content).as_bytes()[..16]);
        let count = content.len().div_ceil(PART_BYTES);
        Self { digest, count: u32::try_from(count).expect("memory holds fewer than 2^32 parts") }
    }

    fn keys(self) -> impl Iterator<Item = Vec<u8>> {
        (0..self.count).map(move |number| [&b"part/"[..], &self.digest, &number.to_be_bytes()].concat())
    }

    fn removal(&self) -> impl Iterator<Item = Write> + use<> {
        self.keys().map(|key| Write::delete(Table::Meta, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::MemoryStore;

    fn put(store: &MemoryStore, name: &[u8], content: &[u8]) {
        let writes = keep(store, "thing", name, content, None).expect("it is kept");
        commit(store, writes);
    }

    fn commit(store: &MemoryStore, writes: Vec<Write>) {
        let ticket = store.commit(Batch { writes, ..Batch::default() }).expect("it is queued");
        ticket.wait().expect("it is durable");
    }

    fn rows(store: &MemoryStore) -> usize {
        store.scan(Table::Meta, b"", None, 1_000).expect("rows").len()
    }

    fn content(seed: u8, bytes: usize) -> Vec<u8> {
        (0..bytes).map(|index| (index % 251) as u8 ^ seed).collect()
    }

    #[test]
    fn what_is_kept_is_read_back_whatever_its_size() {
        let store = MemoryStore::default();
        for bytes in [0, 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES] {
            let content = content(7, bytes);
            put(&store, b"it", &content);
            assert_eq!(read(&store, "thing", b"it").expect("it reads"), Some(content), "{bytes} bytes");
        }
        assert_eq!(rows(&store), 4);
        put(&store, b"it", b"small again");
        assert_eq!(rows(&store), 1);
        let writes = removal(&store, "thing", b"it").expect("it goes");
        commit(&store, writes);
        assert_eq!((rows(&store), has(&store, "thing", b"it").expect("it reads")), (0, false));
    }

    #[test]
    fn what_was_never_finished_does_not_count_and_is_cleared_away() {
        let store = MemoryStore::default();
        put(&store, b"it", &content(1, 2 * PART_BYTES));
        keep(&store, "thing", b"it", &content(2, 3 * PART_BYTES), None).expect("parts are written");
        assert_eq!(read(&store, "thing", b"it").expect("it reads"), Some(content(1, 2 * PART_BYTES)));
        put(&store, b"it", &content(3, 2 * PART_BYTES));
        assert_eq!(read(&store, "thing", b"it").expect("it reads"), Some(content(3, 2 * PART_BYTES)));
        assert_eq!(rows(&store), 3);
    }

    #[test]
    fn a_missing_part_is_damage_and_never_another_content() {
        let store = MemoryStore::default();
        put(&store, b"it", &content(1, 2 * PART_BYTES));
        let part = Parts::of(&content(1, 2 * PART_BYTES)).keys().next().expect("a part");
        let writes = vec![Write::delete(Table::Meta, part)];
        commit(&store, writes);
        assert!(read(&store, "thing", b"it").expect_err("a part is missing").is_damage());
    }
}
