//! `--shard`: which part of the work is this process's if several share it.

use crate::error::{Error, Result};
use crate::ranks::launcher::{Launched, launched, launched_by};

/// One of `count` parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    index: u64,
    count: u64,
}

/// Looks up an environment variable.
type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Shard {
    /// Parses `I/N` with I from 1, `env` to take both from a scheduler's environment variables, or `env/N` if these do not
    /// say how many parts there are.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`].
    pub fn parse(text: &str) -> Result<Self> {
        Self::parse_with(text, &|name| std::env::var(name).ok())
    }

    fn parse_with(text: &str, lookup: Lookup<'_>) -> Result<Self> {
        let number = |word: &str| word.parse::<u64>().ok();
        let (index, count) = match text.split_once('/') {
            None if text == "env" => return Self::from_scheduler(None, lookup),
            Some(("env", count)) => match number(count) {
                Some(count) => return Self::from_scheduler(Some(count), lookup),
                None => (None, None),
            },
            Some((index, count)) => (number(index).and_then(|index| index.checked_sub(1)), number(count)),
            None => (None, None),
        };
        match (index, count) {
            (Some(index), Some(count)) if index < count => Ok(Self { index, count }),
            _ => Err(Error::invalid("I/N with I from 1 to N is needed, or env in a scheduler's job")),
        }
    }

    /// The part of a process that mpirun or srun has started as one of several; `None` for a process on its own.
    pub fn of_rank() -> Option<Self> {
        let Launched { rank, size, .. } = launched()?;
        if rank == 0 {
            log::warn!(
                "started as one of {size} ranks, each of which takes its part of the inputs; --shard 1/1 takes all"
            );
        }
        Some(Self { index: rank as u64, count: size as u64 })
    }

    /// From the variables of a Slurm array job, of a Kubernetes indexed job, or else of mpirun or srun.
    fn from_scheduler(count: Option<u64>, lookup: Lookup<'_>) -> Result<Self> {
        let number = |name: &str| match lookup(name) {
            None => Ok(None),
            Some(text) => text
                .trim()
                .parse::<u64>()
                .map(Some)
                .map_err(|_| Error::invalid(format!("the variable {name} is '{text}', not a number"))),
        };
        let (index, count) = if let Some(task) = number("SLURM_ARRAY_TASK_ID")? {
            let first = number("SLURM_ARRAY_TASK_MIN")?.unwrap_or(0);
            let step = number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
            let count = match count {
                Some(count) => Some(count),
                None => number("SLURM_ARRAY_TASK_COUNT")?,
            };
            let index = task.checked_sub(first).filter(|distance| distance % step == 0).map(|d| d / step);
            (index, count.ok_or_else(|| missing("SLURM_ARRAY_TASK_COUNT"))?)
        } else if let Some(index) = number("JOB_COMPLETION_INDEX")? {
            let count = match count {
                Some(count) => Some(count),
                None => number("JOB_COMPLETIONS")?,
            };
            (Some(index), count.ok_or_else(|| missing("JOB_COMPLETIONS"))?)
        } else if let Some(Launched { rank, size, .. }) = launched_by(lookup) {
            (Some(rank as u64), count.unwrap_or(size as u64))
        } else {
            return Err(Error::invalid(
                "neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set, nor a rank of mpirun or srun; use I/N outside of \
                 array jobs",
            ));
        };
        let index = index.filter(|&index| index < count).ok_or_else(|| {
            Error::invalid(format!(
                "this task is not one of {count} consecutive ones; give the array a range such as 1-{count}"
            ))
        })?;
        Ok(Self { index, count })
    }

    /// Whether the item at `position` of a list is in this part. Neighbors go to different parts, so that each part gets
    /// its share of a folder's large pictures.
    pub fn has(&self, position: usize) -> bool {
        position as u64 % self.count == self.index
    }
}

fn missing(name: &str) -> Error {
    Error::invalid(format!("the variable {name} is not set; say how many parts there are: env/N"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str, variables: &[(&str, &str)]) -> Option<(u64, u64)> {
        let lookup = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| v.to_string());
        Shard::parse_with(text, &lookup).ok().map(|shard| (shard.index, shard.count))
    }

    #[test]
    fn words() {
        assert_eq!(with("1/1", &[]), Some((0, 1)));
        assert_eq!(with("3/8", &[]), Some((2, 8)));
        for wrong in ["", "0/2", "3/2", "1/0", "1", "a/b", "-1/2", "1/2/3", "env/x", "env"] {
            assert_eq!(with(wrong, &[]), None, "{wrong}");
        }
    }

    #[test]
    fn slurm() {
        let task = |id, min, step, count| {
            let all = [
                ("SLURM_ARRAY_TASK_ID", id),
                ("SLURM_ARRAY_TASK_MIN", min),
                ("SLURM_ARRAY_TASK_STEP", step),
                ("SLURM_ARRAY_TASK_COUNT", count),
            ];
            with("env", &all)
        };
        assert_eq!(task("1", "1", "1", "16"), Some((0, 16)));
        assert_eq!(task("15", "0", "1", "16"), Some((15, 16)));
        assert_eq!(task("14", "10", "4", "3"), Some((1, 3)));
        // --array=1,5,9 has no step that would distinguish the second task from the fifth.
        assert_eq!(task("5", "1", "1", "3"), None);
        assert_eq!(task("x", "1", "1", "3"), None);
        assert_eq!(with("env/4", &[("SLURM_ARRAY_TASK_ID", "3")]), Some((3, 4)));
        assert_eq!(with("env", &[("SLURM_ARRAY_TASK_ID", "3")]), None);
    }

    #[test]
    fn kubernetes() {
        let index = ("JOB_COMPLETION_INDEX", "2");
        assert_eq!(with("env", &[index, ("JOB_COMPLETIONS", "8")]), Some((2, 8)));
        assert_eq!(with("env/3", &[index]), Some((2, 3)));
        assert_eq!(with("env/2", &[index]), None);
        assert_eq!(with("env", &[index]), None);
    }

    #[test]
    fn ranks() {
        let ompi = [("OMPI_COMM_WORLD_RANK", "1"), ("OMPI_COMM_WORLD_SIZE", "4")];
        assert_eq!(with("env", &ompi), Some((1, 4)));
        // Array jobs come first.
        let array =
            [("SLURM_ARRAY_TASK_ID", "1"), ("SLURM_ARRAY_TASK_MIN", "1"), ("SLURM_ARRAY_TASK_COUNT", "2")];
        assert_eq!(with("env", &[&ompi[..], &array].concat()), Some((0, 2)));
    }

    #[test]
    fn parts_are_a_partition() {
        for count in 1..7 {
            for position in 0..40 {
                let parts = (0..count).filter(|&index| Shard { index, count }.has(position)).count();
                assert_eq!(parts, 1);
            }
        }
    }
}
