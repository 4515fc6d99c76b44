//! The simulated worlds, and what the real engine makes of them.

mod backtest;
mod demo;
mod import;
mod retailer;
mod strategy;
mod world;
