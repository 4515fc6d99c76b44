//! How is a problem in a file shown: file, line and column, the line itself, a caret and a hint?

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use decision::strategy::{Files, Problem};
use serde_json::{Value, json};
use std::{collections::BTreeSet, io::IsTerminal, ops::Range, path::Path};

/// The line a span begins on.
struct Line<'a> {
    number: usize,
    text: &'a str,
    /// The part of the line that is meant, in bytes.
    part: Range<usize>,
}

fn line<'a>(text: &'a str, span: &Range<usize>) -> Line<'a> {
    let start = text.floor_char_boundary(span.start);
    let begin = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
    let content = text[begin..end].trim_end_matches('\r');
    let until = text.ceil_char_boundary(span.end).min(end);
    let part = (start - begin).min(content.len())..(until.saturating_sub(begin)).min(content.len());
    Line {
        number: text[..begin].matches('\n').count() + 1,
        text: content,
        part: part.start..part.end.max(part.start),
    }
}

/// The number of the line on which a span of a file begins, from 1.
pub fn line_number(files: &Files, file: &str, span: &Range<usize>) -> usize {
    files.0.get(file).map_or(1, |text| line(text, span).number)
}

/// All problems, each with its line, caret and hint; coloured when `styled`.
pub fn render(problems: &[Problem], files: &Files, folder: &Path, styled: bool) -> String {
    let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
    problems.iter().map(|problem| render_one(problem, files, folder, &renderer) + "\n\n").collect()
}

fn render_one(problem: &Problem, files: &Files, folder: &Path, renderer: &Renderer) -> String {
    let path = folder.join(&problem.file).display().to_string();
    let title = Level::ERROR.primary_title(problem.message.as_str());
    let place = problem.span.as_ref().and_then(|span| Some(line(files.0.get(&problem.file)?, span)));
    let mut group = match &place {
        Some(line) => Group::with_title(title).element(
            Snippet::source(line.text)
                .line_start(line.number)
                .path(path)
                .annotation(AnnotationKind::Primary.span(line.part.clone())),
        ),
        None => Group::with_title(title).element(annotate_snippets::Origin::path(path)),
    };
    if let Some(hint) = &problem.hint {
        group = group.element(Level::HELP.message(hint.as_str()));
    }
    renderer.render(&[group])
}

/// All problems for machines: file, line and column from 1 (columns count characters), message and hint.
pub fn to_json(problems: &[Problem], files: &Files) -> Value {
    let one = |problem: &Problem| {
        let place = problem.span.as_ref().and_then(|span| Some(line(files.0.get(&problem.file)?, span)));
        let column = place.as_ref().map(|line| line.text[..line.part.start].chars().count() + 1);
        json!({
            "file": problem.file,
            "line": place.map(|line| line.number),
            "column": column,
            "message": problem.message,
            "hint": problem.hint,
        })
    };
    problems.iter().map(one).collect()
}

/// For example `12 problems in 5 files`.
pub fn summary(problems: &[Problem]) -> String {
    let files: BTreeSet<&str> = problems.iter().map(|problem| problem.file.as_str()).collect();
    format!("{} in {}", count(problems.len(), "problem"), count(files.len(), "file"))
}

/// `1 action`, `2 actions`.
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Whether standard output is a terminal that wants colours.
pub fn wants_colours() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
