//! Which method a dictionary is for, with its parameters.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Dictionary;
use crate::error::{Error, Result};

/// A method on a dictionary of patches, with what its paper sets. A weight file has it as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum Method {
    /// Anchored neighborhood regression (Timofte, De Smet and Van Gool, ICCV 2013): each atom has a matrix that maps features
    /// to the residual, by ridge regression on the atoms next to it; a patch takes that of its nearest atom.
    Anr {
        /// Atoms of a neighborhood, the anchor among them.
        neighbors: usize,
        /// The ridge, for atoms of unit length.
        ridge: f64,
    },
    /// Sparse coding by orthogonal matching pursuit, on a dictionary by K-SVD (Zeyde, Elad and Protter, 2010).
    Ksvd {
        /// Atoms of a patch.
        nonzeros: usize,
    },
    /// Neighbor embedding by least squares, as in locally linear embedding (Chang, Yeung and Xiong, CVPR 2004).
    NeLle {
        /// Nearest atoms that represent a patch.
        neighbors: usize,
        /// The ridge, for atoms of unit length.
        ridge: f64,
    },
    /// Neighbor embedding by least squares with coefficients that are not negative (Bevilacqua, Roumy, Guillemot and
    /// Alberi-Morel, BMVC 2012).
    NeNnls {
        /// Nearest atoms that represent a patch.
        neighbors: usize,
    },
    /// Sparse coding by an l1 norm, on dictionaries trained jointly (Yang, Wright, Huang and Ma, TIP 2010).
    Sc {
        /// Weight of the l1 norm, for features of unit length.
        lambda: f64,
        /// Low-resolution pixels by which neighboring patches overlap.
        overlap: usize,
        /// Rounds of back-projection of the result on the low resolution; 0 for none.
        back_projection: usize,
    },
}

impl Method {
    /// Their names on the command line, as [`Method::from_str`] takes them.
    pub const NAMES: [&'static str; 5] = ["anr", "ksvd", "ne-lle", "ne-nnls", "sc"];

    /// The name on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Anr { .. } => "anr",
            Self::Ksvd { .. } => "ksvd",
            Self::NeLle { .. } => "ne-lle",
            Self::NeNnls { .. } => "ne-nnls",
            Self::Sc { .. } => "sc",
        }
    }

    /// Its parameters in words.
    pub fn parameters(&self) -> String {
        match self {
            Self::Anr { neighbors, ridge } | Self::NeLle { neighbors, ridge } => {
                format!("{neighbors} neighbors, ridge {ridge}")
            }
            Self::Ksvd { nonzeros } => format!("{nonzeros} atoms a patch"),
            Self::NeNnls { neighbors } => format!("{neighbors} neighbors"),
            Self::Sc { lambda, overlap, back_projection } => {
                format!("lambda {lambda}, overlap {overlap}, {back_projection} rounds of back-projection")
            }
        }
    }

    /// Nearest atoms that are looked up for each patch; 0 where the coding goes through all.
    pub fn nearest(&self) -> usize {
        match *self {
            Self::Anr { .. } => 1,
            Self::NeLle { neighbors, .. } | Self::NeNnls { neighbors } => neighbors,
            Self::Ksvd { .. } | Self::Sc { .. } => 0,
        }
    }

    /// Low-resolution pixels by which neighboring patches overlap: all but one, unless the method says otherwise.
    pub fn overlap(&self) -> usize {
        match *self {
            Self::Sc { overlap, .. } => overlap,
            _ => Dictionary::PATCH - 1,
        }
    }

    /// The same with no more neighbors, or atoms of a patch, than a dictionary has atoms.
    #[must_use]
    pub fn limited_to(self, atoms: usize) -> Self {
        match self {
            Self::Anr { neighbors, ridge } => Self::Anr { neighbors: neighbors.min(atoms), ridge },
            Self::Ksvd { nonzeros } => Self::Ksvd { nonzeros: nonzeros.min(atoms) },
            Self::NeLle { neighbors, ridge } => Self::NeLle { neighbors: neighbors.min(atoms), ridge },
            Self::NeNnls { neighbors } => Self::NeNnls { neighbors: neighbors.min(atoms) },
            sc @ Self::Sc { .. } => sc,
        }
    }

    /// Whether the parameters can be used with a dictionary of so many atoms.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for one that is out of its range, which it tells.
    pub(crate) fn check(&self, atoms: usize) -> Result<()> {
        let positive = |what: &str, value: f64| match value.is_finite() && value > 0.0 {
            true => Ok(()),
            false => Err(Error::invalid(format!("{what} {value}: a number above 0"))),
        };
        let within = |what: &str, count: usize, most: usize| match (1..=most).contains(&count) {
            true => Ok(()),
            false => Err(Error::invalid(format!("{count} {what}: from 1 to {most} with {atoms} atoms"))),
        };
        let few = Self::MOST_NEIGHBORS.min(atoms);
        match *self {
            Self::Anr { neighbors, ridge } => {
                within("neighbors", neighbors, atoms)?;
                positive("ridge", ridge)
            }
            Self::Ksvd { nonzeros } => within("atoms a patch", nonzeros, few),
            Self::NeLle { neighbors, ridge } => {
                within("neighbors", neighbors, few)?;
                positive("ridge", ridge)
            }
            Self::NeNnls { neighbors } => within("neighbors", neighbors, few),
            Self::Sc { lambda, overlap, back_projection } => {
                positive("lambda", lambda)?;
                if overlap >= Dictionary::PATCH {
                    let most = Dictionary::PATCH - 1;
                    return Err(Error::invalid(format!("overlap {overlap}: from 0 to {most} pixels")));
                }
                if back_projection > Self::MOST_ROUNDS {
                    return Err(Error::invalid(format!(
                        "{back_projection} rounds of back-projection: {} at most",
                        Self::MOST_ROUNDS
                    )));
                }
                Ok(())
            }
        }
    }

    /// Rounds of back-projection at most.
    const MOST_ROUNDS: usize = 1000;

    /// Atoms that are looked up or chosen for a patch at most.
    pub const MOST_NEIGHBORS: usize = 64;
}

