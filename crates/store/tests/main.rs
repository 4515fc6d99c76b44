//! What every store must do ([`conformance`]), and what the embedded one must do beyond that.

mod conformance;
mod crash;
mod durability;
mod erasure;
mod fixture;
mod folder;
mod pressure;
