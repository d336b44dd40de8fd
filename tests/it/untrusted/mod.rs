//! Files from untrusted sources: logs and their folder, caches, exports, settings.
//!
//! They may be faulty or malicious. Printed text from them cannot control a terminal or a shell, only
//! the named files are read or replaced, and declared sizes are checked before they are used.

mod arrays;
mod caches;
mod exports;
mod logs;
mod names;
mod output_files;

use crate::support::cli::{CliTest, Ran};
use std::ffi::OsStr;
use std::path::Path;
use std::time::{Duration, Instant};

/// Time limit for a command that has nothing to wait for.
const MAX_TIME: Duration = Duration::from_secs(60);

impl CliTest {
    /// Ten games, their cache, and an export of them.
    fn with_export() -> CliTest {
        let test = CliTest::with_cache();
        test.prep("export --cache c.sqlite --out e --features base -q");
        test
    }

    fn with_cache() -> CliTest {
        let test = CliTest::new();
        test.prep("simulate raw --games 10 -q");
        test.prep("ingest raw --cache c.sqlite -q");
        test
    }

    /// Runs `prep` with arguments that may contain any characters. It is killed after a time limit.
    fn run_with<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Ran {
        let mut child = self.command("").args(arguments).spawn().unwrap();
        // Output goes to files, because pipes would fill up.
        let streams = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let [stdout, stderr] =
            [Box::new(streams.0) as Box<dyn std::io::Read + Send>, Box::new(streams.1)].map(
                |mut stream| {
                    std::thread::spawn(move || {
                        let mut text = String::new();
                        stream.read_to_string(&mut text).map(|_| text).unwrap()
                    })
                },
            );
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if begun.elapsed() > MAX_TIME {
                child.kill().unwrap();
                panic!("it blocked");
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
        Ran { code: status.code().unwrap_or(-1), stdout, stderr }
    }

    /// The same with arguments in one string.
    fn run_in_time(&self, arguments: &str) -> Ran {
        self.run_with(&arguments.split_whitespace().collect::<Vec<_>>())
    }
}

#[cfg(unix)]
fn make_fifo(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}
