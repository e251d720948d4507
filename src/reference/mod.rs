//! CPU twins of the shaders, in f64 and in plain loops: what each kernel is tested against.
//!
//! Planes are `[channel][row][column]`, values nominally in 0..1.

pub mod resample;
