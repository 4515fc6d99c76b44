//! The engine through its public API, on the memory store, with an explicit clock and seeds.

mod after_the_fact;
mod audit;
mod erasing;
mod experiments;
mod history;
mod households;
mod identity;
mod learning_loop;
mod memory_of_contacts;
mod once;
mod reliability;
mod reports;
mod retention;
mod rights;
mod shop;
mod statements;
mod tampering;
