//! How do an organisation's files become customers, events, contacts and outcomes? The mapping file says
//! it column by column, and on which ground the data may be used at all.
//!
//! Deliberately absent: computing with values, but for the product of columns (what a line of an order costs). A
//! column is renamed, translated word by word or unknown.

use decision::{Timestamp, profile::ConsentStatus, request::Direction, strategy::Strategy};
use jiff::{SignedDuration, civil::Date};
use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf};

/// A mapping file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// What the data are, for people.
    pub name: String,
    /// Folder of the strategy that declares what may be kept, relative to the mapping file.
    pub strategy: PathBuf,
    /// Where the data end, as `2018-03-12`: retention counts back from here. Without it, from now.
    pub as_of: Option<Date>,
    /// On which ground the data are used.
    pub basis: Option<AssumedBasis>,
    /// How long they are kept.
    pub retention: Option<StatedRetention>,
    /// Files that others look things up in, by name.
    #[serde(default)]
    pub tables: BTreeMap<String, LookedUp>,
    /// What the order of rows says, by name.
    #[serde(default)]
    pub orders: BTreeMap<String, RowOrder>,
    /// Files whose rows happened to somebody, in the order in which they come at the same moment.
    pub sources: Vec<Source>,
    /// Attributes that count what passes.
    #[serde(default)]
    pub facts: Vec<Fact>,
    /// What a backtest asks.
    pub backtest: Option<Question>,
}

/// The ground on which data without consents are used.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssumedBasis {
    /// A lawful basis as strategies write it; `consent` cannot be assumed.
    pub assumed: String,
    /// The purposes that rest on it.
    pub purposes: Vec<String>,
    /// Why it is assumed.
    pub because: String,
}

/// How far back rows are taken.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatedRetention {
    /// For example `800d`.
    pub keep: String,
    /// Why so long.
    pub reason: String,
}

/// How a text file is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Writing {
    /// `,` `;` or a tab.
    #[serde(default = "comma")]
    pub delimiter: char,
    /// Of the bytes.
    #[serde(default)]
    pub encoding: Encoding,
    /// Whether numbers are written `12,50`.
    #[serde(default)]
    pub decimal_comma: bool,
}

impl Default for Writing {
    fn default() -> Self {
        Self { delimiter: comma(), encoding: Encoding::default(), decimal_comma: false }
    }
}

fn comma() -> char {
    ','
}

/// How bytes become text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum Encoding {
    /// UTF-8; a byte order mark is skipped.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// ISO 8859-1.
    #[serde(rename = "latin-1")]
    Latin1,
}

/// A file that others look things up in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookedUp {
    /// Path below the data folder; `.gz` is unpacked.
    pub file: String,
    /// How it is written.
    #[serde(default)]
    pub written: Writing,
    /// The column that tells rows apart.
    pub key: String,
    /// Words that are replaced, per column.
    #[serde(default)]
    pub values: Words,
}

/// Words that are replaced, per column.
pub type Words = BTreeMap<String, BTreeMap<String, String>>;

/// A file whose rows happened to somebody.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Name in reports and in the ids of events; keep it when rows are imported again.
    pub name: String,
    /// Path below the data folder; `.gz` is unpacked.
    pub file: String,
    /// How it is written.
    #[serde(default)]
    pub written: Writing,
    /// Whether the file may be missing.
    #[serde(default)]
    pub optional: bool,
    /// Adds columns that follow from the order of the rows: one of the mapping's `orders`.
    pub order: Option<String>,
    /// Adds the columns of a table's row.
    pub lookup: Option<Lookup>,
    /// Identifier kind → column.
    pub identifiers: BTreeMap<String, String>,
    /// The column with the household.
    pub household: Option<String>,
    /// When it happened.
    pub at: When,
    /// Rows that are left out and why; the first that fits counts.
    #[serde(default)]
    pub exclude: Vec<Exclusion>,
    /// Adds a column of this name: the product of these columns.
    #[serde(default)]
    pub products: BTreeMap<String, Vec<String>>,
    /// Only rows that have one of these words, per column.
    #[serde(default)]
    pub only: BTreeMap<String, Vec<String>>,
    /// Words that mean "unknown" in this file, per column, besides those the inventory lists.
    #[serde(default)]
    pub unknown: BTreeMap<String, Vec<String>>,
    /// Words that are replaced, per column.
    #[serde(default)]
    pub values: Words,
    /// The event a row is; without it rows with attributes only state those.
    pub event: Option<String>,
    /// Attribute → column.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// Property of the event → column.
    #[serde(default)]
    pub properties: BTreeMap<String, String>,
    /// What the customer allowed or refused, as the row tells it.
    #[serde(default)]
    pub consents: Vec<ConsentColumn>,
    /// The contact a row is.
    pub contact: Option<ContactColumns>,
    /// The outcome of an earlier contact that a row is.
    pub outcome: Option<OutcomeColumns>,
}

