//! The house keeps its arrows, and the fast rules agree with the oracle.

mod house;
mod rules;
