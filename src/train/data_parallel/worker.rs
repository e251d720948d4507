//! All ranks but rank 0: they do what it tells them to.

use super::engine::RankEngine;
use super::leader::measure;
use super::link::{Command, Link};
use crate::error::Result;
use crate::train::validate::Validator;
use crate::train::{TrainEngine, checkpoint};
use crate::weights::Weights;

/// Works until rank 0 ends the run; returns the exit code that it ends with. `wish` is 0, or the exit code of a signal that
/// has asked this process to end, which rank 0 decides on.
///
/// # Errors
/// What prevents a step or a measurement here: the others wait for this rank then, and [`Communicator::abort`] ends them.
///
/// [`Communicator::abort`]: crate::ranks::Communicator::abort
pub fn work(
    link: &Link,
    engine: &mut RankEngine,
    validator: Option<&mut Validator>,
    wish: &dyn Fn() -> u8,
) -> Result<u8> {
    let mut validator = validator;
    loop {
        match link.receive(wish())? {
            // Rank 0 looks at the loss, which is the same here.
            Command::Train(factors) => drop(engine.train(&factors)?),
            Command::Evaluate(bytes) => {
                if let Some(validator) = &mut validator {
                    measure(validator, &Weights::from_bytes(&bytes)?, link)?;
                }
            }
            Command::Restore(bytes) => engine.restore(&checkpoint::state_from_bytes(&bytes)?)?,
            Command::End(code) => return Ok(code),
        }
    }
}