/// A column with what the customer said about one purpose. An empty field says nothing.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentColumn {
    /// About which purpose.
    pub purpose: String,
    /// On which channel; left out, on all.
    pub channel: Option<String>,
    /// The column.
    pub column: String,
    /// When it was said; left out, at the moment of the row.
    pub at: Option<When>,
    /// Words that say yes.
    #[serde(default)]
    pub given: Vec<String>,
    /// Words that say no.
    #[serde(default)]
    pub refused: Vec<String>,
    /// Words that say no longer.
    #[serde(default)]
    pub withdrawn: Vec<String>,
    /// Words that object to use on legitimate interests.
    #[serde(default)]
    pub objected: Vec<String>,
}

impl ConsentColumn {
    /// What a word says; `None` when no list has it.
    pub(super) fn status(&self, word: &str) -> Option<ConsentStatus> {
        let lists = [
            (&self.given, ConsentStatus::Given),
            (&self.refused, ConsentStatus::Refused),
            (&self.withdrawn, ConsentStatus::Withdrawn),
            (&self.objected, ConsentStatus::Objected),
        ];
        let is_word = |listed: &String| listed.trim().eq_ignore_ascii_case(word.trim());
        lists.into_iter().find(|(words, _)| words.iter().any(is_word)).map(|(_, status)| status)
    }
}

/// Rows that are left out for one reason: those that repeat an earlier row of the file, or whose column has one of
/// the listed properties.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Exclusion {
    /// Why, as the report says it.
    pub because: String,
    /// Every field is that of an earlier row.
    pub repeated: bool,
    /// The column that tells.
    pub column: String,
    /// It is empty.
    pub empty: bool,
    /// It begins with one of these.
    pub starts_with: Vec<String>,
    /// It is one of these words.
    pub one_of: Vec<String>,
    /// It holds a number that is at most this.
    pub at_most: Option<f64>,
}

/// What the order of a file's rows says, where it has no ids or dates of its own. Every row counts, also
/// one that is left out later.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowOrder {
    /// Adds a column of this name: the number of the row, from 1.
    pub number: Option<String>,
    /// Adds a column of this name: the day of the row, as `2018-03-12`.
    pub day: Option<String>,
    /// The first day.
    pub from: Option<Date>,
    /// The column with the month, as `may` or `5`: the rows are in order of time and the year goes up by itself.
    pub month: Option<String>,
    /// The column with the day of the week, as `mon`. With `month` each row is on the first day that has
    /// both, not before the day of the row above.
    pub weekday: Option<String>,
    /// Instead of month and weekday: so many rows are of one day, at least 1, …
    pub rows: Option<u64>,
    /// … and the next ones this much later, for example `15d`.
    pub every: Option<String>,
}

/// A row of a table, found by a column.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// The table.
    pub table: String,
    /// The column of this file that holds the table's key.
    pub column: String,
}

