//! What rules read: one view, the request's values, the history and the moment, together.

use crate::{
    Duration, Timestamp,
    consent::PermittedView,
    profile::ContactHistory,
    request::Request,
    rules::{Fact, Facts, cost::HISTORY_READ_MAX},
    strategy::{AttributeIndex, ContextIndex, Strategy},
    value::Value,
};

/// The part of [`Facts`] that is the same for every purpose.
pub struct Moment<'a> {
    contexts: Vec<Option<&'a Value>>,
    history: &'a ContactHistory,
    /// Whether the history is short enough for rules to look through.
    readable: bool,
    at: Timestamp,
}

impl<'a> Moment<'a> {
    /// Lines the request's values up with the strategy's declarations.
    pub fn new(
        strategy: &Strategy,
        request: &'a Request,
        history: &'a ContactHistory,
        at: Timestamp,
    ) -> Self {
        let contexts = strategy.contexts.iter().map(|context| request.context.get(&context.name)).collect();
        Self { contexts, history, readable: is_readable(history, at), at }
    }
    /// Contacts and outcomes.
    pub fn history(&self) -> &'a ContactHistory {
        self.history
    }
}

/// Counts what a record keeps, so that the answer is the same when the decision is made again.
fn is_readable(history: &ContactHistory, at: Timestamp) -> bool {
    let contacts = history.contacts.iter().filter(|contact| contact.takes_attention(at));
    contacts.take(HISTORY_READ_MAX + 1).count() <= HISTORY_READ_MAX
        && history.outcomes.len() <= HISTORY_READ_MAX
}

/// One view, readable by rules.
pub struct Reading<'a> {
    /// What is permitted.
    pub view: &'a PermittedView<'a>,
    /// The rest.
    pub moment: &'a Moment<'a>,
}

impl Facts for Reading<'_> {
    fn attribute(&self, index: AttributeIndex) -> Option<Fact<'_>> {
        self.view.fact(index)
    }
    fn context(&self, index: ContextIndex) -> Option<&Value> {
        self.moment.contexts.get(usize::from(index)).copied().flatten()
    }
    fn history_is_readable(&self) -> bool {
        self.moment.readable
    }
    fn now(&self) -> Timestamp {
        self.moment.at
    }
    fn contacts(&self, scope: &str, within: Duration) -> Option<u32> {
        self.moment.readable.then(|| self.moment.history.contacts(scope, self.moment.at, within))
    }
    fn last_outcome(&self, outcome: &str, scope: &str) -> Option<Timestamp> {
        self.moment.readable.then(|| self.moment.history.last_outcome(outcome, scope))?
    }
}
