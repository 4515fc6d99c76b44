//! What every store must do ([`conformance`]), and what the embedded one must do beyond that.

mod carried_away;
mod conformance;
mod crash;
mod damage;
mod durability;
mod erasure;
mod faults;
mod fixture;
mod folder;
mod ledger;
mod power;
mod pressure;
