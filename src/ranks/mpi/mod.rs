//! Ranks of an MPI job: the one place that knows MPI.
//!
//! Waits look at their request again and again, with pauses once it takes longer, instead of blocking in the library: most
//! libraries spin while they block, which takes a processor core from adapters that compute in software.

use std::time::{Duration, Instant};

use ::mpi::Threading;
use ::mpi::environment::{Universe, initialize_with_threading, processor_name};
use ::mpi::request::{LocalScope, Request, scope};
use ::mpi::topology::SimpleCommunicator;
use ::mpi::traits::{Communicator as _, CommunicatorCollectives, Root};

use super::Communicator;
use super::launcher::Launched;
use crate::error::{Error, Result};

/// How long a wait spins before it pauses between looks.
const SPIN: Duration = Duration::from_micros(500);
/// The pauses.
const PAUSE: Duration = Duration::from_micros(50);
/// A rank that has not come after this time is taken for dead. Reading and degrading pictures may take minutes.
const PATIENCE: Duration = Duration::from_secs(1800);
/// The same within a step once this process has been asked to end, since a launcher whose rank has died asks the others:
/// less than the 30 s that Slurm and Kubernetes wait before they kill.
const PATIENCE_ASKED: Duration = Duration::from_secs(20);

/// The exit code of a rank that gives up waiting for the others.
const GIVEN_UP: u8 = 6;

/// This process in an MPI job. Dropping it finalizes MPI, which waits for the other ranks; a rank that cannot go on calls
/// [`Communicator::abort`] instead. A rank that waits in vain ends the job itself, with a line in the log: MPI has no way to
/// take a message back.
pub struct Mpi {
    world: SimpleCommunicator,
    /// Whether this process has been asked to end.
    asked: fn() -> bool,
    // Last, because the fields above have to be dropped before MPI ends.
    _universe: Universe,
}

impl std::fmt::Debug for Mpi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mpi").field("rank", &self.rank()).field("size", &self.size()).finish_non_exhaustive()
    }
}

impl Mpi {
    /// Joins the job that `launched` says this process is part of. `asked` tells whether the process has been asked to end.
    ///
    /// # Errors
    /// [`Error::Ranks`] if MPI has been started in this process before, or sees another number of ranks than the launcher.
    pub fn start(launched: Launched, asked: fn() -> bool) -> Result<Self> {
        let Some((universe, _)) = initialize_with_threading(Threading::Funneled) else {
            return Err(Error::Ranks("MPI has been started in this process already".into()));
        };
        let ranks = Self { world: universe.world(), asked, _universe: universe };
        if ranks.size() != launched.size {
            return Err(Error::Ranks(
                format!(
                    "the launcher has started {} ranks, but MPI sees {}: the launcher and the MPI library that the program is \
                     linked with do not belong together; use that library's mpirun, or srun --mpi=pmix",
                    launched.size,
                    ranks.size()
                )
                .into(),
            ));
        }
        Ok(ranks)
    }

    /// Waits for a request. `in_step`: all ranks come at about the same time.
    fn wait<'a, D: ?Sized>(&self, mut request: Request<'a, D, &LocalScope<'a>>, in_step: bool) {
        let begun = Instant::now();
        let mut asked = None;
        while let Err(pending) = request.test() {
            request = pending;
            if begun.elapsed() < SPIN {
                std::thread::yield_now();
                continue;
            }
            std::thread::sleep(PAUSE);
            if in_step && asked.is_none() && (self.asked)() {
                asked = Some(Instant::now());
            }
            let in_vain = begun.elapsed() > PATIENCE
                || asked.is_some_and(|asked: Instant| asked.elapsed() > PATIENCE_ASKED);
            if in_vain {
                log::error!(
                    "rank {} of {} ends: the other ranks do not answer, one of them has ended or hangs",
                    self.rank(),
                    self.size()
                );
                self.abort(GIVEN_UP);
            }
        }
    }
}

/// MPI counts in 32 bits.
fn check(length: usize) -> Result<()> {
    match i32::try_from(length) {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::Ranks(format!("messages of {length} bytes are too long for MPI").into())),
    }
}

impl Communicator for Mpi {
    fn rank(&self) -> usize {
        self.world.rank() as usize
    }

    fn size(&self) -> usize {
        self.world.size() as usize
    }

    fn host(&self) -> String {
        processor_name().unwrap_or_default()
    }

    fn all_to_all(&self, send: &[u8], receive: &mut [u8]) -> Result<()> {
        check(receive.len())?;
        if send.len() != receive.len() || !send.len().is_multiple_of(self.size()) {
            return Err(Error::Ranks("an exchange of different lengths".into()));
        }
        scope(|scope| self.wait(self.world.immediate_all_to_all_into(scope, send, receive), true));
        Ok(())
    }

    fn all_gather(&self, send: &[u8], receive: &mut [u8]) -> Result<()> {
        check(receive.len())?;
        if send.len() * self.size() != receive.len() {
            return Err(Error::Ranks("an exchange of different lengths".into()));
        }
        scope(|scope| self.wait(self.world.immediate_all_gather_into(scope, send, receive), false));
        Ok(())
    }

    fn broadcast(&self, bytes: &mut [u8]) -> Result<()> {
        check(bytes.len())?;
        let root = self.world.process_at_rank(0);
        scope(|scope| self.wait(root.immediate_broadcast_into(scope, bytes), false));
        Ok(())
    }

    fn abort(&self, code: u8) {
        self.world.abort(code.into())
    }
}
