//! The simulated worlds, and what the real engine makes of them.

mod strategy;
mod world;
