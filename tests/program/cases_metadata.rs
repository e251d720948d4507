//! Metadata as real files have them, in odd places and forms: what turns a picture and what its result says of it agree,
//! colors keep their meaning, and what a result cannot have is told.

mod colors;
mod files;
mod jpeg;
mod losses;
mod orientation;
mod words;
mod xmp;
