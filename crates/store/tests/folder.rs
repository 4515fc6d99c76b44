//! Opening a folder that cannot be used gets a sentence that helps.

use crate::fixture::{JAN, batch, open, profile, row, save, text};
use engine::storage::{Table, key};
use std::{fs, path::Path};
use store::{FjallStore, OpenError, Options};

fn refusal(folder: &Path) -> OpenError {
    FjallStore::open(folder, &Options::default()).err().expect("opening should fail")
}

#[test]
fn a_folder_in_use_names_itself() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    let expected = format!(
        "the data folder `{}` is already in use by another process; stop that one or choose another folder",
        folder.path().display()
    );
    assert_eq!(refusal(folder.path()).to_string(), expected);
    drop(first);
    open(folder.path());
}

#[test]
fn a_newer_layout_is_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    save(&open(folder.path()), batch([profile(JAN, "jan")]));
    let format = folder.path().join("format.toml");
    fs::write(&format, "layout = 4\n").unwrap();
    assert!(matches!(refusal(folder.path()), OpenError::Newer { found: 4, known: 3, .. }));
    assert_eq!(fs::read_to_string(format).unwrap(), "layout = 4\n");
}

#[test]
fn a_missing_master_key_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    save(&open(folder.path()), batch([profile(JAN, "jan")]));
    let key_file = folder.path().join("master.key");
    let secret = fs::read(&key_file).unwrap();
    fs::remove_file(&key_file).unwrap();
    assert!(matches!(refusal(folder.path()), OpenError::MasterKeyMissing { .. }));
    assert!(!key_file.exists());
    fs::write(&key_file, &secret[..31]).unwrap();
    assert!(matches!(refusal(folder.path()), OpenError::Damaged { .. }));
    fs::write(&key_file, secret).unwrap();
    assert_eq!(text(&row(&open(folder.path()), Table::Profile, key::customer(JAN))), Some("jan"));
}

#[cfg(unix)]
#[test]
fn the_master_key_is_for_its_owner_alone_and_can_live_elsewhere() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let master_key = elsewhere.path().join("attent.key");
    let options = Options { master_key: Some(master_key.clone()), ..Options::default() };
    drop(FjallStore::open(folder.path(), &options).unwrap());
    assert_eq!(fs::metadata(&master_key).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!folder.path().join("master.key").exists());
}

#[test]
fn a_file_where_the_folder_should_be_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data");
    fs::write(&file, "not a folder").unwrap();
    let error = refusal(&file).to_string();
    assert!(error.contains(&format!("`{}` could not be opened", file.display())), "{error}");
}
