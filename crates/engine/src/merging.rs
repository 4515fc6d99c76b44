//! Are two customers one person? A human says so, or takes it back; an anonymous visitor who becomes known is
//! the only merge that needs nobody.
//!
//! Two customers who are both identified as persons are never merged by themselves: what they seem to share is
//! kept for a human to look at. A merge moves nothing, so undoing it leaves both as if it had never been.

use crate::{
    Engine, EngineError,
    audit::{Kind, Note},
    codec,
    customer::HISTORY_MS,
    person::{Merge, PARTS_MAX, Part, Person, Undone},
    storage::{Batch, Table, Ticket, Write, key},
};
use decision::{Timestamp, id::CustomerId};
use serde::{Deserialize, Serialize};
use std::sync::MutexGuard;

/// Who did something, and why.
#[derive(Debug, Clone, Copy)]
pub struct Because<'a> {
    /// Who.
    pub by: &'a str,
    /// Why.
    pub reason: &'a str,
}

/// An anonymous visitor told who they are.
pub(crate) const BECAME_KNOWN: Because<'_> =
    Because { by: "attent", reason: "an anonymous visitor became known" };

/// Why two customers cannot be merged, or a merge cannot be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotMerged {
    /// Both are the same customer.
    #[error("a customer cannot be merged with itself")]
    Itself,
    /// They are one person since an earlier merge.
    #[error("these customers are merged already; undo that merge first")]
    Already,
    /// The one has taken in the other before, so that each would be in the other.
    #[error("the customer to merge has itself taken in the other one; a merge cannot go round")]
    Cycle,
    /// Together they are more customers than a person is made of.
    #[error("a person is made of at most 64 customers")]
    TooMany,
    /// The customer was not merged into another.
    #[error("this customer was not merged into another one")]
    NotThere,
}

impl NotMerged {
    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Itself => "merge_with_itself",
            Self::Already => "merged_already",
            Self::Cycle => "merge_cycle",
            Self::TooMany => "too_many_parts",
            Self::NotThere => "not_merged",
        }
    }
}

/// Something that two persons seem to share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// The customer that counted.
    pub customer: CustomerId,
    /// The other one.
    pub other: CustomerId,
    /// The kind of identifier that led to the other one.
    pub kind: String,
    /// When it was last seen, in milliseconds since 1970 UTC.
    pub at_ms: i64,
}

/// The locks of two persons, and the persons.
type Both<'a> = (Vec<MutexGuard<'a, ()>>, Person, Person);

impl Engine {
    /// Makes two customers one person from now on; `from` as a whole is taken in by `into`. The merge, or why there is
    /// none; the ticket resolves when it is durable.
    pub fn merge(
        &self,
        from: CustomerId,
        into: CustomerId,
        because: Because<'_>,
        at: Timestamp,
    ) -> Result<Result<(Merge, Ticket), NotMerged>, EngineError> {
        let Some((_guards, mut one, mut other)) = self.hold_both(from, into)? else {
            let person = self.person(from)?;
            return Ok(Err(match from == into {
                true => NotMerged::Itself,
                false if person.head() == from => NotMerged::Cycle,
                false => NotMerged::Already,
            }));
        };
        if one.parts.len() + other.parts.len() > PARTS_MAX {
            return Ok(Err(NotMerged::TooMany));
        }
        let mut kinds: Vec<String> = one.kinds().map(str::to_owned).collect();
        kinds.sort();
        kinds.dedup();
        let merge = Merge {
            from: one.head(),
            into: other.head(),
            at_ms: at.as_millisecond(),
            by: because.by.to_owned(),
            reason: because.reason.to_owned(),
            kinds,
        };
        one.parts[0].row.into = Some(merge.clone());
        other.parts[0].row.took.push(merge.from);
        let writes = vec![one.parts[0].write(), other.parts[0].write()];
        let about = format!("{} into {}", merge.from, merge.into);
        let note = Note::new(Kind::Merge, about).of(merge.into).by(because.by);
        let batch = Batch { writes, ..Batch::default() };
        Ok(Ok((merge, self.commit_noted(batch, note, at)?)))
    }

    /// Takes a customer, with those that it had taken in itself, out of the person it was merged into. Both are
    /// again what they would have been without the merge, with everything that came in since by their own
    /// identifiers; a visitor who was parted does not become known as that person again by itself.
    pub fn unmerge(
        &self,
        customer: CustomerId,
        because: Because<'_>,
        at: Timestamp,
    ) -> Result<Result<(Undone, Ticket), NotMerged>, EngineError> {
        let (_guard, person) = self.hold(customer)?;
        let mut part = person.part(customer).clone();
        let Some(merge) = part.row.into.take() else {
            return Ok(Err(NotMerged::NotThere));
        };
        let mut parent = person.part(merge.into).clone();
        parent.row.took.retain(|taken| *taken != customer);
        parent.row.parted.insert(customer);
        let undone = Undone {
            merge,
            at_ms: at.as_millisecond(),
            by: because.by.to_owned(),
            reason: because.reason.to_owned(),
        };
        part.row.undone.push(undone.clone());
        let writes = vec![part.write(), parent.write()];
        let about = format!("{} from {}", customer, undone.merge.into);
        let note = Note::new(Kind::Unmerge, about).of(undone.merge.into).by(because.by);
        let batch = Batch { writes, ..Batch::default() };
        Ok(Ok((undone, self.commit_noted(batch, note, at)?)))
    }

    /// What persons seem to share and nobody has decided about yet, at most `limit`.
    pub fn conflicts(&self, limit: usize) -> Result<Vec<Conflict>, EngineError> {
        let mut open = Vec::new();
        for (_, bytes) in self.store.scan(Table::Conflict, &[], None, limit)? {
            let conflict: Conflict = codec::decode("conflict", &bytes)?;
            let (one, other) = (self.person(conflict.customer)?, self.person(conflict.other)?);
            let is_there = |part: &Part| !part.row.identifiers.is_empty();
            let both = one.parts.iter().any(is_there) && other.parts.iter().any(is_there);
            if both && one.head() != other.head() {
                open.push(conflict);
            }
        }
        Ok(open)
    }

    /// Keeps for a human that an identifier of one customer leads to another.
    pub(crate) fn conflict(customer: CustomerId, other: CustomerId, kind: &str, at: Timestamp) -> Write {
        let at_ms = at.as_millisecond();
        let row = Conflict { customer, other, kind: kind.to_owned(), at_ms };
        let suffix = [&other.0.to_be_bytes(), kind.as_bytes()].concat();
        Write::put(Table::Conflict, key::customer_row(customer, &suffix), codec::encode(&row))
            .owned_by(customer)
            .until(at_ms + HISTORY_MS)
    }

    /// Holds the locks of two persons; `None` when they are one.
    fn hold_both(&self, one: CustomerId, other: CustomerId) -> Result<Option<Both<'_>>, EngineError> {
        loop {
            let heads = (self.person(one)?.head(), self.person(other)?.head());
            if heads.0 == heads.1 {
                return Ok(None);
            }
            let guards = self.customers.guard_all([heads.0.0.to_be_bytes(), heads.1.0.to_be_bytes()]);
            let (one, other) = (self.person(one)?, self.person(other)?);
            if (one.head(), other.head()) == heads {
                return Ok(Some((guards, one, other)));
            }
        }
    }
}
