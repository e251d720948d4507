//! Training by several ranks, each with a device of its own: data parallel.
//!
//! Every rank has all parameters. Each batch is the one that a single process would take; a rank takes a slice of it, and
//! the mean of the gradients over the batch ([`gradient_mean`](super::gradient_mean)) is what all of them update by. So the
//! number of ranks changes a run by rounding alone, and a run may go on with another number of them. Ranks stream the same
//! shards, two of which are in memory at most, whatever the size of the data: what a rank holds does not grow with the data,
//! and what it reads does not shrink with the number of ranks.
//!
//! Rank 0 runs the session, which knows nothing of ranks: its engine and its validation ([`Leader`], [`LeaderValidation`])
//! tell the others what comes next ([`link`]), and these do the same ([`work`]). [`agree`] comes before the first step.

pub mod agree;
mod engine;
mod leader;
pub mod link;
mod worker;

pub use engine::RankEngine;
pub use leader::{Leader, LeaderValidation};
pub use worker::work;
