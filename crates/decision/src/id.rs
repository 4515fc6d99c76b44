//! The names things go by. Every kind of id is its own type, so that one cannot stand in for another.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, sync::Arc};

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(Arc<str>);

        impl $type {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
            /// The name as shared text, without copying.
            pub fn shared(&self) -> Arc<str> {
                self.0.clone()
            }
        }
        impl From<&str> for $type {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }
        impl From<String> for $type {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }
        impl std::borrow::Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "`{}`", self.0)
            }
        }
    };
}

name! {
    /// An action's full path, `issue/group/action`; a scope is any prefix of it.
    ActionId
}
name! {
    /// A treatment of one action; unique within the action.
    TreatmentId
}
name! {
    /// What a customer would rather not hear about: an issue, a group or a whole action.
    Topic
}
name! {
    /// A declared fact about a customer or household.
    AttributeName
}
name! {
    /// A declared value that comes with the request, not from the profile.
    ContextName
}
name! {
    /// A purpose for which data may be used.
    PurposeId
}
name! {
    /// A channel, for example `email` or `call_centre`.
    ChannelId
}
name! {
    /// A place on a channel where something can be said.
    PlacementId
}
name! {
    /// An organisation-wide principle.
    PrincipleId
}
name! {
    /// A comparison of arms.
    ExperimentId
}
name! {
    /// One arm of an experiment; unique within it.
    ArmId
}
name! {
    /// A limit or pause of the contact policy.
    PolicyId
}
name! {
    /// A declared event, for example `contract_renewed`.
    EventName
}
name! {
    /// A declared outcome, for example `goal`, `complaint`, `rejected`.
    OutcomeName
}
name! {
    /// A language, for example `nl`.
    Language
}

impl ActionId {
    /// The issue: the path's first part.
    pub fn issue(&self) -> &str {
        self.0.split('/').next().unwrap_or(&self.0)
    }
    /// The group with its issue: the path without its last part.
    pub fn group(&self) -> &str {
        self.0.rsplit_once('/').map_or(&*self.0, |(group, _)| group)
    }
    /// Whether this action lies in `scope`: an issue, an `issue/group` or a whole path.
    pub fn within(&self, scope: &str) -> bool {
        self.0.strip_prefix(scope).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

macro_rules! number {
    ($(#[$doc:meta])* $type:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $type(pub u128);

        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!($prefix, "{:032x}"), self.0)
            }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, formatter)
            }
        }
        impl FromStr for $type {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix($prefix)
                    .filter(|digits| digits.len() == 32 && !digits.starts_with('+'))
                    .and_then(|digits| u128::from_str_radix(digits, 16).ok())
                    .map(Self)
                    .ok_or(InvalidId { expected: $prefix })
            }
        }
    };
}

number! {
    /// A customer's minted random key; says nothing about the person.
    CustomerId, "c_"
}
number! {
    /// A decision's key; sorts by the moment it was made.
    DecisionId, "d_"
}

/// The text is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id here is `{expected}` followed by 32 hexadecimal digits")]
pub struct InvalidId {
    expected: &'static str,
}
