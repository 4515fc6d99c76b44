//! Customers loaded by the thousand: the same is known and decided as when they are told one by one, also when the
//! import was killed.

use crate::{fresh_folder, stdout};
use decision::{
    Timestamp,
    request::{Direction, PlacementRequest, Request},
    strategy::Files,
};
use engine::{
    Ask, CustomerState, Engine, Identifier,
    storage::{MemoryStore, MemoryVault, Store, Vault},
};
use simulation::import::{self, Mapping};
use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};
use store::{FjallStore, Options};

const MAPPING: &str = r#"
name = "customers"
strategy = "STRATEGY"
as_of = "2026-03-01"

[basis]
assumed = "contract"
purposes = ["contract"]
because = "a test"

[retention]
keep = "1825d"
reason = "a test"

[[sources]]
name = "customers"
file = "customers.csv"
identifiers = { user_id = "number", email = "email" }
household = "household"
at = { column = "as_of", time = "04:00" }
unknown = { monthly = ["?"] }

[sources.attributes]
first_name = "name"
contract_type = "contract"
monthly_amount = "monthly"
people_at_home = "people"

[[sources.consents]]
purpose = "personal_offers"
column = "offers"
given = ["yes"]
refused = ["no"]

[[sources.consents]]
purpose = "telemarketing"
channel = "call_centre"
column = "calls"
at = { column = "calls_at", time = "09:00" }
given = ["yes"]
withdrawn = ["stop"]
"#;

/// Customers with unknowns, households of three, statements, and every fiftieth row one that cannot be used.
fn customers(count: u32) -> String {
    let mut text =
        String::from("number,email,household,as_of,name,contract,monthly,people,offers,calls,calls_at\n");
    for n in 0..count {
        let contract = ["fixed", "variable", "dynamic"][n as usize % 3];
        let contract = if n % 50 == 7 { "unheard of" } else { contract };
        let monthly = if n % 11 == 0 { "?".into() } else { (50 + n % 200).to_string() };
        let (offers, calls) = (["yes", "no", ""][n as usize % 3], ["", "yes", "stop", ""][n as usize % 4]);
        let (day, people, house) = (1 + n % 28, [1, 2, 99][n as usize % 3], n / 3);
        let line =
            format!("{n},p{n}@example.org,h{house},2026-02-{day:02},Noor,{contract},{monthly},{people}");
        writeln!(text, "{line},{offers},{calls},2026-02-{day:02}").unwrap();
    }
    text
}

fn files() -> Files {
    simulation::energy::strategy()
}

fn now() -> Timestamp {
    "2026-03-02T10:00:00Z".parse().unwrap()
}

fn mapping() -> Mapping {
    Mapping::parse(MAPPING).unwrap()
}

fn on(store: Arc<dyn Store>) -> Engine {
    Engine::open(store, &files(), [7; 32]).unwrap()
}

fn who(number: u32) -> [Identifier; 1] {
    [Identifier::new("user_id", &number.to_string())]
}

fn ask(number: u32) -> Ask {
    let request = Request {
        channel: "app".into(),
        direction: Direction::Inbound,
        placements: vec![PlacementRequest { placement: "app_home".into(), slots: 2 }],
        context: Default::default(),
        language: None,
        global_privacy_control: false,
        dry_run: true,
    };
    Ask { identifiers: who(number).to_vec(), request, adjustments: Vec::new() }
}

fn known(engine: &Engine, count: u32) -> Vec<Option<CustomerState>> {
    (0..count).map(|number| engine.customer(&who(number)).unwrap()).collect()
}

#[test]
fn customers_loaded_in_bulk_are_known_and_decided_about_as_if_told_one_by_one() {
    const COUNT: u32 = 600;
    let folder = fresh_folder("loading-same");
    fs::write(folder.join("customers.csv"), customers(COUNT)).unwrap();
    let one_by_one = on(Arc::new(MemoryStore::new()));
    let strategy = &one_by_one.published().strategy;
    assert_eq!(import::problems(&mapping(), strategy), [""; 0]);
    let mut gathered = import::gather(&mapping(), strategy, &folder, now(), &mut |_| {}).unwrap();
    import::store(&mut gathered, &mapping(), &one_by_one, &mut |_, _| {}).unwrap();
    let data = folder.join("store");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("master.secret"), MemoryVault::default().secret()).unwrap();
    let load = |expected_duplicates: u64| {
        let loading = on(Arc::new(FjallStore::open(&data, &Options::loading()).unwrap()));
        let strategy = &loading.published().strategy;
        let tally = import::run(&mapping(), strategy, &folder, now(), Some(&loading), &mut |_| {}).unwrap();
        loading.close().unwrap();
        assert_eq!(tally.rejects, gathered.tally.rejects);
        assert_eq!(tally.consents, gathered.tally.consents);
        assert_eq!(tally.sources["customers"].duplicates, expected_duplicates);
        tally.consents.values().flat_map(|statuses| statuses.values()).sum::<u64>()
            + tally.sources["customers"].events
    };
    let things = load(0);
    for again in [false, true] {
        if again {
            load(things);
        }
        let bulk = on(Arc::new(FjallStore::open(&data, &Options::default()).unwrap()));
        assert_eq!(bulk.health().journal_sequence, one_by_one.health().journal_sequence);
        let (ours, theirs) = (known(&bulk, COUNT), known(&one_by_one, COUNT));
        assert_eq!(ours.iter().flatten().count(), 588, "every fiftieth row cannot be used");
        assert_eq!(ours, theirs);
        for number in (0..COUNT).step_by(10) {
            let [ours, theirs] =
                [&bulk, &one_by_one].map(|engine| engine.decide(&ask(number), now(), 1).unwrap());
            assert_eq!(ours.decision, theirs.decision, "customer {number}");
            assert_eq!(ours.answer, theirs.answer);
        }
    }
}

fn attent_import(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_attent"));
    command.args(["import", "--json", "--mapping"]).arg(folder.join("mapping.toml"));
    command.arg("--data").arg(folder).arg("--into").arg(folder.join("store")).stderr(Stdio::null());
    command
}

#[test]
fn an_import_that_was_killed_gives_the_same_when_it_is_run_again() {
    let (count, kills) =
        if std::env::var_os("ATTENT_NIGHTLY").is_some() { (100_000, 20) } else { (2_000, 2) };
    let folder = fresh_folder("loading-killed");
    let strategy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../worlds/energy/strategy");
    fs::write(folder.join("mapping.toml"), MAPPING.replace("STRATEGY", strategy.to_str().unwrap())).unwrap();
    fs::write(folder.join("customers.csv"), customers(count)).unwrap();
    for kill in 1..=kills {
        let mut child = attent_import(&folder).stdout(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(250 * kill));
        child.kill().unwrap();
        child.wait().unwrap();
        drop(FjallStore::open(&folder.join("store"), &Options::default()).unwrap());
    }
    let done = attent_import(&folder).output().unwrap();
    assert_eq!(done.status.code(), Some(1), "some rows are rejected: {}", stdout(&done));
    let after_kills =
        known(&on(Arc::new(FjallStore::open(&folder.join("store"), &Options::default()).unwrap())), count);
    let once = on(Arc::new(MemoryStore::new()));
    import::run(&mapping(), &once.published().strategy, &folder, now(), Some(&once), &mut |_| {}).unwrap();
    let once = known(&once, count);
    let told = |state: &Option<CustomerState>| {
        state.as_ref().map(|state| {
            (state.customer.profile.clone(), state.customer.history.clone(), state.household.clone())
        })
    };
    assert!(after_kills.iter().map(told).eq(once.iter().map(told)));
}