/// A moment: a column, or one date for all rows, with a time of day where there is none.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// The column.
    pub column: Option<String>,
    /// How it is written, in the manner of `strftime`.
    #[serde(default = "iso_date")]
    pub format: String,
    /// One date for all rows.
    pub date: Option<String>,
    /// Time of day, in the organisation's zone; without it the column holds one.
    pub time: Option<String>,
}

fn iso_date() -> String {
    "%Y-%m-%d".into()
}

/// A contact really made, or a silence kept on purpose.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactColumns {
    /// The column that tells a customer's contacts apart.
    pub id: String,
    /// The action; `{column}` is filled in.
    pub action: Option<String>,
    /// Instead of an action: nothing was said on purpose, and this would have been said otherwise.
    #[serde(default)]
    pub withheld: Vec<String>,
    /// With which probability this was chosen; left out, it is unknown.
    pub probability: Option<Chosen>,
    /// The channel.
    pub channel: String,
    /// Where.
    pub placement: String,
    /// Who started.
    #[serde(default = "outbound")]
    pub direction: Direction,
    /// Declared context value → column.
    #[serde(default)]
    pub context: BTreeMap<String, String>,
}

fn outbound() -> Direction {
    Direction::Outbound
}

/// With which probability something was chosen: one number for all rows, or a column.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    /// Above 0 and at most 1.
    pub value: Option<f32>,
    /// The column.
    pub column: Option<String>,
}

/// An outcome of a contact.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeColumns {
    /// The column with the contact's id.
    pub contact: String,
    /// The declared event that it is.
    pub event: String,
}

/// An attribute that counts what passed before: contacts, events, or outcomes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// The number it keeps up to date.
    pub attribute: String,
    /// `contact`, an event, or the event of an outcome (once per contact).
    pub count: String,
    /// Makes it a rate: `(count + start × weight) / (per + weight)`.
    pub per: Option<String>,
    /// The rate of somebody of whom nothing has been counted.
    #[serde(default)]
    pub start: f64,
    /// How many counts that start is worth.
    #[serde(default)]
    pub weight: f64,
}

/// What a backtest asks. Left to itself, every moment at which contacts were really made is an occasion,
/// and whoever was contacted is asked about, as they were contacted.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Predictions for contacts after this date are scored.
    pub scored_after: Date,
    /// Ask about everybody, whoever was contacted.
    pub everybody: Option<Everybody>,
}

/// One question to every customer at every row of a table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Everybody {
    /// The table.
    pub table: String,
    /// The moment of the decision.
    pub at: When,
    /// The column whose value is the id of the contact really made.
    pub contact: String,
    /// On which channel.
    pub channel: String,
    /// Where.
    pub placement: String,
    /// Declared context value → column.
    #[serde(default)]
    pub context: BTreeMap<String, String>,
}

impl Mapping {
    /// Reads a mapping.
    ///
    /// # Errors
    /// The line, with a caret, and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())
    }

    /// Whether the rows only tell what is known of customers and what they allow: then their order does not
    /// matter, because every value and statement carries its own moment.
    pub(super) fn tells_customers_only(&self) -> bool {
        let tells_more =
            |source: &Source| source.event.is_some() || source.contact.is_some() || source.outcome.is_some();
        self.facts.is_empty() && !self.sources.iter().any(tells_more)
    }

    /// From when on rows are taken.
    pub(super) fn oldest(&self, strategy: &Strategy, now: Timestamp) -> Timestamp {
        let end = self
            .as_of
            .and_then(|date| {
                date.to_zoned(strategy.organisation.time_zone.clone()).ok().map(|zoned| zoned.timestamp())
            })
            .unwrap_or(now);
        let keep = self.retention.as_ref().and_then(|retention| days(&retention.keep));
        end.saturating_sub(keep.unwrap_or(SignedDuration::ZERO)).unwrap_or(Timestamp::MIN)
    }
}

/// `800d`: whole days.
pub(super) fn days(text: &str) -> Option<SignedDuration> {
    let days: i64 = text.strip_suffix('d')?.parse().ok()?;
    (1..=36_500).contains(&days).then(|| SignedDuration::from_hours(24 * days))
}
