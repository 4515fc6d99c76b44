//! Learning seen from outside: journals in, predictions out.

mod altered;
mod context;
mod delay;
mod fold;
mod journal;
mod robustness;
mod withdrawal;
