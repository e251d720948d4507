//! Whole enlargements of pictures: of several networks the right one, in as many passes as the factor takes, alpha included, and
//! bicubic interpolation for what a factor between the trained ones is away from them.
//!
//! This is what the program's `upscale` and the Python package run on. [`Headless`](crate::headless::Headless) runs one
//! network; an [`Enlarger`] has several ([`Model`]), puts those on the device that are needed, and chains them.

mod engine;
mod enlarger;
mod model;
mod passes;
mod planes;
mod rest;
mod traces;

pub use engine::{Engine, Tune};
pub use enlarger::{Alpha, EnlargeOptions, Enlarger};
pub use model::{Model, Trained, nearest, one_step, tells_apart, usable};
pub use passes::{Pass, Rest, Route, work};
pub use planes::enlarge_planes;
pub use traces::Traces;
