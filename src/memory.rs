//! Resident memory of this process.

use std::fmt;

/// Resident memory of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResidentMemory {
    /// Current value in bytes.
    pub now: u64,
    /// Peak in bytes.
    pub peak: u64,
}

impl ResidentMemory {
    /// Reads it from the kernel; `None` on systems without `/proc`.
    pub fn measure() -> Option<ResidentMemory> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let kibibytes = |key: &str| -> Option<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(key))?;
            line.trim().strip_suffix("kB")?.trim().parse().ok()
        };
        Some(ResidentMemory { now: kibibytes("VmRSS:")? * 1024, peak: kibibytes("VmHWM:")? * 1024 })
    }
}

impl fmt::Display for ResidentMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
        write!(f, "{} MB resident, peak {} MB", megabytes(self.now), megabytes(self.peak))
    }
}

/// Logs the resident memory, if `wanted` and known.
pub fn report_memory(wanted: bool, when: &str) {
    if wanted && let Some(memory) = ResidentMemory::measure() {
        tracing::info!("memory {when}: {memory}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn allocated_memory_is_resident() {
        let before = ResidentMemory::measure().unwrap();
        let block = std::hint::black_box(vec![1_u8; 64 << 20]);
        let after = ResidentMemory::measure().unwrap();
        assert!(after.now >= before.now + (60 << 20), "{before} then {after}");
        assert!(after.peak >= after.now);
        drop(block);
    }
}
