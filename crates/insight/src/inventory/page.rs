//! The inventory as a table, for people.

use super::{Held, Inventory};
use decision::strategy::Obtain;
use std::fmt;

impl fmt::Display for Inventory {
    fn fmt(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.customers_looked_at == 0 {
            writeln!(
                page,
                "Nobody is known yet. Send events to `/v1/events`, or load what there is with `attent import`."
            )?;
        }
        let sampled =
            if self.sampled { format!(", a sample of about {:.0}", self.customers) } else { String::new() };
        writeln!(
            page,
            "{} attributes; {} customers looked at{sampled}; {} households; the newest {} decisions\n",
            self.attributes.len(),
            self.customers_looked_at,
            self.households_looked_at,
            self.decisions_looked_at
        )?;
        let width =
            self.attributes.iter().map(|held| held.attribute.chars().count()).max().unwrap_or(9).max(9);
        writeln!(
            page,
            "{:<width$}  {:>16}  {:>17}  {:>8}  {:>6}  {:>7}  {:>7}  {:>7}  readers",
            "attribute", "known", "age in days", "reliable", "contra", "decided", "dropped", "unknown"
        )?;
        for held in &self.attributes {
            self.row(page, held, width)?;
        }
        writeln!(
            page,
            "\nage: a tenth, half and nine tenths are younger. decided: decisions that read it. dropped: those in which a \
             candidate fell at a rule or principle that reads it; unknown: because something was not known.\nreaders: \
             rules, values and texts of actions, and principles; +m: models."
        )?;
        self.more(page)
    }
}

impl Inventory {
    fn row(&self, page: &mut fmt::Formatter<'_>, held: &Held, width: usize) -> fmt::Result {
        let known = held.coverage.map_or("-".to_owned(), |coverage| match coverage.low == coverage.high {
            true => format!("{:.1} %", 100.0 * coverage.share),
            false => format!(
                "{:.1} [{:.1}-{:.1}] %",
                100.0 * coverage.share,
                100.0 * coverage.low,
                100.0 * coverage.high
            ),
        });
        let age = held.age_days.map_or("-".to_owned(), |age| {
            format!("{:.0} / {:.0} / {:.0}", age.tenth, age.median, age.ninetieth)
        });
        let reliable = held.reliability.map_or("-".to_owned(), |mean| format!("{mean:.2}"));
        let readers = format!("{}{}", held.read_by.len(), if held.learned_from { "+m" } else { "" });
        writeln!(
            page,
            "{:<width$}  {known:>16}  {age:>17}  {reliable:>8}  {:>6}  {:>7}  {:>7}  {:>7}  {readers}",
            held.attribute,
            held.contradicted,
            held.decisions_read,
            held.decisions_dropped,
            held.decisions_dropped_unknown
        )
    }

    /// What a table is too narrow for.
    fn more(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        let withheld = self.attributes.iter().filter(|held| !held.withheld.is_empty());
        for (number, held) in withheld.enumerate() {
            if number == 0 {
                writeln!(page, "\nWithheld from some purpose now")?;
            }
            let reasons: Vec<String> = held
                .withheld
                .iter()
                .map(|(why, count)| format!("{count} {}", why.replace('_', " ")))
                .collect();
            writeln!(page, "  {}: {}", held.attribute, reasons.join(", "))?;
        }
        let mut missing: Vec<&Held> = self.attributes.iter().filter(|held| held.missing > 0).collect();
        missing.sort_by_key(|held| std::cmp::Reverse(held.decisions_dropped_unknown));
        for (number, held) in missing.into_iter().enumerate() {
            if number == 0 {
                writeln!(page, "\nMissing, what stood in the way most first")?;
            }
            writeln!(page, "  {}: {}{}", held.attribute, held.missing, way(held))?;
        }
        for (number, found) in self.undeclared.iter().enumerate() {
            if number == 0 {
                writeln!(
                    page,
                    "\nCame in undeclared and was dropped (`--proposals` writes what would declare it)"
                )?;
            }
            writeln!(page, "  {}: {} times", found.name, found.times)?;
        }
        Ok(())
    }
}

fn way(held: &Held) -> String {
    let by = match held.obtain_by.as_slice() {
        [] => String::new(),
        by => format!(" ({})", by.join(", ")),
    };
    let cost = match held.cost > 0.0 {
        true => format!(", EUR {:.2} each", held.cost),
        false => String::new(),
    };
    match held.obtain {
        Some(Obtain::Ask) => format!("; ask{by}{cost}"),
        Some(Obtain::Observe) => format!("; observe{by}{cost}"),
        Some(Obtain::Import) => format!("; import{cost}"),
        None => cost,
    }
}
