//! The authors' MATLAB weight files.
use super::Weights;
use crate::error::{Error, Result};
pub(super) fn read(_bytes: &[u8]) -> Result<Weights> {
    Err(Error::invalid("not written yet"))
}
