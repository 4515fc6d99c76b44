//! Does the world still behave as the model expects? A watch over the stream of estimates and what came of
//! them, per action and outcome, that raises an alarm when expectations are off for good, and says since
//! when and which inputs moved at that point.
//!
//! It holds what it needs and nothing else: ten numbers per stream and the last rows. It does not know why the
//! world changed, and it does not stop anything: the learner goes on adapting, whoever reads the alarm decides.

pub mod calibration;
pub mod population;

use calibration::{Detector, Found};
use population::{Cell, Moved};
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};

/// How sensitive a watch is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// The odds of what happens may be this factor above or below those estimated, for ever, without an
    /// alarm; above 1.
    pub tolerance: f64,
    /// While they are within that, at least this many outcomes pass on average before a false alarm, per
    /// stream, however often one looks; above 1.
    pub outcomes_per_false_alarm: f64,
    /// How many rows before and after the change are compared, at most.
    pub rows_kept: usize,
    /// After an alarm: over how many outcomes expectations have to be within the tolerance again, at least 1.
    pub right_over: usize,
}

impl Default for Settings {
    /// A quarter in the odds, a million outcomes, a thousand rows, right over five hundred.
    fn default() -> Self {
        Self { tolerance: 1.25, outcomes_per_false_alarm: 1e6, rows_kept: 1000, right_over: 500 }
    }
}

/// The named inputs of one estimate.
pub type Columns = BTreeMap<String, Cell>;

/// One estimate, made before, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// When it was estimated, in milliseconds since the epoch.
    pub at_ms: i64,
    /// Estimated probability, in [0, 1].
    pub estimated: f64,
    /// Whether it happened.
    pub happened: bool,
    /// What the estimate was made from.
    pub columns: Columns,
}

/// Expectations of one stream are off.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alarm {
    /// The action and outcome.
    pub stream: String,
    /// The moment of the estimate that gave the alarm, in milliseconds since the epoch.
    pub at_ms: i64,
    /// Where the change most likely began.
    pub since_ms: i64,
    /// Outcomes from there to the alarm: the detection delay.
    pub outcomes: u64,
    /// Mean estimate since then.
    pub estimated: f64,
    /// Share that happened since then.
    pub happened: f64,
    /// Position of the alarm in the stream, from 1.
    pub number: u64,
    /// Inputs whose distribution differs before and after, the most moved first.
    pub moved: Vec<Moved>,
}

/// Expectations of a stream are right again.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recovery {
    /// The action and outcome.
    pub stream: String,
    /// The moment of the estimate that showed it, in milliseconds since the epoch.
    pub at_ms: i64,
    /// Outcomes since the alarm.
    pub outcomes: u64,
    /// Mean estimate over the last of them.
    pub estimated: f64,
    /// Share of these that happened.
    pub happened: f64,
}

/// What a watch has to say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Notice {
    /// Expectations are off.
    Alarm(Alarm),
    /// They are right again; until then the stream gives no other alarm.
    Recovery(Recovery),
}

/// Watches any number of streams.
#[derive(Debug, Clone)]
pub struct Watch {
    settings: Settings,
    streams: BTreeMap<String, Stream>,
}

#[derive(Debug, Clone)]
struct Stream {
    detector: Detector,
    /// The last rows, the newest at the back.
    recent: VecDeque<Columns>,
    /// While expectations are off.
    alarmed: Option<Alarmed>,
}

/// What came since an alarm.
#[derive(Debug, Clone, Default)]
struct Alarmed {
    outcomes: u64,
    last: VecDeque<(f64, bool)>,
}

impl Alarmed {
    /// Mean estimate and share that happened over the last outcomes, once they are right.
    fn right(&mut self, seen: (f64, bool), settings: &Settings) -> Option<(f64, f64)> {
        self.outcomes += 1;
        self.last.push_back(seen);
        if self.last.len() > settings.right_over {
            self.last.pop_front();
        }
        if self.last.len() < settings.right_over {
            return None;
        }
        let count = self.last.len() as f64;
        let estimated = self.last.iter().map(|(estimated, _)| estimated).sum::<f64>() / count;
        let happened = self.last.iter().filter(|(_, happened)| *happened).count() as f64 / count;
        let odds = |share: f64| share / (1.0 - share);
        let factor = odds(happened) / odds(estimated);
        (1.0 / settings.tolerance..=settings.tolerance).contains(&factor).then_some((estimated, happened))
    }
}

