//! A corpus of every format, depth, colour type, orientation, profile and animation through the real program: the
//! results have the same properties, as other programs read them.

mod alpha;
mod animation;
mod corpus;
mod desk;
mod metadata;
mod sizes;
mod stills;
