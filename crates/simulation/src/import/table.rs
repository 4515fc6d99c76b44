//! What is in a delimited text file? Rows of named fields, each with its line.
//!
//! Reads UTF-8 and ISO 8859-1, packed with gzip or not. What the fields mean is not its business.

use super::mapping::{Encoding, LookedUp, Words, Writing};
use flate2::read::MultiGzDecoder;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

/// The named fields of one row.
pub type Fields = BTreeMap<String, String>;

/// One row, or why it could not be read.
#[derive(Debug)]
pub struct Line {
    /// Number of the line in the file, from 1.
    pub number: u64,
    /// The fields, or the reason.
    pub fields: Result<Fields, String>,
}

/// The path of a file below the data folder, or the folder itself when it is that very file.
pub fn locate(data: &Path, file: &str) -> PathBuf {
    match data.is_file() && data.file_name().is_some_and(|name| name == file) {
        true => data.to_owned(),
        false => data.join(file),
    }
}

/// Reads a file; `each` hears of every row.
///
/// # Errors
/// A sentence for the user when the file cannot be opened or has no readable header.
pub fn read(path: &Path, writing: &Writing, each: &mut dyn FnMut(Line)) -> Result<(), String> {
    let trouble = |error: &dyn std::fmt::Display| format!("cannot read `{}`: {error}", path.display());
    let file = BufReader::new(File::open(path).map_err(|error| trouble(&error))?);
    let bytes: Box<dyn Read> = match path.extension().is_some_and(|extension| extension == "gz") {
        true => Box::new(MultiGzDecoder::new(file)),
        false => Box::new(file),
    };
    let delimiter =
        u8::try_from(writing.delimiter).map_err(|_| trouble(&"the delimiter is not `,` `;` or a tab"))?;
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).has_headers(false).from_reader(bytes);
    let mut record = csv::ByteRecord::new();
    let mut header: Option<Vec<String>> = None;
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => return Err(trouble(&error)),
        }
        let number = record.position().map_or(0, csv::Position::line);
        let texts: Result<Vec<String>, String> =
            record.iter().map(|field| text(field, writing.encoding)).collect();
        let Some(names) = &header else {
            header = Some(named(texts.map_err(|why| trouble(&why))?));
            continue;
        };
        let fields = texts.and_then(|texts| match texts.len() == names.len() {
            true => Ok(names.iter().cloned().zip(texts).collect()),
            false => Err(format!("the row has {} fields, the header {}", texts.len(), names.len())),
        });
        each(Line { number, fields });
    }
}

fn named(header: Vec<String>) -> Vec<String> {
    header.iter().map(|name| name.trim_start_matches('\u{feff}').trim().to_owned()).collect()
}

fn text(bytes: &[u8], encoding: Encoding) -> Result<String, String> {
    match encoding {
        Encoding::Latin1 => Ok(bytes.iter().map(|&byte| char::from(byte)).collect()),
        Encoding::Utf8 => std::str::from_utf8(bytes)
            .map(str::to_owned)
            .map_err(|_| "the row is not UTF-8; say `encoding = \"latin-1\"` if it is".into()),
    }
}

/// Replaces words, per column.
pub fn translate(fields: &mut Fields, words: &Words) {
    for (column, translations) in words {
        if let Some(field) = fields.get_mut(column)
            && let Some(translation) = translations.get(field.as_str())
        {
            field.clone_from(translation);
        }
    }
}

/// Reads a whole file to look rows up by their key.
///
/// # Errors
/// A sentence for the user when it cannot be read, or a row has no key or the key of another one.
pub fn lookup(path: &Path, table: &LookedUp) -> Result<BTreeMap<String, Fields>, String> {
    let mut rows = BTreeMap::new();
    let mut problem = None;
    read(path, &table.written, &mut |line| {
        let found = line.fields.and_then(|mut fields| {
            let key = fields
                .get(&table.key)
                .cloned()
                .ok_or_else(|| format!("there is no column `{}`", table.key))?;
            translate(&mut fields, &table.values);
            match rows.insert(key, fields) {
                None => Ok(()),
                Some(_) => Err(format!("`{}` occurs twice", table.key)),
            }
        });
        if let Err(why) = found {
            problem.get_or_insert_with(|| format!("`{}:{}`: {why}", path.display(), line.number));
        }
    })?;
    problem.map_or(Ok(rows), Err)
}
