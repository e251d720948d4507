//! Processes that work together, numbered from 0 as MPI does: ranks. [`Communicator`] is how they exchange bytes, over MPI
//! (`mpi`, with the feature of that name) or between threads of one process ([`threads`]). [`launcher`] tells what a
//! program that has started them says in the environment.

pub mod launcher;
#[cfg(feature = "mpi")]
pub mod mpi;
pub mod threads;

use crate::error::{Error, Result};

/// One of several ranks. All of them call the same methods in the same order, each of which returns when what it waits for
/// has come.
pub trait Communicator {
    /// This one's number, from 0.
    fn rank(&self) -> usize;

    /// Number of ranks, 1 or more.
    fn size(&self) -> usize;

    /// The machine's name, for messages.
    fn host(&self) -> String;

    /// `send` is a part of equal length for each rank, in their order; `receive`, of the same length, gets the part that each
    /// rank has for this one. Called within a step, where all ranks come at about the same time.
    ///
    /// # Errors
    /// [`Error::Ranks`] when another rank has ended or does not answer, or for lengths that do not fit.
    fn all_to_all(&self, send: &[u8], receive: &mut [u8]) -> Result<()>;

    /// `receive` gets what each rank sends, in their order; all send the same length.
    ///
    /// # Errors
    /// As [`Communicator::all_to_all`].
    fn all_gather(&self, send: &[u8], receive: &mut [u8]) -> Result<()>;

    /// All ranks get the bytes of rank 0, which have the same length everywhere.
    ///
    /// # Errors
    /// As [`Communicator::all_to_all`].
    fn broadcast(&self, bytes: &mut [u8]) -> Result<()>;

    /// Ends all ranks, because this one cannot go on. Over MPI it does not return, and `code` becomes the launcher's exit code
    /// where the launcher passes it on.
    fn abort(&self, code: u8);
}

/// Sends a message of any length from rank 0 to all; other ranks give nothing.
///
/// # Errors
/// As [`Communicator::broadcast`].
pub fn broadcast(ranks: &dyn Communicator, message: Vec<u8>) -> Result<Vec<u8>> {
    let mut length = (message.len() as u64).to_le_bytes();
    ranks.broadcast(&mut length)?;
    let mut bytes = if ranks.rank() == 0 { message } else { vec![0; length_of(length)?] };
    ranks.broadcast(&mut bytes)?;
    Ok(bytes)
}

/// Short messages of any length from all ranks, in their order.
///
/// # Errors
/// As [`Communicator::all_gather`].
pub fn gather(ranks: &dyn Communicator, message: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut lengths = vec![0; 8 * ranks.size()];
    ranks.all_gather(&(message.len() as u64).to_le_bytes(), &mut lengths)?;
    let lengths = lengths.as_chunks().0.iter().map(|&bytes| length_of(bytes)).collect::<Result<Vec<_>>>()?;
    let longest = lengths.iter().copied().max().unwrap_or(0);
    if longest == 0 {
        return Ok(vec![Vec::new(); lengths.len()]);
    }
    let mut padded = message.to_vec();
    padded.resize(longest, 0);
    let mut all = vec![0; longest * ranks.size()];
    ranks.all_gather(&padded, &mut all)?;
    Ok(all.chunks_exact(longest).zip(lengths).map(|(bytes, length)| bytes[..length].to_vec()).collect())
}

/// A length that another rank has sent.
fn length_of(bytes: [u8; 8]) -> Result<usize> {
    // Far above any message, far below what memory might not hold.
    const MOST: u64 = 1 << 30;
    let length = u64::from_le_bytes(bytes);
    if length > MOST {
        return Err(Error::Ranks(format!("another rank announces a message of {length} bytes").into()));
    }
    Ok(length as usize)
}
