//! What tests of the other crates share: generated inventories, rules and customers, and a slow
//! obvious oracle for rules to compare the fast ones with, and a simulator of the whole engine over months.
//!
//! Nothing here is part of the product.

pub mod generate;
pub mod oracle;
pub mod saying;
pub mod simulator;
pub mod world;
