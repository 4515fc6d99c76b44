//! A mapping and the tables it reads: refused with a sentence, or every row is counted once.

use crate::base;
use decision::{Timestamp, strategy::Strategy};
use simulation::import::{self, Mapping};
use std::{fs, path::Path, sync::LazyLock};

static STRATEGY: LazyLock<Strategy> = LazyLock::new(|| base::loaded().strategy);

/// A mapping, then files, each after a line `=== name`.
pub(crate) fn import(bytes: &[u8]) {
    let cut = bytes.windows(4).position(|window| window == b"=== ").unwrap_or(bytes.len());
    let (mapping, files) = bytes.split_at(cut);
    let Ok(mapping) = Mapping::parse(&String::from_utf8_lossy(mapping)) else {
        return;
    };
    if !import::problems(&mapping, &STRATEGY).is_empty() || !stays_inside(&mapping) {
        return;
    }
    let folder = tempfile::tempdir().expect("there is room for files");
    write(files, folder.path());
    let now = Timestamp::from_second(1_773_000_000).expect("the moment exists");
    let gathered = import::gather(&mapping, &STRATEGY, folder.path(), now, &mut |_| {});
    match gathered {
        Ok(gathered) => {
            assert!(gathered.items.is_sorted_by_key(|item| (item.at, item.source)));
        }
        Err(sentence) => assert!(!sentence.is_empty(), "a file is refused without a reason"),
    }
}

fn stays_inside(mapping: &Mapping) -> bool {
    let tables = mapping.tables.values().map(|table| table.file.as_str());
    let sources = mapping.sources.iter().map(|source| source.file.as_str());
    tables.chain(sources).all(is_plain)
}

fn is_plain(name: &str) -> bool {
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !name.is_empty() && name.len() <= 64 && name.bytes().all(fit) && !name.starts_with('.')
}

fn write(mut files: &[u8], folder: &Path) {
    const MARK: &[u8] = b"=== ";
    while let Some(rest) = files.strip_prefix(MARK) {
        let end = rest.windows(MARK.len()).position(|window| window == MARK).unwrap_or(rest.len());
        let (file, next) = rest.split_at(end);
        files = next;
        let line = file.iter().position(|byte| *byte == b'\n').unwrap_or(file.len());
        let name = String::from_utf8_lossy(&file[..line]);
        if is_plain(&name) {
            let content = file.get(line + 1..).unwrap_or_default();
            fs::write(folder.join(&*name), content).expect("there is room for a file");
        }
    }
}
