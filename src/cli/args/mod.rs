//! Argument groups and value parsers that several commands share.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use srcnn_gpu::Padding;

pub mod checks;
pub mod gpu;
pub mod models;
pub mod precision;
pub mod tuning;

/// The library's names of the padding modes.
pub fn padding() -> impl TypedValueParser<Value = Padding> {
    PossibleValuesParser::new(Padding::NAMES).try_map(|name| name.parse::<Padding>())
}
