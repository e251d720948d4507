//! How kernels read maps.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::gpu::adapter::{AdapterKind, Software};
use crate::gpu::compile::Binding;
use crate::gpu::compose::Template;

/// How kernels read maps in single precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MapRead {
    /// As sampled textures, through the caches of a GPU.
    #[default]
    Sampled,
    /// As storage textures, which cost llvmpipe a fraction of sampled ones (benches/README.md).
    Storage,
}

impl MapRead {
    /// For a kind of adapter, before any measurement.
    pub(crate) fn for_kind(kind: AdapterKind) -> Self {
        if kind.software == Some(Software::Llvmpipe) { Self::Storage } else { Self::Sampled }
    }

    /// What kernels bind maps as.
    pub(crate) fn binding(self) -> Binding {
        match self {
            Self::Sampled => Binding::Texture,
            Self::Storage => Binding::Source,
        }
    }

    /// A word for the name of a kernel's variant.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sampled => "",
            Self::Storage => "maps_storage",
        }
    }
}

impl fmt::Display for MapRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sampled => "sampled",
            Self::Storage => "storage",
        })
    }
}

impl FromStr for MapRead {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "sampled" => Ok(Self::Sampled),
            "storage" => Ok(Self::Storage),
            _ => Err(Error::invalid(format!("'{text}' is no way to read maps: sampled or storage"))),
        }
    }
}

impl Template {
    /// Chooses how maps are read, and weights in a texture.
    pub(crate) fn map_read(self, read: MapRead) -> Self {
        match read {
            MapRead::Sampled => self
                .part("read_input", "read_input_sampled")
                .part("read_gate", "read_gate_sampled")
                .part("read_gradient", "read_gradient_sampled")
                .part("read_weights", "read_weights_sampled"),
            MapRead::Storage => self
                .part("read_input", "read_input_storage")
                .part("read_gate", "read_gate_storage")
                .part("read_gradient", "read_gradient_storage")
                .part("read_weights", "read_weights_storage"),
        }
    }
}
