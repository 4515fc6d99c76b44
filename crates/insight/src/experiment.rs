//! Is one way to decide better than another? Arms and control groups compared per customer, with intervals
//! that stay valid however often they are looked at, and advice in words.
//!
//! A customer counts once, when the time they are looked at is over, so that customers are alike whenever
//! they came. Deliberately not here: who is in which arm, and what anything is worth (`engine`).

pub mod advice;
mod page;
pub mod power;
pub mod ratio;
pub mod report;
pub mod sequence;
