//! One decision, from start to end.
//!
//! Given a [`strategy::Strategy`], everything known about one customer ([`inputs::Inputs`]), a
//! [`request::Request`], a moment and a seed, [`decide::decide`] returns one [`record::Decision`]: what to
//! say, do or ask on each placement, or to stay silent, and why each other candidate was not chosen.
//!
//! This crate knows no clock, entropy, input/output, async or unordered maps: the same arguments
//! give the same bytes. Folders are the steps of a decision; start reading at [`decide`].
#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

pub mod arbitration;
pub mod candidate;
pub mod catalogue;
pub mod consent;
pub mod contact_policy;
pub mod decide;
pub mod estimate;
pub mod experiment;
pub mod explain;
pub mod id;
pub mod inputs;
pub mod integrity;
pub mod invariant;
pub mod principles;
pub mod profile;
pub mod propensity;
pub mod questions;
pub mod reading;
pub mod record;
pub mod replay;
pub mod request;
pub mod rules;
pub mod selection;
pub mod strategy;
pub mod trace;
pub mod value;
pub mod what_if;

/// A moment, to the nanosecond, independent of any time zone.
pub type Timestamp = jiff::Timestamp;
/// An exact length of time.
pub type Duration = jiff::SignedDuration;
