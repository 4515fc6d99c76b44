//! One decision, from start to end.
//!
//! Given a [`strategy::Strategy`], everything known about one customer ([`inputs::Inputs`]), a
//! [`request::Request`], a moment and a seed, [`decide::decide`] returns one [`record::Decision`]: what to
//! say, do or ask on each placement, or to stay silent, and why each other candidate was not chosen.
//!
//! This crate knows no clock, entropy, input/output, async or unordered maps: the same arguments
//! give the same bytes. Folders are the steps of a decision; start reading at [`decide`].
#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

pub mod id;
pub mod inputs;
pub mod profile;
pub mod request;
pub mod rules;
pub mod strategy;
pub mod value;

/// A moment, to the nanosecond, independent of any time zone.
pub type Timestamp = jiff::Timestamp;
/// An exact length of time.
pub type Duration = jiff::SignedDuration;
