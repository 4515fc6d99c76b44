//! The house keeps its arrows, and the fast rules agree with the oracle, and the engine keeps its promises over months.

mod house;
mod rules;
mod simulator;
mod threads;
