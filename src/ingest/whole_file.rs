//! Reading a log that somebody may be writing.
//!
//! A file can change while it is read, and then the bytes are a mixture of two versions: half of
//! one, half of the other, at a size that fits both. The kernel notes every change in the file's
//! times, so a file whose times and size are the same before and after was not touched between.
//! Except that these times come from a clock that ticks some hundred times a second: two changes
//! within one tick leave one time. So a file that was changed just now is left alone until the clock
//! has moved on; whatever is written after that shows.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Longer than a tick of the clock that files get their times from: 10 ms at most on Linux.
const TICK: Duration = Duration::from_millis(20);

/// Larger files are not read: every thread would keep so much memory. No game comes near it: ten
/// thousand turns of four players are a quarter.
const MOST_BYTES: u64 = 256 << 20;

/// What came of reading a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// The bytes are all of one version of the file.
    Whole,
    /// The file was written to, or another took its place, meanwhile.
    Changed,
    /// The file has so many bytes, more than any log.
    TooLarge { bytes: u64, most: u64 },
}

/// Reads a file, once, into `bytes`. What is in there counts only if it is [`Reading::Whole`].
pub(super) fn read_whole(path: &Path, bytes: &mut Vec<u8>) -> io::Result<Reading> {
    read_disturbed(path, bytes, || ())
}

/// `disturb` is called when the bytes are read and it is still to be seen whether they are whole.
fn read_disturbed(path: &Path, bytes: &mut Vec<u8>, disturb: impl FnOnce()) -> io::Result<Reading> {
    let mut file = File::open(path)?;
    let mut before = State::of(&file.metadata()?);
    if let Some(rest) = before.rest_of_tick() {
        std::thread::sleep(rest);
        before = State::of(&file.metadata()?);
        if before.rest_of_tick().is_some() {
            return Ok(Reading::Changed);
        }
    }
    if before.size > MOST_BYTES {
        return Ok(Reading::TooLarge { bytes: before.size, most: MOST_BYTES });
    }
    read_at_most(&mut file, before.size as usize + 1, bytes)?;
    disturb();
    // The file that has the name now: a writer that puts a finished file in place of the old one
    // leaves the old one whole, but it is not the log any more. The same device and number are the
    // file that was read: as long as it is open, no other can have them.
    let unchanged = before.size == bytes.len() as u64
        && std::fs::metadata(path).is_ok_and(|now| before == State::of(&now));
    drop(file);
    Ok(if unchanged { Reading::Whole } else { Reading::Changed })
}

/// Reads to the end of a file, or so many bytes. One more than there should be shows if there are more.
///
/// `read_to_end` does not know how many to expect, and begins with some thousand.
fn read_at_most(file: &mut File, most: usize, bytes: &mut Vec<u8>) -> io::Result<()> {
    bytes.resize(most, 0);
    let mut length = 0;
    while length < most {
        match file.read(&mut bytes[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(length);
    Ok(())
}

/// What changes with a file. The time of modification can be set to anything, the time of change
/// cannot.
#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl State {
    fn of(file: &Metadata) -> State {
        State {
            device: file.dev(),
            inode: file.ino(),
            size: file.size(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        }
    }

    /// How long a change would still get the time that the file has now; `None` if it would not. A
    /// time to come, as from another machine's clock, is not waited for.
    fn rest_of_tick(&self) -> Option<Duration> {
        let (seconds, nanoseconds) = self.changed;
        let changed = Duration::new(seconds.try_into().ok()?, nanoseconds.try_into().ok()?);
        let age = SystemTime::now().duration_since(UNIX_EPOCH + changed).ok()?;
        TICK.checked_sub(age).filter(|rest| !rest.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// What is done to a file, by its path.
    type Change = fn(&Path);

    #[test]
    fn a_file_that_changes_while_it_is_read_is_not_taken_for_whole() {
        let changes: [(&str, Change); 6] = [
            ("appended to", |path| {
                use std::io::Write;
                File::options().append(true).open(path).unwrap().write_all(b"more").unwrap();
            }),
            ("cut off", |path| File::options().write(true).open(path).unwrap().set_len(2).unwrap()),
            ("rewritten at the same size", |path| fs::write(path, "NEW").unwrap()),
            ("rewritten with the old time", |path| {
                let modified = fs::metadata(path).unwrap().modified().unwrap();
                fs::write(path, "NEW").unwrap();
                File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
            }),
            ("replaced", |path| {
                fs::write(path.with_extension("new"), "NEW").unwrap();
                fs::rename(path.with_extension("new"), path).unwrap();
            }),
            ("removed", |path| fs::remove_file(path).unwrap()),
        ];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("7.csv");
        let mut bytes = Vec::new();
        for (what, change) in changes {
            // Written just now: within the same tick as the change, unless that is waited for.
            fs::write(&path, "old").unwrap();
            assert_eq!(read_whole(&path, &mut bytes).unwrap(), Reading::Whole, "{what}");
            fs::write(&path, "old").unwrap();
            let reading = read_disturbed(&path, &mut bytes, || change(&path)).unwrap();
            assert_eq!((reading, &bytes[..]), (Reading::Changed, &b"old"[..]), "{what}");
        }
    }

    #[test]
    fn a_file_that_no_log_is_as_large_as_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("7.csv");
        // One hole: it takes no room on the disk, and would take all of the memory.
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        let reading = read_whole(&path, &mut Vec::new()).unwrap();
        assert_eq!(reading, Reading::TooLarge { bytes: 1 << 40, most: MOST_BYTES });
    }

    #[test]
    fn a_time_to_come_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("7.csv");
        fs::write(&path, "old").unwrap();
        let mut state = State::of(&fs::metadata(&path).unwrap());
        assert!(state.rest_of_tick().is_some_and(|rest| rest <= TICK));
        state.changed.0 += 3600;
        assert_eq!(state.rest_of_tick(), None);
        state.changed.0 -= 7200;
        assert_eq!(state.rest_of_tick(), None);
    }
}
