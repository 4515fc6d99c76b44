//! Which kinds of rows are there? The store treats all tables alike; their meaning is the engine's.

/// A set of rows with one meaning. Adding one is a line in [`tables`].
macro_rules! tables {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A set of rows of one kind; keys are unique within it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Table {
            $($(#[$doc])* $variant,)*
        }

        impl Table {
            /// Every table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name it has on disk and in messages; never changes once released.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

tables! {
    /// The large, slowly changing part of a customer. Key: customer.
    Profile = "profile",
    /// The small part written with every decision: contact history, counters, reservations. Key: customer.
    Contacts = "contacts",
    /// Identifier to customer. Key: hash of the identifier.
    Identifier = "identifier",
    /// Which identifiers a customer has, and with whom it was merged. Key: customer.
    Person = "person",
    /// Identifiers that two persons seem to share. Key: customer, then the other one and the kind.
    Conflict = "conflict",
    /// Who is in a household. Key: household, then customer.
    Member = "member",
    /// What humans are asked to decide. Key: decision, slot, then why; owned by the customer.
    Review = "review",
    /// The question about a legal effect that was asked last. Key: customer, then hash of the action.
    Asked = "asked",
    /// Since when a customer is in which group or arm. Key: customer, then hash of what is compared.
    Enrolment = "enrolment",
    /// Decision records. Key: decision id; owned by the customer.
    Record = "record",
    /// A customer's decisions in order of time. Key: customer, then decision id.
    DecisionIndex = "decision_index",
    /// Events of a customer. Key: customer, then moment and event id.
    Event = "event",
    /// Outcomes already counted, so that each counts once. Key: customer, then outcome id.
    Outcome = "outcome",
    /// The append-only ledger of consents. Key: customer, then moment.
    Consent = "consent",
    /// What a group of customers shares. Key: household.
    Household = "household",
    /// Remaining volume. Key: quota.
    Quota = "quota",
    /// Strategies, model snapshots, counters, checkpoints of the learner. Key: chosen name.
    Meta = "meta",
    /// Input that was kept but not accepted, with the reason. Key: moment, then a number.
    Reject = "reject",
    /// The audit chains. Key: chain, then number; the chain alone is its head.
    Audit = "audit",
    /// Whom an audit entry is about. Key: as the entry, and again under the customer.
    AuditSubject = "audit_subject",
}
