//! [`When`], of options.

/// When a way with fewer products is taken, whose results are the same up to rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum When {
    /// On adapters where it is known to be faster, for results of a million pixels or more: its kernels take time to
    /// compile.
    #[default]
    Auto,
    /// Wherever it can be.
    Always,
    /// Not at all.
    Never,
}

impl When {
    const LARGE: usize = 1_000_000;

    /// Whether it is, for a result of so many pixels, where it can be.
    pub(super) fn wants(self, faster: bool, pixels: usize) -> bool {
        match self {
            Self::Auto => faster && pixels >= Self::LARGE,
            Self::Always => true,
            Self::Never => false,
        }
    }
}
