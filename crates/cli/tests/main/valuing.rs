//! Orders in a file, and what `attent value` makes of them.

use crate::{attent, fresh_folder, stderr, stdout};
use serde_json::Value;
use std::{fmt::Write as _, fs, path::Path};

/// Orders of customers who buy pairs of things every few weeks, and a cancellation.
fn orders(customers: u32) -> String {
    let header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";
    let mut rows = format!("{header}C1,10,TEA,-1,2011-02-01 10:00:00,2.5,1,UK\n");
    for customer in 0..customers {
        let pair = if customer % 2 == 0 { ["TEA", "CUP"] } else { ["LAMP", "BULB"] };
        for time in 0..1 + customer % 9 {
            let (month, day) = (1 + (time + customer / 9) % 11, 1 + customer % 28);
            let (item, price) = (pair[time as usize % 2], 3 + customer % 20);
            writeln!(rows, "{time},10,{item},2,2011-{month:02}-{day:02} 10:00:00,{price}.5,{customer},UK")
                .unwrap();
        }
    }
    rows
}

/// A store with these orders, imported by the mapping of the shop.
fn imported(folder: &Path, customers: u32) -> String {
    let strategy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../worlds/shop/strategy");
    let mapping = fs::read_to_string("../../worlds/shop/mapping.toml").expect("the mapping of the shop");
    let mapping = mapping
        .replace("strategy = \"strategy\"", &format!("strategy = \"{}\"", strategy.display()))
        .replace("online_retail.csv.gz", "orders.csv");
    let (written, store) = (folder.join("mapping.toml"), folder.join("store").display().to_string());
    fs::write(&written, mapping).unwrap();
    fs::write(folder.join("orders.csv"), orders(customers)).unwrap();
    let (mapping, data) = (written.display().to_string(), folder.display().to_string());
    let done = attent(&["import", "--mapping", &mapping, "--data", &data, "--into", &store]);
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    assert!(stdout(&done).contains("        1  a cancellation\n"), "{}", stdout(&done));
    store
}

#[test]
fn imported_orders_give_an_expectation_and_a_suggestion_twice_the_same() {
    let folder = fresh_folder("valuing");
    let store = imported(&folder, 300);
    let value = |more: &[&str]| {
        let mut arguments = vec!["value", "--data", &store, "--as-of", "2011-12-10"];
        arguments.extend(more);
        attent(&arguments)
    };
    let dry = value(&["--json", "--dry-run"]);
    assert_eq!(dry.status.code(), Some(0), "{}", stderr(&dry));
    let report: Value = serde_json::from_str(&stdout(&dry)).unwrap();
    assert_eq!((&report["customers"], &report["valued"]), (&300.into(), &300.into()), "{report:#}");
    assert!(report["purchasing"]["log_likelihood"].as_f64().unwrap() < 0.0);
    assert!(report["suggested"].as_u64().unwrap() > 0);
    let kept = value(&[]);
    assert!(stdout(&kept).contains("300 have an expectation for 365 days"), "{}", stdout(&kept));
    assert_eq!(stdout(&value(&[])), stdout(&kept));
}

#[test]
fn few_orders_give_no_expectation_and_the_exit_code_says_so() {
    let folder = fresh_folder("valuing-few");
    let store = imported(&folder, 4);
    let done = attent(&["value", "--data", &store, "--as-of", "2011-12-10"]);
    assert_eq!(done.status.code(), Some(1), "{}", stderr(&done));
    assert!(stdout(&done).contains("not fitted: fewer than 50 customers"), "{}", stdout(&done));
}
