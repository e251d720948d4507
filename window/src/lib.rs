//! A desktop window for srcnn-gpu: it compares networks live, and enlarges pictures and folders with the code of
//! `srcnn-gpu upscale`. README.md has more; `docs/` of the crate tells how the engine works.

mod app;
mod dialogs;
mod keys;
pub mod messages;
mod panels;
mod picture;
pub mod queue;
pub mod settings;
mod setup;
mod view;

pub use app::App;
pub use setup::{options, setup};
