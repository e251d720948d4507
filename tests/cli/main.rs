//! The program itself: exit codes, what it prints where, what it writes and what it leaves alone.

#[path = "../common/mod.rs"]
mod common;

mod adapters;
mod outputs;
mod pictures;
mod refusals;
mod usage;
