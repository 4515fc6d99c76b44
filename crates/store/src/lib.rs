//! Where the engine's rows are kept: adapters of its storage port.
//!
//! [`FjallStore`] is the embedded default: one folder, one process, no other service. The reference
//! adapter, in memory, lives beside the port in `engine`; both pass the same conformance suite.

pub mod fjall;

pub use fjall::{FjallStore, OpenError, Options};
