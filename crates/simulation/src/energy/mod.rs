//! The energy world: a simulated supplier in hard times, with known truth, independent of the engine.

mod happening;
mod household;
mod life;
mod moments;
mod strategy;
mod topic;
mod truth;
mod world;

pub use happening::{Happening, Moment, Reaction, What};
pub use household::{Circumstances, Contract, Day, Heard, House, Household, Traits};
pub use strategy::strategy;
pub use topic::Topic;
pub use truth::{COMPLAINT, OPT_OUT, Truth, Worth};
pub use world::{Contact, Ledger, Outcomes, World};
