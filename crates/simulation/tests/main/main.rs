//! The simulated worlds, and what the real engine makes of them.

mod asking;
mod backtest;
mod demo;
mod diet;
mod drift;
mod import;
mod planted;
mod real;
mod retailer;
mod shop;
mod strategy;
mod travel;
mod world;
