//! What became of the rows? Counts per source, attributes, unknowns by rule, and every reject with its line.

use serde::Serialize;
use std::collections::BTreeMap;

/// Counts of one import.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Tally {
    /// Per source.
    pub sources: BTreeMap<String, Rows>,
    /// How often each attribute was set.
    pub attributes: BTreeMap<String, u64>,
    /// How often each attribute was unknown, by the rule that says so.
    pub unknown: BTreeMap<String, BTreeMap<String, u64>>,
    /// What customers said, by purpose and status.
    pub consents: BTreeMap<String, BTreeMap<String, u64>>,
    /// Rows that could not be used.
    pub rejects: Vec<Rejected>,
}

/// Counts of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Rows {
    /// Rows read.
    pub rows: u64,
    /// Left out by the mapping, because they lack the words it wants.
    pub left_out: u64,
    /// Left out by the mapping, by the reason it gives.
    pub excluded: BTreeMap<String, u64>,
    /// Rows that said something. With those left out, excluded and rejected while reading they add up to `rows`.
    pub used: u64,
    /// Events.
    pub events: u64,
    /// Contacts really made.
    pub contacts: u64,
    /// Silences kept on purpose.
    pub silences: u64,
    /// Outcomes of contacts.
    pub outcomes: u64,
    /// Already known; nothing changed.
    pub duplicates: u64,
    /// Rejected.
    pub rejects: u64,
}

/// One row that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// File and line, for example `households.csv.gz:12`.
    pub place: String,
    /// Why, without the values.
    pub reason: String,
}

impl Tally {
    /// Counts of a source.
    pub fn source(&mut self, name: &str) -> &mut Rows {
        if !self.sources.contains_key(name) {
            self.sources.insert(name.to_owned(), Rows::default());
        }
        self.sources.entry(name.to_owned()).or_default()
    }

    /// Counts a row that could not be used.
    pub fn reject(&mut self, source: &str, place: String, reason: String) {
        self.source(source).rejects += 1;
        self.rejects.push(Rejected { place, reason });
    }

    /// For people.
    pub fn render(&self) -> String {
        let mut text = format!(
            "{:<28}{:>9}{:>9}{:>10}{:>10}{:>10}{:>12}{:>9}\n",
            "source", "rows", "events", "contacts", "silences", "outcomes", "duplicates", "rejects"
        );
        for (name, rows) in &self.sources {
            text += &format!(
                "{name:<28}{:>9}{:>9}{:>10}{:>10}{:>10}{:>12}{:>9}\n",
                rows.rows,
                rows.events,
                rows.contacts,
                rows.silences,
                rows.outcomes,
                rows.duplicates,
                rows.rejects
            );
        }
        for (name, rows) in self.sources.iter().filter(|(_, rows)| !rows.excluded.is_empty()) {
            text +=
                &format!("\n{name}: of {} rows {} are used, {} rejected", rows.rows, rows.used, rows.rejects);
            text += &format!(", {} left out, and excluded:\n", rows.left_out);
            for (reason, count) in &rows.excluded {
                text += &format!("{count:>9}  {reason}\n");
            }
        }
        text += &format!("\n{:<28}{:>9}   unknown, by rule\n", "attribute", "set");
        let mut names: Vec<&String> = self.attributes.keys().chain(self.unknown.keys()).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let set = self.attributes.get(name).unwrap_or(&0);
            let rules: Vec<String> = self
                .unknown
                .get(name)
                .into_iter()
                .flatten()
                .map(|(rule, count)| format!("{count} by {rule}"))
                .collect();
            text += &format!("{name:<28}{set:>9}   {}\n", rules.join(", "));
        }
        for (purpose, statuses) in &self.consents {
            let counts: Vec<String> =
                statuses.iter().map(|(status, count)| format!("{count} {status}")).collect();
            text += &format!("consent to {purpose}: {}\n", counts.join(", "));
        }
        text
    }

    /// The rejects as lines of `place,reason`.
    pub fn rejects_csv(&self) -> String {
        let mut text = String::from("place,reason\n");
        for reject in &self.rejects {
            text += &format!("{},\"{}\"\n", reject.place, reject.reason.replace('"', "\"\""));
        }
        text
    }
}
