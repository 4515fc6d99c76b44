//! How are texts, amounts, lengths of time and moments written in a file?

use super::document::{Item, Read};
use crate::{
    Duration, Timestamp,
    value::{Value, ValueType},
};
use jiff::{
    civil::{Date, DateTime, Time},
    tz::{Offset, TimeZone},
};
use toml::de::DeValue;
use toml::value::Offset as TomlOffset;

impl<'a> Read<'a> for &'a str {
    const EXPECTED: &'static str = "a text";
    fn read(value: &'a DeValue<'a>) -> Option<Self> {
        value.as_str().filter(|text| !text.trim().is_empty())
    }
}

/// A text that may be empty.
pub(super) struct AnyText<'a>(pub &'a str);

impl<'a> Read<'a> for AnyText<'a> {
    const EXPECTED: &'static str = "a text";
    fn read(value: &'a DeValue<'a>) -> Option<Self> {
        value.as_str().map(AnyText)
    }
}

impl Read<'_> for bool {
    const EXPECTED: &'static str = "`true` or `false`";
    fn read(value: &DeValue<'_>) -> Option<Self> {
        value.as_bool()
    }
}

impl Read<'_> for f64 {
    const EXPECTED: &'static str = "a number";
    fn read(value: &DeValue<'_>) -> Option<Self> {
        match value {
            DeValue::Integer(_) => integer(value).map(|number| number as f64),
            DeValue::Float(number) => {
                number.as_str().replace('_', "").parse().ok().filter(|n: &f64| n.is_finite())
            }
            _ => None,
        }
    }
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok()
}

/// A whole number of at least 1.
pub(super) struct Count(pub u32);

impl Read<'_> for Count {
    const EXPECTED: &'static str = "a whole number of at least 1";
    fn read(value: &DeValue<'_>) -> Option<Self> {
        integer(value).and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0).map(Count)
    }
}

/// A whole number.
pub(super) struct Order(pub i64);

impl Read<'_> for Order {
    const EXPECTED: &'static str = "a whole number";
    fn read(value: &DeValue<'_>) -> Option<Self> {
        integer(value).map(Order)
    }
}

/// An amount or ratio of at least 0.
pub(super) struct NotNegative(pub f64);

impl Read<'_> for NotNegative {
    const EXPECTED: &'static str = "a number of at least 0";
    fn read(value: &DeValue<'_>) -> Option<Self> {
        f64::read(value).filter(|number| *number >= 0.0).map(NotNegative)
    }
}

/// A number from 0 to 1.
pub(super) struct Share(pub f64);

impl Read<'_> for Share {
    const EXPECTED: &'static str = "a number from 0 to 1";
    fn read(value: &DeValue<'_>) -> Option<Self> {
        f64::read(value).filter(|number| (0.0..=1.0).contains(number)).map(Share)
    }
}

/// A number above 0, at most 1.
pub(super) struct PositiveShare(pub f64);

impl Read<'_> for PositiveShare {
    const EXPECTED: &'static str = "a number above 0 and at most 1";
    fn read(value: &DeValue<'_>) -> Option<Self> {
        f64::read(value).filter(|number| *number > 0.0 && *number <= 1.0).map(PositiveShare)
    }
}

/// A number from 0 to a half.
pub(super) struct HalfShare(pub f64);

impl Read<'_> for HalfShare {
    const EXPECTED: &'static str = "a number from 0 to 0.5";
    fn read(value: &DeValue<'_>) -> Option<Self> {
        f64::read(value).filter(|number| (0.0..=0.5).contains(number)).map(HalfShare)
    }
}

/// A probability strictly between 0 and 1.
pub(super) struct Chance(pub f64);

impl Read<'_> for Chance {
    const EXPECTED: &'static str = "a probability above 0 and below 1";
    fn read(value: &DeValue<'_>) -> Option<Self> {
        f64::read(value).filter(|number| *number > 0.0 && *number < 1.0).map(Chance)
    }
}

impl Read<'_> for Duration {
    const EXPECTED: &'static str = "a duration such as `7d`";
    fn read(value: &DeValue<'_>) -> Option<Self> {
        value.as_str().and_then(duration)
    }
}

/// `90s`, `15m`, `12h`, `7d`, `2w` or `1y`: a whole number above 0 and a unit; a day is 24 hours, a
/// year 365 days, and nothing is longer than 100 years.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    const YEARS_MAX: i64 = 100;
    const DAY_S: i64 = 86_400;
    let unit = text.chars().next_back().filter(char::is_ascii)?;
    let digits = &text[..text.len() - 1];
    let unit_s = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => DAY_S,
        'w' => 7 * DAY_S,
        'y' => 365 * DAY_S,
        _ => return None,
    };
    let number: i64 = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let seconds = number.checked_mul(unit_s)?;
    (1..=YEARS_MAX * 365 * DAY_S).contains(&seconds).then(|| Duration::from_secs(seconds))
}

