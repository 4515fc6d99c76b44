//! Two more real datasets, imported by mapping files alone: calls that drift, and a randomised e-mail test.

use crate::retailer::{read, repository, write_rows};
use decision::strategy::Files;
use engine::{Engine, Identifier, storage::MemoryStore};
use learning::Predictor;
use simulation::{
    backtest::{self, Backtest, Measured, measure, text},
    import::{self, Gathered, Mapping},
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Whether whole files are read; some rows otherwise.
fn nightly() -> bool {
    std::env::var_os("ATTENT_NIGHTLY").is_some()
}

/// A world, and a folder with its file: whole at night, every `step`th row otherwise.
struct World {
    name: &'static str,
    data: tempfile::TempDir,
}

impl World {
    fn of(name: &'static str, folder: &str, file: &str, delimiter: u8, step: usize) -> Option<Self> {
        let from = repository().join("../shared/data").join(folder).join(file);
        if !from.is_file() {
            eprintln!("skipped: there is no `{}`", from.display());
            return None;
        }
        let data = tempfile::tempdir().unwrap();
        let into = data.path().join(file);
        match nightly() {
            true => drop(fs::copy(&from, &into).unwrap()),
            false => some_rows(&from, &into, delimiter, step),
        }
        Some(Self { name, data })
    }

    fn calls() -> Option<Self> {
        Self::of("bank-calls", "bank-marketing", "bank-additional-first80.csv.gz", b';', 4)
    }

    fn mails() -> Option<Self> {
        Self::of("mail-test", "hillstrom-email", "hillstrom-half-a.csv.gz", b',', 2)
    }

    fn folder(&self) -> PathBuf {
        repository().join("worlds").join(self.name)
    }

    fn mapping(&self) -> Mapping {
        Mapping::parse(&fs::read_to_string(self.folder().join("mapping.toml")).unwrap()).unwrap()
    }

    fn engine(&self) -> Engine {
        let mut files = Files::default();
        read(&self.folder().join("strategy"), "", &mut files);
        Engine::open(Arc::new(MemoryStore::new()), &files, [7; 32]).unwrap()
    }

    fn gather(&self, engine: &Engine) -> Gathered {
        let mapping = self.mapping();
        let strategy = &engine.published().strategy;
        assert_eq!(import::problems(&mapping, strategy), [""; 0]);
        let now = "2030-01-01T00:00:00Z".parse().unwrap();
        let gathered = import::gather(&mapping, strategy, self.data.path(), now, &mut |_| {}).unwrap();
        assert_eq!(gathered.tally.rejects, []);
        gathered
    }

    fn backtest(&self) -> (Backtest, Measured) {
        let engine = self.engine();
        let mut gathered = self.gather(&engine);
        let done = backtest::run(&mut gathered, &self.mapping(), &engine, &mut |_, _| {}, &mut |_, _| {});
        let done = done.unwrap();
        let measured = measure(&done);
        println!("{}", text(&measured));
        (done, measured)
    }
}

/// Blocks of rows, so that what stands together stays together.
fn some_rows(from: &Path, into: &Path, delimiter: u8, step: usize) {
    let reader = flate2::read::GzDecoder::new(fs::File::open(from).unwrap());
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).from_reader(reader);
    let rows = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<_>>());
    let kept: Vec<Vec<String>> = rows
        .enumerate()
        .filter(|(number, _)| *number == 0 || number % step == 1)
        .map(|(_, row)| row)
        .collect();
    write_rows(into, delimiter, &kept);
}

#[test]
fn calls_without_dates_and_customers_get_them_from_the_order_of_the_rows() {
    let Some(world) = World::calls() else { return };
    let gathered = world.gather(&world.engine());
    let clients = gathered.tally.sources["clients"].events;
    assert_eq!(gathered.tally.sources["calls"].contacts, clients);
    assert!(gathered.tally.sources["answers"].outcomes * 10 < clients);
    assert!(gathered.tally.unknown["days_since_last_campaign"]["the mapping: \"999\""] * 10 > clients * 9);
    let days: Vec<String> = gathered.items.iter().map(|item| item.at.to_string()[..7].to_owned()).collect();
    assert_eq!((days[0].as_str(), days.last().unwrap().as_str()), ("2008-05", "2009-05"));
    assert!(!days.contains(&"2008-09".to_owned()), "nobody was called in September");
    let columns = fs::read_to_string(world.folder().join("mapping.toml")).unwrap();
    assert!(!columns.contains("= \"duration\"") && !columns.contains("= \"default\""));
}

