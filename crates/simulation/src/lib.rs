//! What would happen? Simulated worlds whose truth is known, run through the real engine under a
//! virtual clock.
//!
//! A world shows the engine what the real world would show it: events, consents, moments, reactions.
//! What is true stays in the world, and is used to count what a policy was worth, never to decide.
//! Measures (AUC, log-loss, calibration, intervals per customer) come from [`insight`]; nothing here computes its own.

pub mod backtest;
pub mod chance;
pub mod clock;
pub mod demo;
pub mod energy;
pub mod hindsight;
pub mod import;
pub mod lab;
