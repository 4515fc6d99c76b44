//! What does the order of a file's rows say? Its own ids and dates, where the file has none.
//!
//! Rows that were written down in order of time, with a month and a weekday, have a date: the first that
//! fits. Rows of which only the order is known can be spread over days; then the days mean nothing else.

use super::{
    mapping::{RowOrder, days},
    table::Fields,
};
use jiff::{
    Span, ToSpan,
    civil::{Date, Weekday},
};

/// Words that months and weekdays begin with, in order.
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Every month and weekday come together within a year.
const DAYS_LOOKED_AHEAD: i32 = 366;

/// Passes along the rows of one file.
pub struct Order<'a> {
    says: &'a RowOrder,
    number: u64,
    day: Option<Date>,
}

impl<'a> Order<'a> {
    /// Before the first row.
    pub fn new(says: &'a RowOrder) -> Self {
        Self { says, number: 0, day: says.from }
    }

    /// Counts the next row, readable or not.
    pub fn next(&mut self) {
        self.number += 1;
    }

    /// Adds the columns of the row that was counted last.
    ///
    /// # Errors
    /// The row has no month or weekday that can be read.
    pub fn add(&mut self, fields: &mut Fields) -> Result<(), String> {
        if let Some(column) = &self.says.number {
            fields.insert(column.clone(), self.number.to_string());
        }
        if let Some(column) = &self.says.day {
            let day = self.day_of(fields)?;
            fields.insert(column.clone(), day.to_string());
        }
        Ok(())
    }

    fn day_of(&mut self, fields: &Fields) -> Result<Date, String> {
        let from = self.day.ok_or("the mapping's order has no `from`")?;
        if let (Some(month), Some(weekday)) = (&self.says.month, &self.says.weekday) {
            let month = position(fields, month, &MONTHS)?;
            let weekday = position(fields, weekday, &WEEKDAYS)?;
            let fits = |date: &Date| date.month() == month && date.weekday() == monday_is_1(weekday);
            let ahead = (0..=DAYS_LOOKED_AHEAD).filter_map(|days| from.checked_add(days.days()).ok());
            let day = ahead.into_iter().find(fits).ok_or("no day has this month and weekday")?;
            self.day = Some(day);
            return Ok(day);
        }
        let rows = self.says.rows.unwrap_or(1).max(1);
        let every = self.says.every.as_deref().and_then(days).ok_or("the mapping's order has no `every`")?;
        let steps = i64::try_from((self.number - 1) / rows).unwrap_or(i64::MAX);
        let later = steps.saturating_mul(every.as_hours() / 24);
        let span = Span::new().try_days(later).map_err(|error| error.to_string())?;
        from.checked_add(span).map_err(|_| "the rows reach beyond the calendar".to_owned())
    }
}

/// Which word a column begins with, from 1; a number stands for itself.
fn position(fields: &Fields, column: &str, words: &[&str]) -> Result<i8, String> {
    let field = fields.get(column).ok_or_else(|| format!("there is no column `{column}`"))?;
    let text = field.trim().to_ascii_lowercase();
    let named = words.iter().position(|word| text.starts_with(word)).map(|index| index + 1);
    let found = named.or_else(|| text.parse().ok().filter(|number| (1..=words.len()).contains(number)));
    found
        .and_then(|number| i8::try_from(number).ok())
        .ok_or_else(|| format!("column `{column}` does not hold one of `{}`", words.join("`, `")))
}

fn monday_is_1(number: i8) -> Weekday {
    Weekday::from_monday_one_offset(number).unwrap_or(Weekday::Monday)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(text: &str) -> RowOrder {
        toml::from_str(text).unwrap()
    }

    fn days_of(says: &RowOrder, rows: &[(&str, &str)]) -> Vec<String> {
        let mut order = Order::new(says);
        let day = |(month, weekday): &(&str, &str)| {
            let mut fields = Fields::from([("m".into(), (*month).into()), ("w".into(), (*weekday).into())]);
            order.next();
            order.add(&mut fields).map_or_else(|why| why, |()| fields["day"].clone())
        };
        rows.iter().map(day).collect()
    }

    #[test]
    fn rows_with_month_and_weekday_in_order_have_a_date_and_the_year_goes_up_by_itself() {
        let says = order("day = 'day'\nfrom = '2008-05-01'\nmonth = 'm'\nweekday = 'w'");
        let rows =
            [("may", "mon"), ("may", "mon"), ("May", "Tuesday"), ("may", "mon"), ("oct", "fri"), ("3", "1")];
        let found = days_of(&says, &rows);
        assert_eq!(
            found,
            ["2008-05-05", "2008-05-05", "2008-05-06", "2008-05-12", "2008-10-03", "2009-03-02"]
        );
    }

    #[test]
    fn a_row_whose_month_cannot_be_read_is_refused_and_the_next_one_is_not_moved() {
        let says = order("day = 'day'\nfrom = '2008-05-01'\nmonth = 'm'\nweekday = 'w'");
        let found = days_of(&says, &[("may", "mon"), ("13", "mon"), ("may", "mon")]);
        assert!(found[1].starts_with("column `m` does not hold one of `jan`"), "{found:?}");
        assert_eq!(found[2], "2008-05-05");
    }

    #[test]
    fn rows_of_which_only_the_order_is_known_are_spread_and_numbered() {
        let says = order("number = 'n'\nday = 'day'\nfrom = '2008-03-03'\nrows = 2\nevery = '15d'");
        let found = days_of(&says, &[("", ""); 5]);
        assert_eq!(found, ["2008-03-03", "2008-03-03", "2008-03-18", "2008-03-18", "2008-04-02"]);
        let mut order = Order::new(&says);
        (0..7).for_each(|_| order.next());
        let mut fields = Fields::new();
        order.add(&mut fields).unwrap();
        assert_eq!(fields["n"], "7");
    }
}
