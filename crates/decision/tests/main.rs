//! Tests of a whole decision: examples by hand, the order of reasons, and properties of generated
//! organisations and customers.

mod coverage;
mod generated;
mod hand;
mod properties;
mod reasons;
mod replaying;
mod smallest;
mod worked_example;