impl Watch {
    /// Nothing seen yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, streams: BTreeMap::new() }
    }

    /// Takes in one outcome of a stream, in the order of the estimates. After an alarm the stream is watched for
    /// recovery, and then afresh.
    pub fn observe(&mut self, stream: &str, seen: Seen) -> Option<Notice> {
        let settings = &self.settings;
        if !self.streams.contains_key(stream) {
            let detector = Detector::new(settings);
            let fresh = Stream { detector, recent: VecDeque::new(), alarmed: None };
            self.streams.insert(stream.to_owned(), fresh);
        }
        let watched = self.streams.get_mut(stream)?;
        if watched.recent.len() == 2 * settings.rows_kept {
            watched.recent.pop_front();
        }
        watched.recent.push_back(seen.columns);
        let (stream, at_ms) = (stream.to_owned(), seen.at_ms);
        if let Some(alarmed) = &mut watched.alarmed {
            let (estimated, happened) = alarmed.right((seen.estimated, seen.happened), settings)?;
            let outcomes = alarmed.outcomes;
            watched.alarmed = None;
            return Some(Notice::Recovery(Recovery { stream, at_ms, outcomes, estimated, happened }));
        }
        let found = watched.detector.observe(at_ms, seen.estimated, seen.happened)?;
        watched.alarmed = Some(Alarmed::default());
        Some(Notice::Alarm(Alarm {
            stream,
            at_ms,
            since_ms: found.since_ms,
            outcomes: found.outcomes,
            estimated: found.estimated,
            happened: found.happened,
            number: found.number,
            moved: watched.moved(&found, settings.rows_kept),
        }))
    }
}

