//! What time is it in a simulated world? Days and minutes since its first midnight.
//!
//! The world's clock never reads the real one: whoever starts a world says when it begins.

use decision::Timestamp;

const MS_PER_MINUTE: i64 = 60_000;
const MINUTES_PER_DAY: i64 = 24 * 60;

/// The calendar of one world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    start: Timestamp,
}

impl Clock {
    /// A world whose day 0 begins at `start`.
    pub fn starting(start: Timestamp) -> Self {
        Self { start }
    }

    /// Minute `minute` of day `day`; days before the start are negative.
    pub fn at(&self, day: i64, minute: u32) -> Timestamp {
        let ms = (day * MINUTES_PER_DAY + i64::from(minute)) * MS_PER_MINUTE;
        Timestamp::from_millisecond(self.start.as_millisecond().saturating_add(ms)).unwrap_or(Timestamp::MAX)
    }

    /// The day of a moment; negative before the start.
    pub fn day_of(&self, at: Timestamp) -> i64 {
        let ms = at.as_millisecond() - self.start.as_millisecond();
        ms.div_euclid(MS_PER_MINUTE * MINUTES_PER_DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_belongs_to_the_day_it_lies_in() {
        let clock = Clock::starting("2026-01-05T00:00:00Z".parse().unwrap());
        assert_eq!(clock.at(3, 90), "2026-01-08T01:30:00Z".parse().unwrap());
        assert_eq!(clock.day_of(clock.at(3, 90)), 3);
        assert_eq!(clock.day_of(clock.at(-1, 0)), -1);
    }
}
