//! What the fuzzers found worth keeping goes through the same doors again.

mod corpus;
