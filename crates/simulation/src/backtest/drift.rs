//! When did the world stop behaving as expected, and did the model catch up? The drift watch over every contact
//! that was really made, in order of time.

use super::{Backtest, Sent};
use insight::{
    drift::{Alarm, Columns, Notice, Recovery, Seen, Settings, Watch, population::Cell},
    quality::{Observed, Quality},
};
use learning::{FeatureValue, Features};
use serde::Serialize;
use std::collections::BTreeMap;

/// Contacts before a change that it is compared with, at most.
const BEFORE: usize = 1000;

/// What the watch found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drift {
    /// Contacts watched.
    pub watched: usize,
    /// Factor of the odds that is tolerated.
    pub tolerance: f64,
    /// Contacts between two false alarms, at least, on average.
    pub outcomes_per_false_alarm: f64,
    /// All contacts, by month.
    pub months: BTreeMap<String, Stretch>,
    /// Every alarm, in order of time.
    pub episodes: Vec<Episode>,
}

/// One alarm, and how well the model did around it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Episode {
    /// The alarm.
    pub alarm: Alarm,
    /// The day of the contact that gave it, in the organisation's time zone.
    pub day: String,
    /// The day on which the change most likely began.
    pub since: String,
    /// Contacts before the change.
    pub before: Stretch,
    /// From the change to the alarm.
    pub between: Stretch,
    /// When the model was right again, within the tolerance; `None`: not before the data end.
    pub recovery: Option<Recovery>,
    /// The day of that.
    pub right_on: Option<String>,
    /// The last contacts before it.
    pub after: Option<Stretch>,
}

/// How well the model did over some contacts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Stretch {
    /// Contacts.
    pub contacts: usize,
    /// Mean estimate.
    pub estimated: f64,
    /// Share that reached the goal.
    pub happened: f64,
    /// Log-loss, in nats.
    pub log_loss: f64,
    /// The log-loss of always saying the share that happened, which only hindsight knows.
    pub hindsight_log_loss: f64,
}

/// Watches every action's goal.
pub fn drift(backtest: &Backtest) -> Drift {
    let settings = Settings::default();
    let mut watch = Watch::new(settings);
    let mut streams: BTreeMap<&str, Vec<&Sent>> = BTreeMap::new();
    let mut months: BTreeMap<String, Vec<&Sent>> = BTreeMap::new();
    let mut episodes: Vec<Episode> = Vec::new();
    for sent in &backtest.sent {
        let action = sent.action.as_str();
        let stream = streams.entry(action).or_default();
        stream.push(sent);
        months.entry(backtest.day(sent.at)[..7].to_owned()).or_default().push(sent);
        let seen = Seen {
            at_ms: sent.at.as_millisecond(),
            estimated: sent.probability,
            happened: sent.answered,
            columns: columns(&sent.features),
        };
        match watch.observe(action, seen) {
            Some(Notice::Alarm(alarm)) => episodes.push(episode(alarm, stream, backtest)),
            Some(Notice::Recovery(recovery)) => {
                let open = episodes.iter_mut().rfind(|episode| episode.alarm.stream == action);
                if let Some(episode) = open {
                    let last = &stream[stream.len().saturating_sub(settings.right_over)..];
                    episode.after = Some(stretch(last));
                    episode.right_on = Some(backtest.day(sent.at));
                    episode.recovery = Some(recovery);
                }
            }
            None => {}
        }
    }
    Drift {
        watched: backtest.sent.len(),
        tolerance: settings.tolerance,
        outcomes_per_false_alarm: settings.outcomes_per_false_alarm,
        months: months.iter().map(|(month, sent)| (month.clone(), stretch(sent))).collect(),
        episodes,
    }
}

fn columns(features: &Features) -> Columns {
    let cell = |value: &FeatureValue| match value {
        FeatureValue::Number(number) => Cell::Number(*number),
        FeatureValue::Category(word) => Cell::Word(word.to_string()),
        FeatureValue::Flag(flag) => Cell::Word(if *flag { "yes" } else { "no" }.to_owned()),
    };
    features.iter().map(|feature| (feature.name.to_string(), cell(&feature.value))).collect()
}

/// The last of the stream gave the alarm.
fn episode(alarm: Alarm, stream: &[&Sent], backtest: &Backtest) -> Episode {
    let changed = stream.len().saturating_sub(usize::try_from(alarm.outcomes).unwrap_or(usize::MAX));
    let day = |position: usize| stream.get(position).map_or_else(String::new, |sent| backtest.day(sent.at));
    Episode {
        day: day(stream.len() - 1),
        since: day(changed),
        before: stretch(&stream[changed.saturating_sub(BEFORE)..changed]),
        between: stretch(&stream[changed..]),
        recovery: None,
        right_on: None,
        after: None,
        alarm,
    }
}

fn stretch(sent: &[&Sent]) -> Stretch {
    let observed: Vec<Observed> =
        sent.iter().map(|sent| Observed { probability: sent.probability, happened: sent.answered }).collect();
    let quality = Quality::of(&observed, 1);
    Stretch {
        contacts: quality.count,
        estimated: sent.iter().map(|sent| sent.probability).sum::<f64>() / sent.len().max(1) as f64,
        happened: quality.base_rate,
        log_loss: quality.log_loss,
        hindsight_log_loss: super::measure::entropy(quality.base_rate),
    }
}