impl Read<'_> for Time {
    const EXPECTED: &'static str = "a time of day such as `21:00`";
    fn read(value: &DeValue<'_>) -> Option<Self> {
        let (hour, minute) = value.as_str().filter(|text| text.len() == 5)?.split_once(':')?;
        Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
    }
}

/// A date, or a date and time with or without an offset.
pub(super) struct Moment {
    local: DateTime,
    offset: Option<Offset>,
}

impl Moment {
    /// The moment: a date begins at midnight; without an offset the organisation's clock counts.
    pub fn timestamp(&self, zone: &TimeZone) -> Option<Timestamp> {
        match self.offset {
            Some(offset) => offset.to_timestamp(self.local).ok(),
            None => zone.to_timestamp(self.local).ok(),
        }
    }
}

impl Read<'_> for Moment {
    const EXPECTED: &'static str =
        "a date such as `2026-03-09` or a moment such as `2026-03-09T10:00:00+01:00`";
    fn read(value: &DeValue<'_>) -> Option<Self> {
        let written = value.as_datetime()?;
        let date = written.date?;
        let date = Date::new(i16::try_from(date.year).ok()?, date.month as i8, date.day as i8).ok()?;
        let time = match written.time {
            Some(time) => Time::new(
                time.hour as i8,
                time.minute as i8,
                time.second.unwrap_or(0) as i8,
                i32::try_from(time.nanosecond.unwrap_or(0)).ok()?,
            )
            .ok()?,
            None => Time::midnight(),
        };
        let offset = match written.offset {
            Some(TomlOffset::Z) => Some(Offset::UTC),
            Some(TomlOffset::Custom { minutes }) => Some(Offset::from_seconds(i32::from(minutes) * 60).ok()?),
            None => None,
        };
        Some(Self { local: date.to_datetime(time), offset })
    }
}

impl<'a> Item<'a> {
    /// A moment on the organisation's clock.
    pub fn moment(self, zone: &TimeZone) -> Option<Timestamp> {
        let timestamp = Moment::read(self.value).and_then(|moment| moment.timestamp(zone));
        if timestamp.is_none() {
            let quoted = self.text().filter(|text| text.starts_with(|first: char| first.is_ascii_digit()));
            self.expected_with_hint(
                Moment::EXPECTED,
                quoted.map(|_| "a date stands without quotes".to_owned()),
            );
        }
        timestamp
    }

    /// A value of any declared type.
    pub fn any_value(self, zone: &TimeZone) -> Option<Value> {
        match self.value {
            DeValue::String(text) => Some(Value::Text(text.as_ref().into())),
            DeValue::Boolean(value) => Some(Value::Bool(*value)),
            DeValue::Integer(_) | DeValue::Float(_) => self.read().map(Value::Number),
            DeValue::Datetime(_) => self.moment(zone).map(Value::Time),
            DeValue::Array(_) | DeValue::Table(_) => {
                self.expected("a text, a number, `true`, `false` or a date");
                None
            }
        }
    }

    /// A value of this type, from the closed list when there is one.
    pub fn value_of(self, value_type: ValueType, values: &[String], zone: &TimeZone) -> Option<Value> {
        let value = self.any_value(zone)?;
        if value.value_type() != value_type {
            self.expected(match value_type {
                ValueType::Bool => bool::EXPECTED,
                ValueType::Number => f64::EXPECTED,
                ValueType::Text => <&str>::EXPECTED,
                ValueType::Time => Moment::EXPECTED,
            });
            return None;
        }
        match &value {
            Value::Text(text) if !values.is_empty() && !values.iter().any(|known| **known == **text) => {
                let hint = super::names::did_you_mean(text, values.iter().map(String::as_str));
                self.place.add(format!("`{text}` is not one of the values of `{}`", self.name), hint);
                None
            }
            _ => Some(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_whole_number_and_a_unit() {
        let seconds = |text| duration(text).map(|duration| duration.as_secs());
        assert_eq!(seconds("90s"), Some(90));
        assert_eq!(seconds("15m"), Some(900));
        assert_eq!(seconds("12h"), Some(43_200));
        assert_eq!(seconds("7d"), Some(604_800));
        assert_eq!(seconds("2w"), Some(1_209_600));
        assert_eq!(seconds("1y"), Some(31_536_000));
    }

    #[test]
    fn what_is_not_a_duration_is_refused() {
        for text in
            ["", "d", "7", "0d", "-1d", "+1d", "1.5d", "7 d", "7D", "101y", "99999999999999999999d", "7€"]
        {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
