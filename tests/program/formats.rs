//! A corpus of every format, depth, color type, orientation, profile and animation through the real program: the
//! results have the same properties, as read by other programs.

mod alpha;
mod animation;
mod broken;
pub mod corpus;
pub mod desk;
mod metadata;
mod sizes;
mod stills;
