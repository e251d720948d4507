//! Whole enlargements of pictures: of several networks the right one, in as many passes as the factor takes, alpha included.
//!
//! This is what the program's `upscale` and the Python package run on. [`Headless`](crate::headless::Headless) runs one
//! network; an [`Enlarger`] has several ([`Model`]), puts those on the device that are needed, and chains them.

mod engine;
mod enlarger;
mod model;
mod passes;
mod scale_steps;
mod traces;

pub use engine::{Engine, Tune};
pub use enlarger::{Alpha, EnlargeOptions, Enlarger};
pub use model::{Model, Trained, nearest, nearest_usable, tells_apart, usable};
pub use passes::{Pass, Route, work};
pub use scale_steps::{Step, plan_steps};
pub use traces::Traces;
