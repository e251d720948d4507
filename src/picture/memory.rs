//! Available memory, and sizes in words.

use crate::limits::Limit;
use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// A number of bytes in the largest unit that it fills: `128.0 MiB`.
pub fn bytes(count: u128) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.*} {}", usize::from(unit > 0), UNITS[unit])
}

/// Bytes of memory for a picture and its result: the limit if one is set, else what this process can still get, within its
/// control group too; `u64::MAX` if unknown.
pub fn available_memory() -> u64 {
    match Limit::Memory.get() {
        u64::MAX => measured(),
        limit => limit,
    }
}

fn measured() -> u64 {
    let memory = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let Ok(system) = System::new_with_specifics(memory) else { return u64::MAX };
    match (system.available_memory(), system.cgroup_limits()) {
        (0, _) => u64::MAX,
        (available, Some(group)) => available.min(group.total_memory.saturating_sub(group.rss)),
        (available, None) => available,
    }
}
