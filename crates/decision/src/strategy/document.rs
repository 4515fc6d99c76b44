//! What stands in one file, key by key, with its place: with [`super::quantity`] the only reader that knows TOML.
//!
//! Reading never stops at a mistake: the problem is reported and the reader goes on with what it has.
//! What the keys mean is deliberately not known here; see the file of each concept.

use super::{
    names::did_you_mean,
    problem::{Place, Problem, Report},
};
use std::{cell::RefCell, collections::BTreeSet, ops::Range};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};
use toml_parser::lexer::TokenKind;

/// Largest file, in bytes.
const FILE_BYTES_MAX: usize = 1 << 20;
/// Most tokens of a file, spaces included.
const TOKENS_MAX: usize = 400_000;
/// Deepest nesting of lists and tables, and most dots in one key.
const NESTING_MAX: usize = 16;
/// Most syntax problems shown per file.
const SYNTAX_PROBLEMS_MAX: usize = 20;

/// What the top-level table is called.
const THE_FILE: &str = "the file";

/// One parsed file.
pub(super) struct Document<'a> {
    file: &'a str,
    text: &'a str,
    root: Spanned<DeTable<'a>>,
    whole: bool,
}

impl<'a> Document<'a> {
    /// Parses as much as can be understood and reports the rest.
    pub fn parse(file: &'a str, text: &'a str, report: &Report) -> Self {
        let (root, problems) = match too_much(text) {
            Some((span, message)) => (Spanned::new(0..0, DeTable::new()), vec![(Some(span), message)]),
            None => parse(text),
        };
        let whole = problems.is_empty();
        for (span, message) in problems {
            let lines = span.clone().map_or(0..text.len(), |span| whole_lines(text, span));
            report.add_garbled(Problem { file: file.to_owned(), span, message, hint: None }, lines);
        }
        Self { file, text, root, whole }
    }

    /// Whether every line was understood.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// The file's path.
    pub fn file(&self) -> &'a str {
        self.file
    }

    /// The file's top-level table.
    pub fn table<'d>(&'d self, report: &'d Report) -> Table<'d> {
        let place = Place { report, file: self.file, start: 0, end: 0 };
        Table::new(place, THE_FILE, self.text, Some(self.root.get_ref()))
    }
}

/// What the parser could not understand, and where.
type Garbled = (Option<Range<usize>>, String);

fn parse(text: &str) -> (Spanned<DeTable<'_>>, Vec<Garbled>) {
    let (root, errors) = DeTable::parse_recoverable(text);
    let problems = errors
        .into_iter()
        .take(SYNTAX_PROBLEMS_MAX)
        .map(|error| {
            let span = error.span().map(|span| clip(text, span));
            let message = in_our_words(error.message(), span.as_ref().is_some_and(Range::is_empty));
            (span, message)
        })
        .collect();
    (root, problems)
}

/// The parser's commonest messages, as somebody who does not know TOML would need them.
fn in_our_words(message: &str, nothing_there: bool) -> String {
    match message {
        "string values must be quoted, expected literal string" if nothing_there => "a value is missing here",
        "string values must be quoted, expected literal string" => "a text stands between quotes",
        "duplicate key" => "this is given twice",
        other => other,
    }
    .to_owned()
}

/// Why a text is refused before it is parsed: the parser recurses.
fn too_much(text: &str) -> Option<(Range<usize>, String)> {
    if text.len() > FILE_BYTES_MAX {
        return Some((0..0, format!("the file is larger than {FILE_BYTES_MAX} bytes")));
    }
    let (mut nesting, mut dots) = (0_usize, 0_usize);
    for (count, token) in toml_parser::Source::new(text).lex().enumerate() {
        match token.kind() {
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => nesting += 1,
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                nesting = nesting.saturating_sub(1)
            }
            TokenKind::Dot => dots += 1,
            TokenKind::Newline | TokenKind::Comma | TokenKind::Equals => dots = 0,
            _ => {}
        }
        let span = token.span().start()..token.span().end();
        if nesting > NESTING_MAX || dots > NESTING_MAX {
            return Some((span, format!("nested more than {NESTING_MAX} deep")));
        }
        if count >= TOKENS_MAX {
            return Some((span, format!("the file has more than {TOKENS_MAX} words and signs")));
        }
    }
    None
}

/// The lines a span touches.
fn whole_lines(text: &str, span: Range<usize>) -> Range<usize> {
    let start = text[..span.start].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[span.end..].find('\n').map_or(text.len(), |newline| span.end + newline);
    start..end
}

