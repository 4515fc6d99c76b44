//! The server over real HTTP on a loopback port, with a clock that the test sets.

mod access;
mod bad_input;
mod browser;
mod consent;
mod crowd;
mod desk;
mod document;
mod harness;
mod operation;
mod reports;
mod story;
mod time_out;
