//! Is a harmful lever found, a useful action seen, and nothing seen where there is nothing? Worlds whose truth is
//! planted by a seed; the code under test sees the store alone.

mod world;

use decision::{Timestamp, strategy::load};
use insight::interval::Interval;
use simulation::hindsight::{Layer, Plan, Verdict, Yardstick, layers, value};
use world::{Effect, Lived, OFFERS, Worth, files, live};

fn plan(lived: &Lived) -> Plan {
    Plan { since: Timestamp::UNIX_EPOCH, until: lived.until, yardstick: Yardstick::Decided }
}

/// How often something was so.
#[derive(Debug, Default)]
struct Share {
    so: u32,
    of: u32,
}

impl Share {
    fn note(&mut self, so: bool) {
        self.so += u32::from(so);
        self.of += 1;
    }

    fn share(&self) -> f64 {
        f64::from(self.so) / f64::from(self.of.max(1))
    }
}

#[derive(Debug, Default)]
struct Found {
    harmful: Share,
    useful: Share,
    false_alarms: Share,
    held: Share,
}

fn holds(interval: &Interval, truth: f64) -> bool {
    interval.low - 1e-9 <= truth && truth <= interval.high + 1e-9
}

fn value_every_lever(lived: &Lived, found: &mut Found) {
    for pushed in 0..OFFERS.len() {
        let other = load(&files(Some(pushed))).expect("the strategy checks").strategy;
        let hindsight = value(&lived.engine, plan(lived), &other, &mut |_| {}).expect("the store reads");
        let verdict = hindsight.verdict;
        match lived.effects[pushed] {
            Effect::Harm => found.harmful.note(verdict == Verdict::Worse),
            Effect::Good => found.useful.note(verdict == Verdict::Better),
            Effect::Nothing => {
                found.false_alarms.note(matches!(verdict, Verdict::Better | Verdict::Worse));
            }
        }
        let (then, other): (&Worth, &Worth) = (&lived.then, &lived.with_lever[pushed]);
        for (ledger, line) in hindsight.ledgers.iter().enumerate() {
            found.held.note(holds(&line.then, then[ledger]));
            found.held.note(holds(&line.other, other[ledger]));
            found.held.note(holds(&line.difference, other[ledger] - then[ledger]));
        }
    }
}

#[test]
fn harmful_levers_and_useful_actions_are_found_and_nothing_where_there_is_nothing() {
    let nightly = std::env::var_os("ATTENT_NIGHTLY").is_some();
    let mut found = Found::default();
    for seed in 1..=if nightly { 60 } else { 1 } {
        value_every_lever(&live(seed, &[]), &mut found);
    }
    let told = [found.harmful.share(), found.useful.share(), found.false_alarms.share(), found.held.share()];
    eprintln!("harmful found, useful found, false alarms, intervals that hold the truth: {told:?} {found:?}");
    assert!(found.harmful.share() >= 0.9 && found.useful.share() >= 0.9, "{found:?}");
    assert!(found.false_alarms.share() <= 0.05, "{found:?}");
    let held = if nightly { 0.93..=0.97 } else { 0.85..=1.0 };
    assert!(held.contains(&found.held.share()), "{found:?}");
}

#[test]
fn the_worth_of_each_layer_is_told_from_the_log_as_it_truly_is() {
    let seeds: u64 = if std::env::var_os("ATTENT_NIGHTLY").is_some() { 30 } else { 1 };
    let assignments = Layer::ALL.map(Layer::assignment);
    let mut held = Share::default();
    for seed in 1..=seeds {
        let lived = live(1_000 + seed, &assignments);
        let told = layers(&lived.engine, plan(&lived), &mut |_| {}).expect("the store reads");
        let random = lived.layers[0][2];
        for (line, truth) in told.lines.iter().zip(&lived.layers) {
            held.note(holds(&line.worth, truth[2]));
            held.note(holds(&line.over_random, truth[2] - random));
        }
        if seed == 1 {
            eprintln!("{told}\ntrue worth: {:?}", lived.layers);
        }
    }
    eprintln!("intervals that hold the truth: {held:?}");
    assert!(held.share() >= if seeds > 1 { 0.92 } else { 0.8 }, "{held:?}");
}

#[test]
fn the_report_says_who_loses_how_much_is_said_and_what_was_left_out() {
    let lived = live(1, &[]);
    let harmful = lived.effects.iter().position(|effect| *effect == Effect::Harm).expect("one does harm");
    let other = load(&files(Some(harmful))).expect("the strategy checks").strategy;
    let found = value(&lived.engine, plan(&lived), &other, &mut |_| {}).expect("the store reads");
    let pushed = found.volumes.iter().find(|line| line.action.ends_with(&format!("/{}", OFFERS[harmful])));
    let pushed = pushed.expect("it was said");
    assert!(pushed.said[1] > pushed.said[0] && pushed.reach[1] >= pushed.reach[0], "{pushed:?}");
    assert!(pushed.reach[1] <= pushed.said[1] && found.changed > 0.0, "{pushed:?}");
    assert!(found.left_out.control_group > 0 && found.missing.attributes.is_empty());
    let loses = |value: &str| {
        found.groups.iter().any(|group| group.value == value && group.verdict == Verdict::Worse)
    };
    let audience = ["red", "green", "blue"][harmful / 2];
    let others = ["red", "green", "blue"].into_iter().filter(|other| *other != audience);
    assert!(loses(audience) && !others.clone().any(loses), "{:?}", found.groups);
    assert!(found.to_string().contains("worse"), "{found}");
}

#[test]
fn the_same_strategy_changes_nothing_and_a_new_action_is_not_judged() {
    let lived = live(2, &[]);
    let same = load(&files(None)).expect("the strategy checks").strategy;
    let found = value(&lived.engine, plan(&lived), &same, &mut |_| {}).expect("the store reads");
    assert_eq!(found.verdict, Verdict::Same);
    assert!(found.ledgers.iter().all(|line| line.difference.low == 0.0 && line.difference.high == 0.0));
    let mut with_new = files(None);
    let text = with_new.0["actions/sales/ones/one.toml"].replace("prior = 0.1", "prior = 0.5");
    with_new.0.insert("actions/sales/sevens/seven.toml".into(), text);
    let with_new = load(&with_new).expect("the strategy checks").strategy;
    let found = value(&lived.engine, plan(&lived), &with_new, &mut |_| {}).expect("the store reads");
    assert!(matches!(found.verdict, Verdict::TooLittle(_)), "{:?}", found.verdict);
    assert!(found.to_string().contains("had no chance so far"), "{found}");
}
