//! Which names of one kind are declared, and which of them did somebody mean?

use super::{document::Item, problem::Place};

/// The declared names of one kind.
#[derive(Debug, Clone)]
pub(super) struct Names {
    kind: &'static str,
    known: Vec<String>,
    complete: bool,
}

impl Names {
    /// `complete` is false when a file that may declare more of them could not be read in full;
    /// then nothing is called undeclared.
    pub fn new<T: AsRef<str>>(
        kind: &'static str,
        known: impl IntoIterator<Item = T>,
        complete: bool,
    ) -> Self {
        let mut known: Vec<String> = known.into_iter().map(|name| name.as_ref().to_owned()).collect();
        known.sort();
        known.dedup();
        Self { kind, known, complete }
    }

    pub fn contains(&self, name: &str) -> bool {
        self.known.binary_search_by(|known| known.as_str().cmp(name)).is_ok()
    }

    /// The name when it is declared, else a problem at `place`.
    pub fn check<'n>(&self, name: &'n str, place: Place<'_>) -> Option<&'n str> {
        if self.contains(name) {
            return Some(name);
        }
        if self.complete {
            let hint = place.report.has_room_for_hints().then(|| self.hint(name)).flatten();
            place.add(format!("no {} is called `{name}`", self.kind), hint);
        }
        None
    }

    /// The same for a text item.
    pub fn resolve<'a>(&self, item: Item<'a>) -> Option<&'a str> {
        let name: &str = item.read()?;
        self.check(name, item.place)
    }

    /// The same for every text of a list.
    pub fn resolve_all<'a>(&self, items: Vec<Item<'a>>) -> Vec<&'a str> {
        items.into_iter().filter_map(|item| self.resolve(item)).collect()
    }

    fn hint(&self, name: &str) -> Option<String> {
        did_you_mean(name, self.known.iter().map(String::as_str)).or_else(|| match self.known.as_slice() {
            [] => Some(format!("no {} is declared at all", self.kind)),
            known if known.len() <= 8 => Some(format!("there is {}", quoted(known))),
            _ => None,
        })
    }
}

fn quoted(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// ``did you mean `…`?`` when one of the known words is close to what was written.
pub(crate) fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(written, known).map(|name| format!("did you mean `{name}`?"))
}

/// The known word closest to what was written, when at most a third of its letters differ; ties go to the first.
pub(crate) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST_WORD: usize = 80;
    if written.len() > LONGEST_WORD {
        return None;
    }
    known
        .into_iter()
        .filter(|word| word.len() <= LONGEST_WORD)
        .map(|word| (strsim::osa_distance(written, word), word))
        .filter(|(distance, word)| *distance <= (word.chars().count().max(3) / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_finds_the_word_that_was_meant() {
        let known = ["customer", "organisation", "prior"];
        assert_eq!(nearest("organization", known), Some("organisation"));
        assert_eq!(nearest("piror", known), Some("prior"));
    }

    #[test]
    fn another_word_altogether_suggests_nothing() {
        assert_eq!(nearest("fatigue", ["customer", "organisation", "prior"]), None);
        assert_eq!(nearest(&"x".repeat(5_000), ["customer"]), None);
    }
}
