//! The organisation's own handbook, compiled: what [`crate::decide`] needs to know that does not
//! change from one customer to the next.

pub mod model;

pub use model::*;
