//! What do decisions and outcomes add up to? Folds over records: funnels, model quality, and
//! intervals with the customer as the unit.
//!
//! Nothing here decides, learns or stores; nothing here names a customer.

pub mod funnel;
pub mod interval;
pub mod quality;
