//! What decisions add up to, on made-up and on real logs.

mod by_hand;
mod coverage;
mod diet;
mod integrity;
mod inventory;
mod lifetime;
mod online_retail;
mod open_bandit;
mod openness;
mod peeking;
mod reliability;
mod similar;
