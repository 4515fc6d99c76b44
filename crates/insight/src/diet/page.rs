//! The diet on a page, for people.

use super::{Advice, Diet, Weighed};
use crate::interval::Interval;
use std::fmt;

/// The curve is drawn this wide.
const BAR: f64 = 40.0;

impl fmt::Display for Diet {
    fn fmt(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            page,
            "Data diet over {} occasions of {} customers: {}",
            self.occasions, self.value.customers, self.measured_by
        )?;
        writeln!(page, "With all {} attributes: EUR {}", self.attributes.len(), euro(&self.value))?;
        writeln!(page, "\nLost without one of them, in EUR per occasion (95 % interval)")?;
        let width = self.attributes.iter().map(|one| one.attribute.name.chars().count()).max().unwrap_or(0);
        for weighed in &self.attributes {
            writeln!(page, "  {:<width$}  {}", weighed.attribute.name, line(weighed))?;
        }
        writeln!(page, "\nLeft    value  lost at most")?;
        for point in &self.curve {
            let bar = (BAR * (point.value.mean / self.value.mean).clamp(0.0, 1.25)).round();
            let bar = if bar.is_finite() { "█".repeat(bar as usize) } else { String::new() };
            let at_most = percent(point.lost_share_at_most);
            writeln!(page, "  {:>3}  {:>8.4}  {at_most:>9}  {bar}", point.kept, point.value.mean)?;
        }
        writeln!(page)?;
        match (self.proposal.attributes.len(), self.proposal.lost_share_at_most) {
            (_, None) => writeln!(page, "Decisions bring nothing, so nothing can be lost; no proposal."),
            (0, _) => writeln!(
                page,
                "No attribute can go with a loss of at most {}: the log is too short, or all of them count.",
                percent(Some(self.tolerance))
            ),
            (count, at_most) => writeln!(
                page,
                "Proposal: drop {count} of {}. Lost: EUR {}, at most {} of the value.\n  {}",
                self.attributes.len(),
                euro(&self.proposal.lost),
                percent(at_most),
                self.proposal.attributes.join(", ")
            ),
        }
    }
}

fn line(weighed: &Weighed) -> String {
    let read_by = match weighed.attribute.read_by.len() {
        0 => String::new(),
        count => format!("; read by {count} rules or texts"),
    };
    let cost = match weighed.attribute.cost {
        cost if cost > 0.0 => format!("; EUR {cost:.2} to get"),
        _ => String::new(),
    };
    format!("{}  {}{read_by}{cost}", euro(&weighed.lost), advice(weighed.advice))
}

fn advice(advice: Advice) -> String {
    match advice {
        Advice::Drop => String::from("drop"),
        Advice::ShortenRetention(days) => format!("keep at most {days:.0} days"),
        Advice::Ask => String::from("ask instead"),
        Advice::Keep => String::from("keep"),
    }
}

fn euro(interval: &Interval) -> String {
    format!("{:+.4} [{:+.4}, {:+.4}]", interval.mean, interval.low, interval.high)
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| String::from("?"), |share| format!("{:.1} %", 100.0 * share))
}
