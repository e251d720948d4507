//! Argument groups and value parsers that several commands share.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use srcnn_gpu::Padding;

pub mod checks;
pub mod gpu;
pub mod models;
pub mod names;
pub mod precision;
pub mod tuning;

/// The library's names of the padding modes.
pub fn padding() -> impl TypedValueParser<Value = Padding> {
    padding_names(|_| true)
}

/// The same without one that makes no sense where it is asked for.
pub fn padding_but(unfit: Padding) -> impl TypedValueParser<Value = Padding> {
    padding_names(move |name| name != unfit.to_string())
}

fn padding_names(fits: impl Fn(&str) -> bool) -> impl TypedValueParser<Value = Padding> {
    let names = Padding::NAMES.iter().copied().filter(|name| fits(name));
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Padding>())
}