/// A span that lies inside the text, between characters.
fn clip(text: &str, span: Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(span.start);
    start..text.ceil_char_boundary(span.end).max(start)
}

/// A table whose keys are asked for one by one; what nobody asked for is a problem on [`Table::close`].
pub(super) struct Table<'a> {
    /// Where it begins.
    pub place: Place<'a>,
    name: &'a str,
    text: &'a str,
    entries: Option<&'a DeTable<'a>>,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Table<'a> {
    fn new(place: Place<'a>, name: &'a str, text: &'a str, entries: Option<&'a DeTable<'a>>) -> Self {
        Self { place, name, text, entries, asked: RefCell::default() }
    }

    /// Stands in for a file that is missing.
    pub fn absent(file: &'a str, report: &'a Report) -> Self {
        Self::new(Place { report, file, start: 0, end: 0 }, THE_FILE, "", None)
    }

    /// The value of a key, when it is there.
    pub fn get(&self, key: &'static str) -> Option<Item<'a>> {
        self.asked.borrow_mut().insert(key);
        let (name, value) = self.entries?.get_key_value(key)?;
        Some(self.item(name, value))
    }

    /// The value of a key that must be there.
    pub fn needs(&self, key: &'static str) -> Option<Item<'a>> {
        let item = self.get(key);
        if item.is_none() && self.entries.is_some() {
            self.missing(format!("{} has no `{key}`", self.described()));
        }
        item
    }

    /// Says that something is not there: of a file as a whole, or where the table begins.
    fn missing(&self, message: String) {
        match self.is_file() {
            true => self.place.report.about_file(self.place.file, message, None),
            false => self.place.problem(message),
        }
    }

    fn is_file(&self) -> bool {
        self.name == THE_FILE
    }

    /// The typed value of a key that must be there.
    pub fn required<T: Read<'a>>(&self, key: &'static str) -> Option<T> {
        self.needs(key)?.read()
    }

    /// The typed value of a key that may be left out.
    pub fn optional<T: Read<'a>>(&self, key: &'static str) -> Option<T> {
        self.get(key)?.read()
    }

    /// A table that may be left out; reading it then gives the defaults of its keys.
    pub fn section(&self, key: &'static str) -> Table<'a> {
        match self.get(key) {
            Some(item) => item.table(),
            None => Table::new(self.place, key, self.text, None),
        }
    }

    /// The entries of a table that must be there and declare something.
    pub fn declared(&self, key: &'static str) -> Vec<Item<'a>> {
        let entries = self.section(key).entries();
        if entries.is_empty() && self.entries.is_some() {
            self.place.report.about_file(self.place.file, format!("no {key} are declared"), None);
        }
        entries
    }

    /// The items of a list that may be left out.
    pub fn list(&self, key: &'static str) -> Vec<Item<'a>> {
        self.get(key).map(Item::list).unwrap_or_default()
    }

    /// One of the words `choices` offers.
    pub fn word<T: Copy>(&self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        self.get(key)?.word(choices)
    }

    /// All entries, for a table whose keys are names; in the order of the file.
    pub fn entries(&self) -> Vec<Item<'a>> {
        let mut items: Vec<Item<'a>> =
            self.entries.into_iter().flatten().map(|(name, value)| self.item(name, value)).collect();
        items.sort_by_key(|item| item.key.start);
        items
    }

    /// Reports every key nobody asked for.
    pub fn close(self) {
        let asked = self.asked.borrow();
        for item in self.entries() {
            if !asked.contains(item.name) {
                let look_up = self.place.report.has_room_for_hints();
                let hint = look_up.then(|| did_you_mean(item.name, asked.iter().copied())).flatten();
                item.key.add(format!("{} has no place for `{}`", self.described(), item.name), hint);
            }
        }
    }

    fn described(&self) -> String {
        if self.is_file() { self.name.to_owned() } else { format!("`{}`", self.name) }
    }

    fn item(&self, name: &'a Spanned<toml::de::DeString<'a>>, value: &'a Spanned<DeValue<'a>>) -> Item<'a> {
        Item {
            name: name.get_ref(),
            key: self.place.at(clip(self.text, name.span())),
            place: self.place.at(clip(self.text, value.span())),
            source: self.text,
            value: value.get_ref(),
        }
    }
}

/// One value with the key it stands under.
#[derive(Clone, Copy)]
pub(super) struct Item<'a> {
    /// Its key; an element of a list has the list's.
    pub name: &'a str,
    /// Where the key stands.
    pub key: Place<'a>,
    /// Where the value stands.
    pub place: Place<'a>,
    source: &'a str,
    pub(super) value: &'a DeValue<'a>,
}

