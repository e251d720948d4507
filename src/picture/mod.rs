//! Picture files, for every command that reads or writes some.
//!
//! [`PictureFile::open`] is the way in: it finds a file's kind by its content, its size and color type, and gives
//! metadata and pixels; [`read_frames`] gives the frames of an animation. [`encode`] is the way out: it writes a picture
//! as one of the [`Kind`]s with what metadata that kind can hold; [`encode_rows`] and [`FrameWriter`] do the same for
//! pictures and animations that are never in memory as a whole. [`alpha`] and [`profile`] are what enlarging has to do
//! about transparency and color profiles.
//!
//! The module serves the program `srcnn-gpu` and is no part of the stable interface.
//!
//! Imports lead from the top of this list to its bottom: `read`, `write`, `frames`, `losses`; a file for each format, one for
//! its pixels where these are not what the `image` crate makes of them, and one for its metadata where there is much of that;
//! `compose`, `floats`; the types `metadata`, `kind`, `animation`; what metadata consist of, `profile`, `exif`, `xmp`,
//! `photoshop`, `density`, `chunk`; `samples`, `memory`, `error`, `unread`, `junk`.

pub mod alpha;
mod animation;
mod apng;
mod chunk;
mod compose;
mod density;
mod error;
mod exif;
mod floats;
mod frames;
mod gif;
#[cfg(feature = "heic")]
mod heif;
mod jpeg;
mod jpeg_pixels;
mod jpeg_quality;
mod junk;
mod kind;
mod losses;
mod memory;
mod metadata;
mod palette;
mod photoshop;
mod png;
mod png_tags;
mod pnm;
pub mod profile;
mod read;
mod samples;
mod segments;
mod tiff;
mod tiff_pixels;
mod tiff_tags;
mod unread;
mod webp;
mod webp_pixels;
mod webp_tags;
mod write;
mod xmp;

pub use animation::{Animation, Delay};
pub use error::refuse;
pub use floats::check as check_floats;
pub use frames::{FrameWriter, read_frames};
pub use junk::is_junk;
#[cfg(feature = "dictionary")]
pub(crate) use kind::BAND_ROWS;
pub use kind::{Kind, Settings};
pub use memory::{available_memory, bytes};
pub use metadata::Metadata;
pub use read::{PictureFile, is_animated_gif};
pub use samples::{color_type, convert, depth, without_alpha};
pub use unread::{has_picture_name, is_read, unread_kind};
pub use write::{encode, encode_rows, store, stored};

/// The usual extension for the kind of file that begins like this.
pub fn extension_of(begin: &[u8]) -> Option<&'static str> {
    image::guess_format(begin).ok()?.extensions_str().first().copied()
}
