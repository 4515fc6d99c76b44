//! Everything that later files may refer to, gathered while the earlier ones are read.

use super::{
    document::Item,
    model::{Attribute, Channel, Context, Event, IdentifierKind, Placement, Purpose, PurposeIndex},
    names::Names,
    problem::Place,
    purchases::Purchases,
};
use crate::{
    id::{ActionId, Language},
    rules::{Environment, Position, Rule, RuleProblem, View},
    value::{Value, ValueType},
};
use jiff::tz::TimeZone;
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

/// What is declared.
pub(super) struct Vocabulary {
    pub time_zone: TimeZone,
    pub languages: Vec<Language>,
    pub purposes: Vec<Purpose>,
    pub purpose_names: Names,
    pub channels: Vec<Channel>,
    pub channel_names: Names,
    pub placements: Vec<Placement>,
    pub placement_names: Names,
    pub attributes: Vec<Attribute>,
    pub attribute_names: Names,
    pub contexts: Vec<Context>,
    pub context_names: Names,
    pub events: Vec<Event>,
    pub identifiers: BTreeMap<String, IdentifierKind>,
    pub event_names: Names,
    pub purchases: Option<Purchases>,
    /// Issues, groups and actions.
    pub scope_names: Names,
    pub action_names: Names,
    /// Outcomes that events, reports or the organisation declare.
    pub outcome_names: Names,
    /// Variants of the strategy; `None` when these are the files of one.
    pub variant_names: Option<Names>,
    /// What each rule takes, for the one that drives the whole.
    pub steps: RefCell<Vec<Steps>>,
    /// Whether purposes and inventory were understood well enough to type rules against them.
    pub rules_can_be_typed: bool,
}

/// What one rule takes, and where it stands.
pub(super) struct Steps {
    pub steps: u64,
    pub file: String,
    pub span: Range<usize>,
}

impl Vocabulary {
    /// A purpose by name, else a problem.
    pub fn purpose(&self, item: Item<'_>) -> Option<PurposeIndex> {
        let name = self.purpose_names.resolve(item)?;
        let index = self.purposes.iter().position(|purpose| purpose.id.as_str() == name)?;
        PurposeIndex::try_from(index).ok()
    }

    /// A list of scopes of actions, each of which must exist.
    pub fn scopes(&self, items: Vec<Item<'_>>) -> Vec<String> {
        self.scope_names.resolve_all(items).into_iter().map(str::to_owned).collect()
    }

    /// A value of a declared type; of any type when types were not understood.
    pub fn value_of(&self, item: Item<'_>, value_type: ValueType, values: &[String]) -> Option<Value> {
        if self.rules_can_be_typed {
            item.value_of(value_type, values, &self.time_zone)
        } else {
            item.any_value(&self.time_zone)
        }
    }

    /// What a rule at this position may read.
    pub fn environment(&self, view: View, position: Position) -> Environment<'_> {
        Environment {
            purposes: &self.purposes,
            attributes: &self.attributes,
            contexts: &self.contexts,
            time_zone: &self.time_zone,
            view,
            position,
        }
    }

    /// A condition, with its problems shown where they are in the file.
    pub fn condition(&self, item: Item<'_>, view: View, position: Position) -> Option<Rule> {
        let source: &str = item.read()?;
        self.typed(item, Rule::condition(source, &self.environment(view, position)))
    }

    /// An amount: a number or a rule that gives one.
    pub fn amount(&self, item: Item<'_>, view: View) -> Option<Rule> {
        let Some(source) = item.text() else {
            return item.read().map(Rule::constant);
        };
        self.typed(item, Rule::amount(source, &self.environment(view, Position::Value)))
    }

    fn typed(&self, item: Item<'_>, rule: Result<Rule, Vec<RuleProblem>>) -> Option<Rule> {
        let rule = rule.map_err(|problems| self.show(item, problems)).ok()?;
        let (file, span) = (item.place.file.to_owned(), item.place.span());
        self.steps.borrow_mut().push(Steps { steps: rule.steps_max(), file, span });
        Some(rule)
    }

    /// Shows a rule's problems in the file, unless they may follow from an inventory that was not understood.
    pub fn show(&self, item: Item<'_>, problems: Vec<RuleProblem>) {
        if self.rules_can_be_typed {
            for problem in problems {
                item.inside(problem.span).add(problem.message, problem.hint);
            }
        }
    }
}

/// Reports a name that is declared twice.
pub(super) fn report_repetition<'a>(
    seen: &mut BTreeSet<&'a str>,
    kind: &str,
    name: &'a str,
    place: Place<'_>,
) {
    if !seen.insert(name) {
        place.problem(format!("the {kind} `{name}` is declared twice"));
    }
}

/// Reports a name that is not lower-case letters, digits and `_`, starting with a letter.
pub(super) fn report_unfit_name(kind: &str, name: &str, place: Place<'_>) {
    let fit = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !fit || name.len() > 64 {
        place.problem_with_hint(
            format!("`{name}` cannot be the name of {kind}"),
            "use at most 64 lower-case letters, digits and `_`, starting with a letter",
        );
    }
}

/// The scopes of these actions: every issue, group and action.
pub(super) fn scopes_of(actions: &[ActionId]) -> BTreeSet<String> {
    actions
        .iter()
        .flat_map(|action| [action.issue(), action.group(), action.as_str()])
        .map(str::to_owned)
        .collect()
}
