//! What do decisions and outcomes add up to? Folds over records: funnels, model quality, drift, and
//! intervals with the customer as the unit. And what do purchases add up to: the value to be expected, what is similar.
//!
//! Nothing here decides or learns; nothing here names a customer. [`worth`] alone writes: attributes that follow
//! from others.

pub mod diet;
pub mod drift;
pub mod experiment;
pub mod fairness;
pub mod funnel;
pub mod interval;
pub mod inventory;
pub mod lifetime;
pub mod models;
pub mod notice;
pub mod off_policy;
pub mod protected;
pub mod proxies;
pub mod quality;
pub mod reading;
pub mod register;
pub mod report;
pub mod similar;
pub mod worth;
