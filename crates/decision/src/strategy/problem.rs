//! What is wrong with the files, and where: collected, never thrown, so that one run shows everything.

use std::{cell::RefCell, ops::Range};

/// One mistake in a strategy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Path relative to the strategy folder, with `/`.
    pub file: String,
    /// Bytes of the file's text it is about; `None` when it is about the file as a whole.
    pub span: Option<Range<usize>>,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Most problems shown at once; more are not looked for.
const PROBLEMS_MAX: usize = 1_000;
/// Most problems for which a hint is looked up: each is compared with every known name.
const HINTS_MAX: usize = 200;

/// Collects problems while the files are read.
#[derive(Debug, Default)]
pub(super) struct Report {
    problems: RefCell<Vec<Problem>>,
    garbled: RefCell<Vec<(String, Range<usize>)>>,
}

impl Report {
    /// Adds a problem, unless it is about a line that was not understood anyway.
    pub fn add(&self, problem: Problem) {
        let start = problem.span.as_ref().map(|span| span.start);
        let garbled = self.garbled.borrow();
        let silent = start.is_some_and(|start| {
            garbled
                .iter()
                .any(|(file, line)| *file == problem.file && (line.start..=line.end).contains(&start))
        });
        if !silent && !self.is_full() {
            self.problems.borrow_mut().push(problem);
        }
    }

    /// Whether there are so many problems already that one more helps nobody.
    fn is_full(&self) -> bool {
        self.problems.borrow().len() >= PROBLEMS_MAX
    }

    /// Whether there are few enough problems to look up what was meant.
    pub fn has_room_for_hints(&self) -> bool {
        self.problems.borrow().len() < HINTS_MAX
    }

    /// Adds a problem because of which these lines could not be understood.
    pub fn add_garbled(&self, problem: Problem, lines: Range<usize>) {
        self.garbled.borrow_mut().push((problem.file.clone(), lines));
        self.problems.borrow_mut().push(problem);
    }

    /// A problem of a file as a whole.
    pub fn about_file(&self, file: &str, message: impl Into<String>, hint: Option<String>) {
        self.add(Problem { file: file.to_owned(), span: None, message: message.into(), hint });
    }

    pub fn is_empty(&self) -> bool {
        self.problems.borrow().is_empty()
    }

    /// All problems, in order of file and position, without repetitions.
    pub fn into_sorted(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by(|one, other| sort_key(one).cmp(&sort_key(other)));
        problems.dedup();
        problems
    }
}

fn sort_key(problem: &Problem) -> (&str, usize, usize, &str) {
    let span = problem.span.clone().unwrap_or_default();
    (&problem.file, span.start, span.end, &problem.message)
}

/// A place in a file, where something can be said about what stands there.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub report: &'a Report,
    pub file: &'a str,
    pub start: usize,
    pub end: usize,
}

impl<'a> Place<'a> {
    pub fn problem(self, message: impl Into<String>) {
        self.add(message.into(), None);
    }

    pub fn problem_with_hint(self, message: impl Into<String>, hint: impl Into<String>) {
        self.add(message.into(), Some(hint.into()));
    }

    pub fn add(self, message: String, hint: Option<String>) {
        self.report.add(Problem {
            file: self.file.to_owned(),
            span: Some(self.start..self.end),
            message,
            hint,
        });
    }

    /// Another place in the same file.
    pub fn at(self, span: Range<usize>) -> Self {
        Self { start: span.start, end: span.end, ..self }
    }

    pub fn span(self) -> Range<usize> {
        self.start..self.end
    }
}
