//! How one picture is enlarged, as the arguments and the picture's own properties have it.

use crate::Enlargement;
use crate::enlarge::{self, EnlargeOptions};
use crate::picture::{Settings, alpha};
use image::{ColorType, DynamicImage};

use super::content::Alpha;

/// How one picture is enlarged.
#[derive(Debug, Clone, Copy)]
pub struct PictureOptions {
    pub enlargement: Enlargement,
    /// Whether it has the traces of compression, for which there may be networks of their own, if that is known.
    pub compressed: Option<bool>,
    /// The result's color type.
    pub color: ColorType,
    pub alpha: Alpha,
    /// Color to flatten the picture onto.
    pub background: Option<[u8; 3]>,
    pub to_srgb: bool,
    pub settings: Settings,
}

impl PictureOptions {
    /// What the networks have to know of it.
    pub fn enlarging(&self) -> EnlargeOptions {
        let &Self { enlargement, compressed, color, .. } = self;
        let alpha = match self.alpha {
            Alpha::Auto => enlarge::Alpha::Auto,
            Alpha::Net => enlarge::Alpha::Net,
            Alpha::Bicubic | Alpha::Drop => enlarge::Alpha::Bicubic,
        };
        EnlargeOptions { enlargement, compressed, color, alpha }
    }

    /// What is done to a picture's alpha before it is enlarged.
    pub fn prepare(&self, mut picture: DynamicImage) -> DynamicImage {
        if !picture.color().has_alpha() {
            return picture;
        }
        if let Some(color) = self.background {
            return alpha::flatten(picture, color);
        }
        if self.alpha == Alpha::Drop {
            return alpha::remove(picture);
        }
        alpha::bleed(&mut picture);
        picture
    }
}
