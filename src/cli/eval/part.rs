//! The pictures that this process measures of those of a folder, if a launcher has started several, and the figures of all.

use srcnn_gpu::eval::Score;
use srcnn_gpu::ranks::launcher::{Launched, launched};
#[cfg(feature = "mpi")]
use srcnn_gpu::ranks::{Communicator, gather, mpi::Mpi};
use srcnn_gpu::{Error, Result};

/// A picture's position in its folder, and its figures by each method with the pixels left out on each side.
pub type Row = (usize, Vec<(Score, usize)>);

/// One of several parts of the work.
pub struct Part {
    index: usize,
    size: usize,
    #[cfg(feature = "mpi")]
    ranks: Option<Mpi>,
}

impl Part {
    /// The part of this process: all, unless mpirun or srun has started it as one of several.
    ///
    /// # Errors
    /// As [`Mpi::start`], with the feature `mpi`.
    pub fn start() -> Result<Self> {
        let Some(found) = launched() else {
            return Ok(Self {
                index: 0,
                size: 1,
                #[cfg(feature = "mpi")]
                ranks: None,
            });
        };
        let Launched { rank: index, size, .. } = found;
        #[cfg(not(feature = "mpi"))]
        log::warn!(
            "rank {index} of {size}: the figures are those of its part of the pictures; built with the feature mpi, rank 0 would \
             print those of all"
        );
        Ok(Self {
            index,
            size,
            #[cfg(feature = "mpi")]
            ranks: Some(Mpi::start(found, || false)?),
        })
    }

    /// A page shows all pictures, which only a process that has measured them can do.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for one of several processes.
    pub fn refuse_page() -> Result<()> {
        match launched() {
            Some(_) => {
                Err(Error::invalid("--html needs all pictures in one process: start it without mpirun"))
            }
            None => Ok(()),
        }
    }

    /// Whether the picture at a position of a folder is measured here.
    pub fn has(&self, position: usize) -> bool {
        position % self.size == self.index
    }

    /// How many of a folder's pictures are measured here.
    pub fn count(&self, pictures: usize) -> usize {
        pictures.saturating_sub(self.index).div_ceil(self.size)
    }

    /// Whether this process prints the figures.
    pub fn prints(&self) -> bool {
        !self.joins() || self.index == 0
    }

    /// Whether so few figures say that pictures have failed, here or elsewhere.
    pub fn lacks(&self, rows: usize, pictures: usize) -> bool {
        rows < if self.joins() { pictures } else { self.count(pictures) }
    }

    fn joins(&self) -> bool {
        #[cfg(feature = "mpi")]
        return self.ranks.is_some();
        #[cfg(not(feature = "mpi"))]
        return false;
    }

    /// The rows of all processes, of `columns` methods each, in the order of the pictures; without the feature `mpi` those of
    /// this process.
    ///
    /// # Errors
    /// [`Error::Ranks`] when another process has ended.
    #[cfg_attr(
        not(feature = "mpi"),
        expect(clippy::unnecessary_wraps, reason = "it can fail with the feature")
    )]
    pub fn gather(&self, rows: Vec<Row>, columns: usize) -> Result<Vec<Row>> {
        #[cfg(feature = "mpi")]
        if let Some(ranks) = &self.ranks {
            let values: Vec<f64> = rows.iter().flat_map(to_values).collect();
            let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            let all = gather(ranks, &bytes)?.concat();
            let values: Vec<f64> = all.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
            let mut all: Vec<Row> = values.chunks_exact(1 + 8 * columns).map(of_values).collect();
            all.sort_by_key(|(position, _)| *position);
            return Ok(all);
        }
        debug_assert!(rows.iter().all(|(_, figures)| figures.len() == columns));
        Ok(rows)
    }

    /// Ends all processes where this one fails and the others wait for it.
    ///
    /// # Errors
    /// The error, for a process on its own.
    pub fn fail(&self, error: Error) -> Result<u8> {
        #[cfg(feature = "mpi")]
        if let Some(ranks) = &self.ranks {
            crate::cli::advice::report(&error);
            ranks.abort(crate::cli::exit::code(&error));
        }
        Err(error)
    }
}

/// A row as numbers: its position, and 8 for each method.
#[cfg(feature = "mpi")]
fn to_values((position, figures): &Row) -> Vec<f64> {
    let one = |(score, border): &(Score, usize)| score.figures().into_iter().chain([*border as f64]);
    std::iter::once(*position as f64).chain(figures.iter().flat_map(one)).collect()
}

/// The inverse of [`to_values`].
#[cfg(feature = "mpi")]
fn of_values(values: &[f64]) -> Row {
    let one = |[figures @ .., border]: &[f64; 8]| (Score::of_figures(*figures), *border as usize);
    (values[0] as usize, values[1..].as_chunks().0.iter().map(one).collect())
}
