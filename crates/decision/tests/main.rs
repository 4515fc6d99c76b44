//! Tests of a whole decision: examples by hand, the order of reasons, and properties of generated
//! organisations and customers.

mod coverage;
mod generated;
mod replaying;
mod smallest;
