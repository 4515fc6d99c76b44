//! Tests of a whole decision: examples by hand, the order of reasons, and properties of generated
//! organisations and customers.

mod coverage;
mod experiments;
mod explanation;
mod generated;
mod hand;
mod hostile;
mod long_history;
mod properties;
mod questions;
mod reasons;
mod replaying;
mod size;
mod smallest;
mod statements;
mod steps;
mod what_if;
mod worked_example;