#[test]
fn an_alarm_fires_when_the_world_of_the_calls_changes_and_the_model_catches_up() {
    let Some(world) = World::calls() else { return };
    let (_, measured) = world.backtest();
    let alarms = &measured.drift.episodes;
    let crisis = alarms.iter().find(|episode| ("2008-10".."2009-05").contains(&episode.day.as_str()));
    let crisis = crisis.expect("an alarm in the crisis");
    assert!(crisis.between.log_loss > 1.5 * crisis.between.hindsight_log_loss, "{crisis:?}");
    assert!(crisis.alarm.moved.iter().any(|moved| moved.column.starts_with("context.")), "{crisis:?}");
    assert!(
        alarms.iter().all(|episode| episode.day.as_str() > "2008-07"),
        "May to July were calm: {alarms:?}"
    );
    let caught_up = alarms.iter().filter_map(|episode| episode.after).collect::<Vec<_>>();
    assert!(!caught_up.is_empty());
    for after in caught_up {
        assert!((after.estimated - after.happened).abs() < 0.06, "{after:?}");
    }
    assert!(measured.worth.is_none(), "nobody knows why these clients were called");
    assert!(text(&measured).contains("ALARM 200"));
    assert!(text(&measured).contains("no value of\na policy is estimated"));
}

#[test]
fn the_probability_of_the_test_is_kept_with_every_mail_and_every_silence() {
    let Some(world) = World::mails() else { return };
    let engine = world.engine();
    let mut gathered = world.gather(&engine);
    gathered.items.truncate(3_000);
    let mapping = world.mapping();
    import::store(&mut gathered, &mapping, &engine, &mut |_, _| {}).unwrap();
    let (mut mails, mut silences) = (0, 0);
    for item in &gathered.items {
        let (identifiers, id): (&[Identifier], &str) = match &item.happened {
            import::Happened::Contact(contact) => {
                mails += 1;
                (&contact.identifiers, &contact.id)
            }
            import::Happened::Silence(silence) => {
                silences += 1;
                (&silence.identifiers, &silence.id)
            }
            _ => continue,
        };
        assert_eq!(engine.recorded_probability(identifiers, id).unwrap(), Some(1.0 / 3.0));
    }
    assert!(mails > silences && silences > 0, "{mails} and {silences}");
}

#[test]
fn silence_teaches_what_happens_anyway() {
    let Some(world) = World::mails() else { return };
    let engine = world.engine();
    let mut gathered = world.gather(&engine);
    import::store(&mut gathered, &world.mapping(), &engine, &mut |_, _| {}).unwrap();
    engine.learn("2009-06-01T00:00:00Z".parse().unwrap()).unwrap();
    let contact = gathered.items.iter().rev().find_map(|item| match &item.happened {
        import::Happened::Contact(contact) => Some(contact),
        _ => None,
    });
    let contact = contact.unwrap();
    let at = "2009-06-01T00:00:00Z".parse().unwrap();
    let outlook =
        engine.outlook(&contact.identifiers, &contact.action, &contact.request, at).unwrap().unwrap();
    let predicted = engine.model().expect(&outlook.features, outlook.arm());
    let baseline = predicted.baseline.expect("silence was learned from");
    assert!((0.03..0.3).contains(&baseline) && baseline < predicted.probability, "{predicted:?}");
}

#[test]
fn where_chance_chose_policies_are_valued_and_the_arms_come_out_as_they_were() {
    let Some(world) = World::mails() else { return };
    let (backtest, measured) = world.backtest();
    let worth = measured.worth.as_ref().expect("the probabilities are known");
    let goal = |name: &str| worth.policies.iter().find(|policy| policy.name == name).unwrap().goal;
    let scored: Vec<_> = backtest.drawn.iter().filter(|drawn| drawn.scored).collect();
    let share = |done: Option<&str>| {
        let arm: Vec<_> =
            scored.iter().filter(|drawn| drawn.done.as_ref().map(|action| action.as_str()) == done).collect();
        arm.iter().filter(|drawn| drawn.answered).count() as f64 / arm.len() as f64
    };
    for (name, done) in [
        ("always silent", None),
        ("always invitation/clothes/mens", Some("invitation/clothes/mens")),
        ("always invitation/clothes/womens", Some("invitation/clothes/womens")),
    ] {
        let (valued, counted) = (goal(name), share(done));
        assert!(valued.low < counted && counted < valued.high, "{name}: {valued:?}, counted {counted}");
    }
    assert!(worth.ours_over_silence.low > 0.0, "{worth:?}");
    assert!(text(&measured).contains("as we would have decided"));
    assert!(!text(&measured).contains("probabilities are recorded as unknown"));
}
