//! The retailer's real data: the world folder, and the files beside the repository when they are there.

use decision::strategy::Files;
use engine::{Engine, storage::MemoryStore};
use simulation::{
    backtest::{self, Backtest, Occasion},
    import::{self, Gathered, Mapping},
};
use std::{
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

/// The repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The real files, when they are at hand.
pub fn data() -> Option<PathBuf> {
    let data = repository().join("../shared/data/dunnhumby-complete-journey");
    if data.is_dir() {
        return Some(data);
    }
    eprintln!("skipped: there is no `{}`", data.display());
    None
}

/// The retailer's mapping.
pub fn mapping() -> Mapping {
    let text = fs::read_to_string(repository().join("worlds/retailer/mapping.toml")).unwrap();
    Mapping::parse(&text).unwrap()
}

/// An engine that knows nothing yet.
pub fn engine() -> Engine {
    Engine::open(Arc::new(MemoryStore::new()), &files(), [7; 32]).unwrap()
}

/// The retailer's strategy.
pub fn files() -> Files {
    let mut files = Files::default();
    read(&repository().join("worlds/retailer/strategy"), "", &mut files);
    files
}

/// Reads all files below a folder.
pub fn read(folder: &Path, prefix: &str, files: &mut Files) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            read(&path, &format!("{name}/"), files);
        } else {
            files.0.insert(name, fs::read_to_string(path).unwrap());
        }
    }
}

/// Everything a folder of files says.
pub fn gather(data: &Path, engine: &Engine) -> Gathered {
    let strategy = &engine.published().strategy;
    let now = "2018-03-12T00:00:00Z".parse().unwrap();
    import::gather(&mapping(), strategy, data, now, &mut |_| {}).unwrap()
}

/// Runs a backtest; `each` hears of every decision.
pub fn run(data: &Path, each: &mut dyn FnMut(&Occasion, &decision::record::Decision)) -> Backtest {
    let engine = engine();
    let mut gathered = gather(data, &engine);
    backtest::run(&mut gathered, &mapping(), &engine, each, &mut |_, _| {}).unwrap()
}

/// All rows of a file, the header first.
pub fn rows(path: &Path) -> Vec<Vec<String>> {
    let mut text = String::new();
    let file = fs::File::open(path).unwrap();
    match path.extension().is_some_and(|extension| extension == "gz") {
        true => flate2::read::GzDecoder::new(file).read_to_string(&mut text),
        false => { file }.read_to_string(&mut text),
    }
    .unwrap();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// Position of a column.
pub fn column(rows: &[Vec<String>], name: &str) -> usize {
    rows[0].iter().position(|found| found == name).unwrap()
}

/// Writes rows, packed when the name ends in `.gz`.
pub fn write_rows(path: &Path, delimiter: u8, rows: &[Vec<String>]) {
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    rows.iter().for_each(|row| writer.write_record(row).unwrap());
    let bytes = writer.into_inner().unwrap();
    let packed = path.extension().is_some_and(|extension| extension == "gz");
    let bytes = match packed {
        true => pack(&bytes),
        false => bytes,
    };
    fs::write(path, bytes).unwrap();
}

/// Packs bytes with gzip.
pub fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
