//! Which customers are there? Made-up rows, the same in every run.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

const NAMES: [&str; 8] = ["Noor", "Daan", "Emma", "Sem", "Julia", "Finn", "Mila", "Levi"];
const CONTRACTS: [&str; 3] = ["fixed", "variable", "dynamic"];
const DWELLINGS: [&str; 3] = ["apartment", "terraced", "detached"];

/// Writes `customers.csv` with so many rows; returns its size in bytes.
pub fn write(folder: &Path, customers: u64) -> io::Result<u64> {
    let path = folder.join("customers.csv");
    let mut out = BufWriter::new(File::create(&path)?);
    writeln!(
        out,
        "number,email,as_of,name,since,app,contract,ends,monthly,meter,dwelling,boiler,solar,gas,electricity,offers"
    )?;
    for number in 0..customers {
        let mut random = number;
        let mut below = |limit: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % limit
        };
        let yes_or_no = ["yes", "no"];
        writeln!(
            out,
            "{number},person{number}@example.org,2026-02-{:02},{},20{:02}-0{}-11,{},{},2027-0{}-01,{},{},{},{},{},{},{},{}",
            1 + below(28),
            NAMES[below(8) as usize],
            10 + below(15),
            1 + below(9),
            yes_or_no[below(2) as usize],
            CONTRACTS[below(3) as usize],
            1 + below(9),
            60 + below(300),
            yes_or_no[below(2) as usize],
            DWELLINGS[below(3) as usize],
            1995 + below(30),
            yes_or_no[below(2) as usize],
            500 + below(2_000),
            1_500 + below(4_000),
            yes_or_no[below(2) as usize],
        )?;
    }
    out.into_inner()?.sync_all()?;
    Ok(path.metadata()?.len())
}
