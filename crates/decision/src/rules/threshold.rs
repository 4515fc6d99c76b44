//! Where along one number or moment does a condition change? Finds the nearest place on either side
//! of the present value, by probing outward and halving, and rounds it a little so that people can read it.

use crate::{Timestamp, value::Value};

/// A line on which values lie: numbers as they are, moments in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    Number,
    Time,
}

/// Share of the way to the threshold by which a rounded value may pass it. Below 1, so that half of
/// the way never passes.
const OVERSHOOT: f64 = 0.01;
const HALVINGS_MAX: usize = 256;
/// A number on its threshold moves by this share of itself, or of 1 when it is smaller: there is no
/// smallest amount past it.
const BORDER: f64 = 1e-10;

impl Axis {
    /// Where a value lies; `None` for a value of another type.
    pub fn position(self, value: &Value) -> Option<f64> {
        match (self, value) {
            (Self::Number, Value::Number(number)) => Some(*number),
            (Self::Time, Value::Time(moment)) => Some(moment.as_millisecond() as f64 / 1000.0),
            _ => None,
        }
    }

    /// The value at a position, moments to the millisecond; `None` outside what can be represented.
    pub fn value(self, position: f64) -> Option<Value> {
        match self {
            Self::Number => Value::number(position),
            Self::Time => {
                Timestamp::from_millisecond((position * 1000.0).round() as i64).ok().map(Value::Time)
            }
        }
    }

    /// Where to begin when the present value is not known.
    pub fn origin(self, now: Timestamp) -> f64 {
        match self {
            Self::Number => 0.0,
            Self::Time => now.as_second() as f64,
        }
    }

    /// How near to its threshold a value is on it; moments are never, as they go by the millisecond.
    fn border(self, start: f64) -> f64 {
        match self {
            Self::Number => start.abs().max(1.0) * BORDER,
            Self::Time => 0.0,
        }
    }

    /// Distances to probe at.
    fn distances(self, start: f64) -> impl Iterator<Item = f64> {
        let (unit, doublings) = match self {
            Self::Number => (start.abs().max(1.0) / 1024.0, 70),
            Self::Time => (1.0, 33),
        };
        (0..doublings).scan(unit, |distance, _| {
            let this = *distance;
            *distance *= 2.0;
            Some(this)
        })
    }

    /// Steps that people find round, the roundest first, as fractions.
    fn steps(self) -> &'static [(f64, f64)] {
        match self {
            Self::Number => &[
                (1e6, 1.0),
                (1e5, 1.0),
                (1e4, 1.0),
                (1e3, 1.0),
                (1e2, 1.0),
                (1e1, 1.0),
                (1.0, 1.0),
                (1.0, 1e1),
                (1.0, 1e2),
                (1.0, 1e3),
                (1.0, 1e4),
                (1.0, 1e5),
                (1.0, 1e6),
            ],
            Self::Time => &[(86_400.0, 1.0), (3_600.0, 1.0), (60.0, 1.0), (1.0, 1.0)],
        }
    }
}

/// Positions just past the nearest change of `truth` below and above `start`. `landmarks` are
/// positions worth probing; `balance` is 0 where the two sides of a comparison are equal.
pub(super) fn crossings(
    axis: Axis,
    start: f64,
    landmarks: &[f64],
    truth: &dyn Fn(f64) -> Option<bool>,
    balance: &dyn Fn(f64) -> Option<f64>,
) -> Vec<f64> {
    let present = truth(start);
    let equal = equality(start, balance);
    let mut found = Vec::new();
    for direction in [-1.0, 1.0] {
        let mut probes: Vec<f64> = axis
            .distances(start)
            .map(|distance| start + direction * distance)
            .chain(landmarks.iter().copied().chain(equal))
            .filter(|probe| (probe - start) * direction > 0.0)
            .collect();
        probes.sort_by(|one, other| (one - start).abs().total_cmp(&(other - start).abs()));
        let mut near = start;
        for probe in probes {
            match truth(probe) {
                Some(other) if Some(other) != present => {
                    let reaches = |position: f64| truth(position) == Some(other);
                    let threshold = halve(near, probe, &reaches);
                    let beyond = start + direction * axis.border(start);
                    let on_border = (threshold - start).abs() <= (beyond - start).abs();
                    found.push(match on_border && reaches(beyond) {
                        true => beyond,
                        false => rounded(axis, start, threshold, &reaches),
                    });
                    break;
                }
                _ => near = probe,
            }
        }
    }
    found
}

/// Where a straight line through two points of `balance` is 0.
fn equality(start: f64, balance: &dyn Fn(f64) -> Option<f64>) -> Option<f64> {
    let width = start.abs().max(1.0);
    let (here, there) = (balance(start)?, balance(start + width)?);
    let root = start - here * width / (there - here);
    root.is_finite().then_some(root)
}

/// The last position before `near` at which `reaches` still holds, coming from `far`.
fn halve(near: f64, far: f64, reaches: &dyn Fn(f64) -> bool) -> f64 {
    let (mut near, mut far) = (near, far);
    for _ in 0..HALVINGS_MAX {
        let middle = near + (far - near) / 2.0;
        if middle == near || middle == far {
            break;
        }
        if reaches(middle) { far = middle } else { near = middle }
    }
    far
}

/// The roundest position at most a little past the threshold.
fn rounded(axis: Axis, start: f64, threshold: f64, reaches: &dyn Fn(f64) -> bool) -> f64 {
    let way = threshold - start;
    let latest = threshold + way * OVERSHOOT;
    axis.steps()
        .iter()
        .map(|(step, parts)| {
            let count = threshold / step * parts;
            let away = if way > 0.0 { count.ceil() } else { count.floor() };
            away * step / parts
        })
        .find(|position| {
            (position - latest) * way <= 0.0 && (position - start) * way > 0.0 && reaches(*position)
        })
        .unwrap_or(threshold)
}
