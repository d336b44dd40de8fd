//! Describes the machine and the measured versions.

use crate::prep;
use anyhow::Result;
use std::process::Command;

/// The lines above the table.
pub(crate) fn describe(python: Option<&str>) -> Result<String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cpu =
        value_of("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.into());
    let memory = value_of("/proc/meminfo", "MemTotal")
        .and_then(|total| total.strip_suffix(" kB")?.trim().parse::<f64>().ok())
        .map_or_else(String::new, |kibibytes| format!(", {:.0} GB", kibibytes * 1024.0 / 1e9));
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load =
        load.split(' ').next().map_or_else(String::new, |load| format!(", load {load} before"));
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let mut versions = vec![prep::version()?];
    versions.extend(output_of("rustc", &["--version"]));
    versions.extend(python.and_then(|python| output_of(python, &["--version"])));
    Ok(format!(
        "{cpu}, {cores} cores{memory}{load}; {}\n\
         `cargo bench --bench pipeline -- {}`\n{}\n",
        output_of("date", &["+%Y-%m-%d"]).unwrap_or_default(),
        arguments.join(" "),
        versions.join(", ")
    ))
}

/// The value of the first line of the form `key : value`.
fn value_of(file: &str, key: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
