//! What time is it? Whatever the dice say: seconds, hours, days, the edge of a month or of summer time,
//! and now and then a small step back.

use super::dice::Dice;
use decision::Timestamp;

/// Moments that programs get wrong: both changes of summer time in Amsterdam, leap day, ends of months.
const EDGES: [&str; 6] = [
    "2028-02-28T22:59:59.999Z",
    "2028-02-29T23:00:00Z",
    "2028-03-26T00:59:59.999Z",
    "2028-04-30T21:59:59.999Z",
    "2028-10-29T00:59:59.999Z",
    "2028-12-31T22:59:59.999Z",
];
const STARTS: [&str; 3] = ["2028-02-20T09:00:00Z", "2028-03-20T09:00:00Z", "2028-10-20T09:00:00Z"];

const SECOND_MS: i64 = 1_000;
const HOUR_MS: i64 = 3_600 * SECOND_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A clock without hands.
#[derive(Debug)]
pub struct Clock {
    now_ms: i64,
}

impl Clock {
    /// Starts at one of a few moments.
    pub fn new(dice: &mut Dice) -> Self {
        let start = dice.pick(&STARTS).expect("there are starts");
        Self { now_ms: moment(start).as_millisecond() }
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now_ms).expect("simulated time stays within range")
    }

    /// Lets some time pass.
    pub fn pass(&mut self, dice: &mut Dice) {
        let up_to = |dice: &mut Dice, most_ms: i64| dice.below(most_ms as usize) as i64;
        self.now_ms += match dice.below(100) {
            0..50 => up_to(dice, 120 * SECOND_MS),
            50..86 => up_to(dice, 12 * HOUR_MS),
            86..94 => up_to(dice, 5 * DAY_MS),
            94..96 => self.next_edge_ms().map_or(DAY_MS, |edge_ms| edge_ms - self.now_ms),
            _ => -up_to(dice, 5 * SECOND_MS),
        };
    }

    /// Somebody corrects the clock.
    pub fn step_back(&mut self, dice: &mut Dice) {
        self.now_ms -= 1 + dice.below(3 * SECOND_MS as usize) as i64;
    }

    /// The next edge, when it is near enough to go to.
    fn next_edge_ms(&self) -> Option<i64> {
        let edges = EDGES.iter().map(|edge| moment(edge).as_millisecond());
        edges.filter(|edge_ms| (self.now_ms + 1..self.now_ms + 20 * DAY_MS).contains(edge_ms)).min()
    }
}

fn moment(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}