/// As the paper's tables call it.
impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Anr { .. } => "ANR",
            Self::Ksvd { .. } => "K-SVD",
            Self::NeLle { .. } => "NE+LLE",
            Self::NeNnls { .. } => "NE+NNLS",
            Self::Sc { .. } => "SC",
        })
    }
}

/// From the name on the command line, with the parameters of the papers, and where these leave them open, with those that do
/// best on validation pictures (docs/REPRODUCE.md).
impl FromStr for Method {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self> {
        match name {
            "anr" => Ok(Self::Anr { neighbors: 40, ridge: 0.01 }),
            "ksvd" => Ok(Self::Ksvd { nonzeros: 3 }),
            "ne-lle" => Ok(Self::NeLle { neighbors: 24, ridge: 0.01 }),
            "ne-nnls" => Ok(Self::NeNnls { neighbors: 24 }),
            "sc" => Ok(Self::Sc { lambda: 0.4, overlap: 1, back_projection: 20 }),
            other => {
                let names = Self::NAMES.join(", ");
                Err(Error::invalid(format!("method '{other}': one of {names}")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_json_round_trip() {
        for name in Method::NAMES {
            let method: Method = name.parse().unwrap();
            assert_eq!(method.name(), name);
            let json = serde_json::to_string(&method).unwrap();
            assert!(json.contains(&format!("\"name\":\"{name}\"")), "{json}");
            assert_eq!(serde_json::from_str::<Method>(&json).unwrap(), method);
            method.check(1024).unwrap();
        }
        assert!("pca".parse::<Method>().unwrap_err().to_string().contains("ne-nnls"));
    }

    #[test]
    fn parameters_out_of_range() {
        let sc = |lambda, overlap, back_projection| Method::Sc { lambda, overlap, back_projection };
        for (method, told) in [
            (Method::Anr { neighbors: 9, ridge: 0.01 }, "9 neighbors: from 1 to 8"),
            (Method::Anr { neighbors: 3, ridge: 0.0 }, "ridge 0: a number above 0"),
            (Method::Ksvd { nonzeros: 0 }, "0 atoms a patch"),
            (Method::NeLle { neighbors: 3, ridge: f64::NAN }, "ridge NaN"),
            (Method::NeNnls { neighbors: 65 }, "65 neighbors"),
            (sc(-1.0, 1, 0), "lambda -1"),
            (sc(f64::INFINITY, 1, 0), "lambda inf"),
            (sc(0.1, 3, 0), "overlap 3: from 0 to 2"),
            (sc(0.1, 2, 1001), "1001 rounds"),
        ] {
            let error = method.check(8).unwrap_err().to_string();
            assert!(error.contains(told), "{method:?}: {error}");
        }
    }
}
