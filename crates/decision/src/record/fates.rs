//! How are a hundred fates written in a few hundred bytes? One byte for which candidate, one for what
//! became of it, and then only what differs.

use crate::{
    Timestamp,
    candidate::{CandidateFate, Dropped, Fate, PassedOver},
    consent::Withheld,
    rules::{ClauseIndex, Layer},
};
use jiff::fmt::serde::timestamp::millisecond::required as ms;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// From this distance on, the number of an action is not near the one before.
const FAR: u64 = 3;

/// Distance to the action before and the placement in one number, then the fate.
#[derive(Serialize, Deserialize)]
struct Written(u64, WrittenFate);

/// A priority in three bytes: the upper part of a single-precision number.
type WrittenPriority = [u8; 3];

#[derive(Serialize, Deserialize)]
enum WrittenFate {
    NoBasis(Withheld),
    NotPublishedNow,
    VolumeUsedUp,
    TextUnknown,
    NotEligible(ClauseIndex),
    EligibleUnknown(ClauseIndex),
    NotApplicable(ClauseIndex),
    ApplicableUnknown(ClauseIndex),
    NotSuitable(ClauseIndex),
    SuitableUnknown(ClauseIndex),
    Vetoed(u16),
    VetoedUnknown(u16),
    Permission(u16, Withheld),
    QuietHours,
    GoalReached(#[serde(with = "ms")] Timestamp),
    Rejected(#[serde(with = "ms")] Timestamp),
    Paused(u16, #[serde(with = "ms")] Timestamp),
    ComplaintOpen(#[serde(with = "ms")] Timestamp),
    Limit(u16, u32, #[serde(with = "ms")] Timestamp),
    ValueUnknown,
    BelowFloor(f32, f32),
    ControlGroup,
    PassedOver(PassedOver, WrittenPriority),
    Chosen(u16, WrittenPriority),
    LeftOut(u16),
    AnswerKnown,
    AskedBefore(#[serde(with = "ms")] Timestamp),
}

/// The nearest priority that can be written down, to about one part in fifty thousand.
pub fn rounded(priority: f64) -> f32 {
    read_priority(write_priority(priority as f32))
}

fn write_priority(priority: f32) -> WrittenPriority {
    let [_, low, middle, high] = priority.to_bits().saturating_add(0x80).to_le_bytes();
    [low, middle, high]
}

fn read_priority([low, middle, high]: WrittenPriority) -> f32 {
    f32::from_le_bytes([0, low, middle, high])
}

fn write(fate: &Fate) -> WrittenFate {
    use WrittenFate as W;
    match *fate {
        Fate::PassedOver { why, priority } => W::PassedOver(why, write_priority(priority)),
        Fate::Chosen { slot, priority } => W::Chosen(slot, write_priority(priority)),
        Fate::Dropped(dropped) => match dropped {
            Dropped::NoBasis(why) => W::NoBasis(why),
            Dropped::NotPublishedNow => W::NotPublishedNow,
            Dropped::VolumeUsedUp => W::VolumeUsedUp,
            Dropped::LeftOut { experiment } => W::LeftOut(experiment),
            Dropped::TextUnknown => W::TextUnknown,
            Dropped::Rule { layer, clause, unknown } => match (layer, unknown) {
                (Layer::Eligibility, false) => W::NotEligible(clause),
                (Layer::Eligibility, true) => W::EligibleUnknown(clause),
                (Layer::Applicability, false) => W::NotApplicable(clause),
                (Layer::Applicability, true) => W::ApplicableUnknown(clause),
                (Layer::Suitability, false) => W::NotSuitable(clause),
                (Layer::Suitability, true) => W::SuitableUnknown(clause),
            },
            Dropped::Principle { principle, unknown: false } => W::Vetoed(principle),
            Dropped::Principle { principle, unknown: true } => W::VetoedUnknown(principle),
            Dropped::Permission { permission, why } => W::Permission(permission, why),
            Dropped::QuietHours => W::QuietHours,
            Dropped::GoalReached { at } => W::GoalReached(at),
            Dropped::AnswerKnown => W::AnswerKnown,
            Dropped::AskedBefore { until } => W::AskedBefore(until),
            Dropped::Paused { pause: None, until } => W::Rejected(until),
            Dropped::Paused { pause: Some(pause), until } => W::Paused(pause, until),
            Dropped::ComplaintOpen { since } => W::ComplaintOpen(since),
            Dropped::Limit { limit, counted, until } => W::Limit(limit, counted, until),
            Dropped::ValueUnknown => W::ValueUnknown,
            Dropped::BelowFloor { expected, floor } => W::BelowFloor(expected, floor),
            Dropped::ControlGroup => W::ControlGroup,
        },
    }
}

fn read(written: &WrittenFate) -> Fate {
    use WrittenFate as W;
    let rule = |layer, clause, unknown| Dropped::Rule { layer, clause, unknown };
    Fate::Dropped(match *written {
        W::PassedOver(why, priority) => {
            return Fate::PassedOver { why, priority: read_priority(priority) };
        }
        W::Chosen(slot, priority) => {
            return Fate::Chosen { slot, priority: read_priority(priority) };
        }
        W::NoBasis(why) => Dropped::NoBasis(why),
        W::NotPublishedNow => Dropped::NotPublishedNow,
        W::VolumeUsedUp => Dropped::VolumeUsedUp,
        W::LeftOut(experiment) => Dropped::LeftOut { experiment },
        W::TextUnknown => Dropped::TextUnknown,
        W::NotEligible(clause) => rule(Layer::Eligibility, clause, false),
        W::EligibleUnknown(clause) => rule(Layer::Eligibility, clause, true),
        W::NotApplicable(clause) => rule(Layer::Applicability, clause, false),
        W::ApplicableUnknown(clause) => rule(Layer::Applicability, clause, true),
        W::NotSuitable(clause) => rule(Layer::Suitability, clause, false),
        W::SuitableUnknown(clause) => rule(Layer::Suitability, clause, true),
        W::Vetoed(principle) => Dropped::Principle { principle, unknown: false },
        W::VetoedUnknown(principle) => Dropped::Principle { principle, unknown: true },
        W::Permission(permission, why) => Dropped::Permission { permission, why },
        W::QuietHours => Dropped::QuietHours,
        W::GoalReached(at) => Dropped::GoalReached { at },
        W::AnswerKnown => Dropped::AnswerKnown,
        W::AskedBefore(until) => Dropped::AskedBefore { until },
        W::Rejected(until) => Dropped::Paused { pause: None, until },
        W::Paused(pause, until) => Dropped::Paused { pause: Some(pause), until },
        W::ComplaintOpen(since) => Dropped::ComplaintOpen { since },
        W::Limit(limit, counted, until) => Dropped::Limit { limit, counted, until },
        W::ValueUnknown => Dropped::ValueUnknown,
        W::BelowFloor(expected, floor) => Dropped::BelowFloor { expected, floor },
        W::ControlGroup => Dropped::ControlGroup,
    })
}

pub(crate) fn serialize<S: Serializer>(fates: &[CandidateFate], serializer: S) -> Result<S::Ok, S::Error> {
    let mut before = 0;
    serializer.collect_seq(fates.iter().map(|candidate| {
        let distance = u64::from(candidate.action.wrapping_sub(before));
        before = candidate.action;
        Written(place(distance, candidate.placement), write(&candidate.fate))
    }))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<CandidateFate>, D::Error> {
    let written = Vec::<Written>::deserialize(deserializer)?;
    let mut before: u16 = 0;
    let fates = written.iter().map(|Written(place, fate)| {
        let (distance, placement) = unplace(*place);
        before = before.wrapping_add(distance);
        CandidateFate { action: before, placement, fate: read(fate) }
    });
    Ok(fates.collect())
}

/// Near actions take the lowest numbers; all others are kept in full above them.
fn place(distance: u64, placement: u16) -> u64 {
    let placement = u64::from(placement);
    if distance < FAR { placement << 2 | distance } else { (distance << 16 | placement) << 2 | FAR }
}

fn unplace(place: u64) -> (u16, u16) {
    let rest = place >> 2;
    match place & FAR {
        FAR => ((rest >> 16) as u16, rest as u16),
        distance => (distance as u16, rest as u16),
    }
}

/// Fates on their own, as they are written.
pub(crate) struct Bare<'a>(pub &'a [CandidateFate]);

impl Serialize for Bare<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(self.0, serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_reads_back_and_a_near_one_takes_a_byte() {
        for distance in [0, 1, 2, 3, 4, 500, 65_535] {
            for placement in [0, 1, 31, 32, 65_535] {
                assert_eq!(unplace(place(u64::from(distance), placement)), (distance, placement));
            }
        }
        assert!(place(2, 31) < 128);
    }

    #[test]
    fn a_rounded_priority_stays_close_and_rounds_to_itself() {
        for priority in [0.0, -0.5, 23.822, 1234.5678, 1e-9, -1e9] {
            let once = rounded(priority);
            assert!((f64::from(once) - priority).abs() <= 2e-5 * priority.abs(), "{once} for {priority}");
            assert_eq!(rounded(f64::from(once)), once);
        }
    }
}
