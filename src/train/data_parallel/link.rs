//! What rank 0 tells the others to do, and what they tell it.

use std::cell::Cell;
use std::rc::Rc;

use crate::error::{Error, Result};
use crate::ranks::{Communicator, broadcast};

/// What all ranks do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// A step for each factor of the learning rates.
    Train(Vec<f32>),
    /// Measure a network, a weight file in `.safetensors`, on this rank's part of the validation pictures.
    Evaluate(Vec<u8>),
    /// Go on from this state, a checkpoint's bytes. Ranks with the same adapter have it already, bit for bit.
    Restore(Vec<u8>),
    /// End, with this exit code.
    End(u8),
}

impl Command {
    fn to_bytes(&self) -> Vec<u8> {
        let (kind, bytes): (u8, &[u8]) = match self {
            Self::Train(factors) => (0, bytemuck::cast_slice(factors)),
            Self::Evaluate(bytes) => (1, bytes),
            Self::Restore(bytes) => (2, bytes),
            Self::End(code) => (3, std::slice::from_ref(code)),
        };
        [&[kind], bytes].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        match bytes {
            [0, factors @ ..] => Ok(Self::Train(bytemuck::pod_collect_to_vec(factors))),
            [1, bytes @ ..] => Ok(Self::Evaluate(bytes.to_vec())),
            [2, bytes @ ..] => Ok(Self::Restore(bytes.to_vec())),
            [3, code] => Ok(Self::End(*code)),
            _ => Err(Error::Ranks("rank 0 sends a command that this one does not know".into())),
        }
    }
}

/// The way of commands from rank 0 to the others, and of their wishes back.
#[derive(Clone)]
pub struct Link {
    /// The ranks.
    pub ranks: Rc<dyn Communicator>,
    busy: Rc<Cell<bool>>,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("rank", &self.ranks.rank()).finish_non_exhaustive()
    }
}

impl Link {
    /// Between these ranks.
    pub fn new(ranks: Rc<dyn Communicator>) -> Self {
        Self { ranks, busy: Rc::default() }
    }

    /// Rank 0: whether the others are in the middle of a command that failed here. They wait for this rank then, and listen to
    /// no other command.
    pub fn is_busy(&self) -> bool {
        self.busy.get()
    }

    /// Rank 0: the last command is done.
    pub(super) fn done(&self) {
        self.busy.set(false);
    }

    /// Rank 0: tells the others what comes next. Returns what they wish: 0, or the exit code of a signal that has asked one of
    /// them to end.
    ///
    /// # Errors
    /// [`Error::Ranks`].
    pub fn send(&self, command: &Command) -> Result<u8> {
        self.busy.set(true);
        broadcast(&*self.ranks, command.to_bytes())?;
        self.wishes(0)
    }

    /// The others: waits for what comes next, and tells this rank's wish.
    ///
    /// # Errors
    /// [`Error::Ranks`].
    pub fn receive(&self, wish: u8) -> Result<Command> {
        let command = Command::from_bytes(&broadcast(&*self.ranks, Vec::new())?)?;
        self.wishes(wish)?;
        Ok(command)
    }

    fn wishes(&self, own: u8) -> Result<u8> {
        let mut all = vec![0; self.ranks.size()];
        self.ranks.all_gather(&[own], &mut all)?;
        Ok(all.into_iter().max().unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranks::threads::Thread;

    #[test]
    fn commands_go_out_and_wishes_come_back() {
        let commands = [
            Command::Train(vec![1.0, 0.1]),
            Command::Train(Vec::new()),
            Command::Evaluate(vec![1, 2, 3]),
            Command::Restore(vec![0; 1000]),
            Command::End(143),
        ];
        std::thread::scope(|scope| {
            for thread in Thread::group(3) {
                let commands = &commands;
                scope.spawn(move || {
                    let link = Link::new(Rc::new(thread));
                    for (i, command) in commands.iter().enumerate() {
                        match link.ranks.rank() {
                            0 => assert_eq!(link.send(command).unwrap(), if i == 3 { 130 } else { 0 }),
                            rank => {
                                let wish = if (rank, i) == (2, 3) { 130 } else { 0 };
                                assert_eq!(link.receive(wish).unwrap(), *command);
                            }
                        }
                    }
                });
            }
        });
        assert!(Command::from_bytes(&[]).is_err() && Command::from_bytes(&[9]).is_err());
    }
}
