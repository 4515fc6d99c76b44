//! The shell around a decision: it loads, decides, records, reserves and learns.

pub mod storage;