impl Stream {
    /// The inputs before and after the change, as far as they are kept.
    fn moved(&mut self, found: &Found, rows_kept: usize) -> Vec<Moved> {
        let after = usize::try_from(found.outcomes).unwrap_or(usize::MAX).min(self.recent.len());
        let rows = self.recent.make_contiguous();
        let (before, after) = rows.split_at(rows.len() - after);
        let before = &before[before.len().saturating_sub(rows_kept)..];
        population::moved(before, after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SplitMix64, to draw streams without a dependency.
    struct Draws(u64);

    impl Draws {
        fn uniform(&mut self) -> f64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut bits = self.0;
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
        }
    }

    fn shifted(estimated: f64, factor: f64) -> f64 {
        factor * estimated / (1.0 - estimated + factor * estimated)
    }

    /// Rows of a stream whose odds are `factor(row)` times the estimated ones; the alarms that they raise.
    fn alarms(settings: Settings, seed: u64, rows: i64, factor: &dyn Fn(i64) -> f64) -> Vec<Alarm> {
        let mut draws = Draws(seed);
        let mut watch = Watch::new(settings);
        let mut alarms = Vec::new();
        for at_ms in 0..rows {
            let estimated = 0.02 + 0.2 * draws.uniform();
            let happened = draws.uniform() < shifted(estimated, factor(at_ms));
            let rate = draws.uniform() + if factor(at_ms) > 2.0 { 1.0 } else { 0.0 };
            let columns = Columns::from([
                ("rate".into(), Cell::Number(rate)),
                ("colour".into(), Cell::Word(if draws.uniform() < 0.3 { "red" } else { "blue" }.into())),
            ]);
            let seen = Seen { at_ms, estimated, happened, columns };
            if let Some(Notice::Alarm(alarm)) = watch.observe("sale: goal", seen) {
                alarms.push(alarm);
            }
        }
        alarms
    }

    fn seeds(count: u64) -> u64 {
        if std::env::var_os("ATTENT_NIGHTLY").is_some() { count * 10 } else { count }
    }

    #[test]
    fn a_calibrated_stream_gives_no_alarm_in_any_of_two_hundred_histories() {
        let false_alarms: usize =
            (0..seeds(200)).map(|seed| alarms(Settings::default(), seed, 2000, &|_| 1.0).len()).sum();
        assert_eq!(false_alarms, 0, "the bound is 2,000 in a million for each history");
    }

    #[test]
    fn at_the_edge_of_tolerance_false_alarms_stay_below_the_stated_rate() {
        let settings = Settings { outcomes_per_false_alarm: 2000.0, ..Settings::default() };
        let histories = seeds(400);
        let alarmed =
            (0..histories).filter(|&seed| !alarms(settings, seed, 400, &|_| settings.tolerance).is_empty());
        let share = alarmed.count() as f64 / histories as f64;
        assert!(share <= 400.0 / 2000.0, "{share}");
        assert!(share > 0.0, "the bound would be tested by nothing");
    }

    #[test]
    fn a_step_in_the_odds_is_noticed_soon_dated_well_and_its_input_named() {
        let step = |row| if row < 1000 { 1.0 } else { 4.0 };
        let mut delays = Vec::new();
        for seed in 0..seeds(50) {
            let alarms = alarms(Settings::default(), seed, 1500, &step);
            let first = alarms.first().expect("an alarm");
            assert!(first.at_ms >= 1000, "seed {seed}: a false alarm at {}", first.at_ms);
            assert!((900..1100).contains(&first.since_ms), "seed {seed}: since {}", first.since_ms);
            assert!(first.happened > 2.0 * first.estimated, "{first:?}");
            assert_eq!(first.moved[0].column, "rate", "{first:?}");
            assert!(first.moved.iter().all(|moved| moved.column != "colour"), "{first:?}");
            delays.push(first.at_ms - 1000);
        }
        delays.sort_unstable();
        let median = delays[delays.len() / 2];
        println!("odds times 4: noticed after {median} outcomes (median), {:?} at most", delays.last());
        assert!(median <= 100, "{delays:?}");
    }

    #[test]
    fn a_rate_that_falls_is_noticed_too() {
        let fall = |row| if row < 1000 { 1.0 } else { 0.25 };
        let alarms = alarms(Settings::default(), 7, 3000, &fall);
        assert!(alarms[0].at_ms > 1000 && alarms[0].happened < alarms[0].estimated, "{alarms:?}");
    }

    #[test]
    fn one_change_gives_one_alarm_until_the_model_has_caught_up() {
        let mut draws = Draws(3);
        let mut watch = Watch::new(Settings::default());
        let mut notices = Vec::new();
        for at_ms in 0..5000 {
            let (truth, estimated) = match at_ms {
                0..1000 => (0.1, 0.1),
                1000..2000 => (0.3, 0.1),
                2000..4000 => (0.3, 0.3),
                _ => (0.1, 0.3),
            };
            let seen = Seen { at_ms, estimated, happened: draws.uniform() < truth, columns: Columns::new() };
            notices.extend(watch.observe("sale: goal", seen));
        }
        let [Notice::Alarm(first), Notice::Recovery(right), Notice::Alarm(second)] = &notices[..] else {
            panic!("{notices:?}");
        };
        assert!(first.at_ms >= 1000 && (2000..2600).contains(&right.at_ms), "{notices:?}");
        assert!(second.at_ms >= 4000 && second.happened < second.estimated, "{notices:?}");
        assert_eq!(right.outcomes, (right.at_ms - first.at_ms).unsigned_abs());
    }

    #[test]
    fn streams_are_watched_apart() {
        let mut watch = Watch::new(Settings::default());
        let seen = |happened| Seen { at_ms: 0, estimated: 0.5, happened, columns: Columns::new() };
        let mut raised = 0;
        for row in 0..200 {
            raised += usize::from(watch.observe("always", seen(true)).is_some());
            assert_eq!(watch.observe("even", seen(row % 2 == 0)), None);
        }
        assert!(raised > 0);
    }
}
