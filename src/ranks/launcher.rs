//! Which rank this process is, by what `mpirun`, `mpiexec` and `srun` put into the environment.

/// A process that a launcher has started as one of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Launched {
    /// Its number, from 0.
    pub rank: usize,
    /// Number of processes, 2 or more.
    pub size: usize,
    /// Its number among those on the same machine, from 0.
    pub local: usize,
}

/// The variables of a launcher: rank, number of ranks, and rank on the machine. Slurm's batch scripts have some of these
/// too, and `SLURM_NTASKS` besides; the number of tasks of a step is set by `srun` alone.
const LAUNCHERS: [[&str; 3]; 3] = [
    ["OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"],
    ["PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"],
    ["SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"],
];

/// What the environment says; `None` for a process on its own. OpenMPI's variables come first, then those of MPICH and its
/// relatives, then Slurm's: `mpirun` may run in a step of `srun`.
pub fn launched() -> Option<Launched> {
    launched_by(&|name| std::env::var(name).ok())
}

/// As [`launched`], in an environment that `lookup` looks into.
pub fn launched_by(lookup: &dyn Fn(&str) -> Option<String>) -> Option<Launched> {
    let number = |name: &str| lookup(name)?.trim().parse::<usize>().ok();
    let [rank, size, local] =
        LAUNCHERS.into_iter().find(|[rank, size, _]| number(rank).is_some() && number(size).is_some())?;
    let local = number(local).or_else(|| number("SLURM_LOCALID"));
    let (rank, size) = (number(rank)?, number(size)?);
    (size > 1 && rank < size).then(|| Launched { rank, size, local: local.unwrap_or(rank) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Option<(usize, usize, usize)> {
        let lookup = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| v.to_string());
        launched_by(&lookup).map(|launched| (launched.rank, launched.size, launched.local))
    }

    #[test]
    fn launchers() {
        let ompi = [
            ("OMPI_COMM_WORLD_RANK", "5"),
            ("OMPI_COMM_WORLD_SIZE", "8"),
            ("OMPI_COMM_WORLD_LOCAL_RANK", "1"),
        ];
        assert_eq!(with(&ompi), Some((5, 8, 1)));
        assert_eq!(with(&[("PMI_RANK", "3"), ("PMI_SIZE", "4"), ("MPI_LOCALRANKID", "1")]), Some((3, 4, 1)));
        let step = [("SLURM_PROCID", "2"), ("SLURM_STEP_NUM_TASKS", "4"), ("SLURM_LOCALID", "0")];
        assert_eq!(with(&step), Some((2, 4, 0)));
        // mpirun in a step of one task.
        let mut both = ompi.to_vec();
        both.extend([("SLURM_PROCID", "0"), ("SLURM_STEP_NUM_TASKS", "1")]);
        assert_eq!(with(&both), Some((5, 8, 1)));
    }

    #[test]
    fn processes_on_their_own() {
        assert_eq!(with(&[]), None);
        // A batch script, outside of srun.
        assert_eq!(with(&[("SLURM_PROCID", "0"), ("SLURM_NTASKS", "4"), ("SLURM_LOCALID", "0")]), None);
        assert_eq!(with(&[("SLURM_PROCID", "0"), ("SLURM_STEP_NUM_TASKS", "1")]), None);
        assert_eq!(with(&[("PMI_RANK", "x"), ("PMI_SIZE", "4")]), None);
        assert_eq!(with(&[("PMI_RANK", "4"), ("PMI_SIZE", "4")]), None);
    }
}
