//! Picture files: reading by content, what each written kind can hold, writing by extension.

pub mod alpha;
pub mod animation;
mod apng;
mod exif;
mod gif;
mod jpeg;
mod kind;
mod memory;
mod metadata;
mod png;
pub mod profile;
mod read;
mod tiff;
mod webp;
mod write;

pub use kind::{Kind, color_type, depth};
pub use memory::{available_memory, bytes};
pub use metadata::Metadata;
pub use read::Header;
pub use write::{Settings, convert, encode, encode_rows, store, stored};

/// The usual extension of the kind of file that begins like this.
pub fn extension_of(begin: &[u8]) -> Option<&'static str> {
    image::guess_format(begin).ok()?.extensions_str().first().copied()
}
