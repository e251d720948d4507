//! The program itself, run as a process: exit codes, what it prints and where, what it writes and what it leaves
//! alone.

#[path = "../common/mod.rs"]
mod common;

mod adapters;
mod advice;
mod automation;
mod between;
mod cases_metadata;
mod cases_pixels;
mod compare;
mod degradations;
mod dictionaries;
mod eval;
mod eval_methods;
mod export;
mod folders;
mod formats;
mod kills;
mod limits;
mod model;
#[cfg(unix)]
mod neighbors;
mod outputs;
mod pictures;
mod plot;
mod ranks;
mod refusals;
mod report;
mod reruns;
mod stderr;
mod telling;
mod train_cli;
mod train_kill;
mod train_limits;
mod usage;
mod video;
mod video_ends;
mod video_files;
mod words;