impl<'a> Item<'a> {
    /// The typed value, else a problem.
    pub fn read<T: Read<'a>>(self) -> Option<T> {
        let read = T::read(self.value);
        if read.is_none() {
            self.expected(T::EXPECTED);
        }
        read
    }

    /// The text, when it is one.
    pub fn text(self) -> Option<&'a str> {
        self.value.as_str()
    }

    /// Whether it is a list without items.
    pub fn is_empty_list(self) -> bool {
        self.value.as_array().is_some_and(|items| items.is_empty())
    }

    /// Whether it is a list.
    pub fn is_list(self) -> bool {
        self.value.is_array()
    }

    /// Whether it is a table.
    pub fn is_table(self) -> bool {
        self.value.is_table()
    }

    /// As a table; anything else is a problem and reads as a table about which nothing more is said.
    pub fn table(self) -> Table<'a> {
        let entries = self.value.as_table();
        if entries.is_none() {
            self.expected("a table");
        }
        Table::new(self.key, self.name, self.source, entries)
    }

    /// As a list; anything else is a problem.
    pub fn list(self) -> Vec<Item<'a>> {
        let Some(items) = self.value.as_array() else {
            self.expected("a list");
            return Vec::new();
        };
        items
            .iter()
            .map(|value| {
                let place = self.place.at(clip(self.source, value.span()));
                Item { key: place, place, value: value.get_ref(), ..self }
            })
            .collect()
    }

    /// One of the words `choices` offers, else a problem that lists them.
    pub fn word<T: Copy>(self, choices: &[(&str, T)]) -> Option<T> {
        let chosen = self.value.as_str().and_then(|word| choices.iter().find(|(known, _)| *known == word));
        if chosen.is_none() {
            let known: Vec<&str> = choices.iter().map(|(known, _)| *known).collect();
            let hint = self.text().and_then(|written| did_you_mean(written, known.iter().copied()));
            self.expected_with_hint(&one_of(&known), hint);
        }
        chosen.map(|(_, choice)| *choice)
    }

    /// Says that something else was expected here.
    pub fn expected(self, expected: &str) {
        self.expected_with_hint(expected, None);
    }

    /// The same, with what to do about it.
    pub fn expected_with_hint(self, expected: &str, hint: Option<String>) {
        self.place.add(format!("`{}` expects {expected}, found {}", self.name, found(self.value)), hint);
    }

    /// `file:line` of the key.
    pub fn position(self) -> String {
        let line = self.source[..self.key.start].matches('\n').count() + 1;
        format!("{}:{line}", self.key.file)
    }

    /// The place of a part of this text, given in bytes of its content; the whole value when it
    /// contains escapes, or is missing.
    pub fn inside(self, part: Range<usize>) -> Place<'a> {
        let raw = &self.source[self.place.span()];
        let quotes = if raw.starts_with("'''") || raw.starts_with("\"\"\"") { 3 } else { 1 };
        let Some(opened) = raw.get(quotes..) else {
            return self.place;
        };
        let newline = match quotes {
            3 if opened.starts_with("\r\n") => 2,
            3 if opened.starts_with('\n') => 1,
            _ => 0,
        };
        let content = &opened[newline..];
        match self.value.as_str() {
            Some(decoded) if content.starts_with(decoded) => {
                let part = clip(decoded, part);
                let base = self.place.start + quotes + newline;
                self.place.at(base + part.start..base + part.end)
            }
            _ => self.place,
        }
    }
}

/// "`a`, `b` or `c`".
fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [init @ .., last] if !init.is_empty() => format!("{} or {last}", init.join(", ")),
        _ => quoted.concat(),
    }
}

fn found(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) if text.trim().is_empty() => "an empty text".to_owned(),
        DeValue::String(text) if text.chars().count() <= 40 => format!("`{text}`"),
        DeValue::String(_) => "a long text".to_owned(),
        DeValue::Integer(number) => format!("the number {number}"),
        DeValue::Float(number) => format!("the number {number}"),
        DeValue::Boolean(value) => format!("`{value}`"),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// A type a value can be read as.
pub(super) trait Read<'a>: Sized {
    /// What a value of this type is, as it follows "expects".
    const EXPECTED: &'static str;
    /// The value, when it is one.
    fn read(value: &'a DeValue<'a>) -> Option<Self>;
}
