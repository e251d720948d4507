//! What the user has chosen: networks, size, format and quality of the results.

use std::path::PathBuf;
use std::sync::Arc;

use srcnn_gpu::enlarge::Model;
use srcnn_gpu::jobs::{Existing, OutputFormat};
use srcnn_gpu::stages::{ContentArgs, PictureArgs, SizeArgs};
use srcnn_gpu::{Result, Shipped};

/// Formats to choose from, besides what the input's name says.
pub const FORMATS: [&str; 7] = ["png", "jpg", "webp", "tiff", "bmp", "gif", "qoi"];

/// Which network to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Network {
    /// What `upscale` takes by itself.
    Usual,
    Shipped(Shipped),
    /// A weight file, or the folder of a training run.
    File(PathBuf),
}

impl Network {
    /// Those that need no file.
    pub fn built_in() -> Vec<Self> {
        let families = Shipped::NAMES.iter().filter_map(|name| name.parse().ok());
        [Self::Usual].into_iter().chain(families.map(Self::Shipped)).collect()
    }

    /// For the user.
    pub fn name(&self) -> String {
        match self {
            Self::Usual => "automatic".into(),
            Self::Shipped(family) => family.to_string(),
            Self::File(path) => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        }
    }

    /// The networks, for a factor if one is asked for.
    ///
    /// # Errors
    /// [`srcnn_gpu::Error::Model`] for files that cannot be read.
    pub fn load(&self, factor: Option<f64>) -> Result<Arc<[Model]>> {
        let models = match self {
            Self::Usual => Model::usual(factor, true)?,
            Self::Shipped(family) => Model::with_clean(Model::shipped(*family)?)?,
            Self::File(path) => Model::load(path)?,
        };
        Ok(models.into())
    }
}

/// How the size of the results is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Factor,
    Width,
    Height,
}

/// All that can be chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub network: Network,
    /// To compare with.
    pub second: Option<Network>,
    pub by: By,
    pub factor: f64,
    /// Pixels of the width or height, if that gives the size.
    pub side: u32,
    /// One of [`FORMATS`]; `None` leaves it to the input's.
    pub format: Option<&'static str>,
    /// 1 to 100, of formats that have one.
    pub quality: Option<u8>,
    /// Where results go; `None` is beside each picture.
    pub folder: Option<PathBuf>,
    pub existing: Existing,
    /// Whether the folders in folders are taken.
    pub recursive: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            network: Network::Usual,
            second: None,
            by: By::Factor,
            factor: 2.0,
            side: 3840,
            format: None,
            quality: None,
            folder: None,
            existing: Existing::Skip,
            recursive: true,
        }
    }
}

impl Settings {
    /// The factor, if that gives the size.
    pub fn factor(&self) -> Option<f64> {
        (self.by == By::Factor).then_some(self.factor)
    }

    /// Whether results may be written in a format that has a quality.
    pub fn has_quality(&self) -> bool {
        self.format.is_none_or(|format| ["jpg", "webp"].contains(&format))
    }

    /// The same as the program's arguments.
    ///
    /// # Errors
    /// [`srcnn_gpu::Error::InvalidArgument`] for numbers out of range.
    pub fn arguments(&self) -> Result<PictureArgs> {
        let size = match self.by {
            By::Factor => SizeArgs::of_scale(self.factor)?,
            By::Width => SizeArgs::of_sides(Some(self.side), None)?,
            By::Height => SizeArgs::of_sides(None, Some(self.side))?,
        };
        let format = self.format.map(OutputFormat::parse).transpose()?;
        let quality = self.quality.filter(|_| self.has_quality());
        Ok(PictureArgs { size, content: ContentArgs::new(format, quality)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use srcnn_gpu::Enlargement;

    #[test]
    fn sizes_are_those_of_the_arguments() {
        let mut settings = Settings { factor: 3.0, ..Settings::default() };
        let enlargement = |settings: &Settings| settings.arguments().unwrap().size.enlargement((40, 30));
        assert_eq!(enlargement(&settings).unwrap(), Enlargement::Factor(3.0));
        settings.by = By::Height;
        settings.side = 60;
        assert_eq!(enlargement(&settings).unwrap(), Enlargement::Size(80, 60));
        settings.side = 20;
        assert!(enlargement(&settings).is_err(), "smaller than the picture");
        settings.side = 0;
        assert!(settings.arguments().is_err());
    }

    #[test]
    fn all_networks_can_be_read() {
        for network in Network::built_in() {
            assert!(!network.load(Some(2.0)).unwrap().is_empty(), "{network:?}");
        }
        assert!(Network::File("none.safetensors".into()).load(None).is_err());
        let restoring = Network::Usual.load(Some(1.0)).unwrap();
        assert_eq!(restoring[0].family, Some(Shipped::Deblock));
    }

    #[test]
    fn all_formats_are_known() {
        for format in FORMATS {
            let settings = Settings { format: Some(format), quality: Some(90), ..Settings::default() };
            assert!(settings.arguments().is_ok(), "{format}");
        }
    }
}
