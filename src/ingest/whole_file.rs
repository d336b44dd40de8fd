//! Reads logs that other programs may be writing.
//!
//! A file can change while it is read, and then the bytes are a mixture of two versions. The kernel
//! records the time of every change, so a file with the same times and size before and after was not
//! changed in between. But these times come from a clock with only a few hundred ticks per second, and
//! two changes within a tick get the same time. So a file that has just been changed is read only after
//! the next tick.

use super::compression::{Compression, Damage};
use crate::platform::{FileState, open_file};
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Longer than a tick of the clock for file times, which is at most 10 ms on Linux.
const TICK: Duration = Duration::from_millis(20);

/// Larger files are not read, because a thread needs about five times as much memory. The longest
/// possible log, with ten thousand turns, has a quarter of this size.
pub const MAX_LOG_BYTES: u64 = 32 << 20;

/// After this time without a write, the writer of an incomplete log was probably killed: no move takes
/// an hour.
pub const DEFAULT_SETTLE: Duration = Duration::from_secs(60 * 60);

/// The result of reading a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// All bytes are from one version of the file.
    Whole,
    /// The file was changed or replaced meanwhile.
    Changed,
    /// The size of the file, which is larger than any log. `None` if the decompressed content is too large.
    TooLarge { bytes: Option<u64>, max: u64 },
    /// The file is compressed and cannot be decompressed.
    Damaged(Damage),
}

/// Reads the content of a file once into `bytes`, which are valid only for [`Reading::Whole`].
pub(super) fn read_whole(path: &Path, bytes: &mut Vec<u8>) -> io::Result<Reading> {
    read_disturbed(path, bytes, || ())
}

/// `disturb` is called after the bytes are read and before they are checked.
fn read_disturbed(path: &Path, bytes: &mut Vec<u8>, disturb: impl FnOnce()) -> io::Result<Reading> {
    let mut file = open_file(path)?;
    let mut before = FileState::of(&file.metadata()?);
    if let Some(rest) = rest_of_tick(&before) {
        std::thread::sleep(rest);
        before = FileState::of(&file.metadata()?);
        if rest_of_tick(&before).is_some() {
            return Ok(Reading::Changed);
        }
    }
    if before.size > MAX_LOG_BYTES {
        return Ok(Reading::TooLarge { bytes: Some(before.size), max: MAX_LOG_BYTES });
    }
    let compression = Compression::of(path);
    bytes.clear();
    let reading = match compression {
        Compression::Plain => {
            // Reads one extra byte to detect whether there are more.
            bytes.reserve_exact(before.size as usize + 1);
            (&mut file).take(before.size + 1).read_to_end(bytes)?;
            Reading::Whole
        }
        _ => unpack(compression.content(&mut file)?, bytes, MAX_LOG_BYTES)?,
    };
    disturb();
    // The state of the file that has the name now: a writer that replaces a file leaves the old file
    // complete, but it is no longer the log. No other file can have the same inode while this one is
    // open.
    let is_unchanged = (compression != Compression::Plain || before.size == bytes.len() as u64)
        && std::fs::metadata(path).is_ok_and(|now| before == FileState::of(&now));
    drop(file);
    Ok(if is_unchanged { reading } else { Reading::Changed })
}

/// Reads the content of a compressed file, at most `max` + 1 bytes: a file of a few kilobytes may
/// decompress to gigabytes.
fn unpack(content: impl Read, bytes: &mut Vec<u8>, max: u64) -> io::Result<Reading> {
    if let Err(error) = content.take(max + 1).read_to_end(bytes) {
        return Damage::of(error).map(Reading::Damaged);
    }
    if bytes.len() as u64 > max {
        // Otherwise the thread would keep this memory.
        *bytes = Vec::new();
        return Ok(Reading::TooLarge { bytes: None, max });
    }
    Ok(Reading::Whole)
}

/// Whether the last modification of a file is less than `settle` ago, or less than that in the future,
/// because the clocks of machines differ. A time further in the future comes from a wrong clock, and
/// would make the file seem recent for years.
pub(super) fn modified_within(path: &Path, settle: Duration) -> bool {
    let modified = std::fs::metadata(path).and_then(|file| file.modified());
    let age = modified.map(|modified| {
        let age = SystemTime::now().duration_since(modified);
        age.unwrap_or_else(|ahead| ahead.duration())
    });
    // A file that has been deleted meanwhile counts as modified.
    age.is_ok_and(|age| age < settle) || !path.exists()
}

/// How long a further change could still leave the file's time stamp as it is; `None` if it would now
/// change it. A time in the future is not waited for.
fn rest_of_tick(file: &FileState) -> Option<Duration> {
    TICK.checked_sub(file.age()?).filter(|rest| !rest.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};
    use std::time::UNIX_EPOCH;

    /// A change of a file, by its path.
    type Change = fn(&Path);

    #[test]
    fn file_that_changes_while_read_is_detected() {
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
            // Written just now, so without waiting, the change would be in the same tick.
            fs::write(&path, "old").unwrap();
            assert_eq!(read_whole(&path, &mut bytes).unwrap(), Reading::Whole, "{what}");
            fs::write(&path, "old").unwrap();
            let reading = read_disturbed(&path, &mut bytes, || change(&path)).unwrap();
            assert_eq!((reading, &bytes[..]), (Reading::Changed, &b"old"[..]), "{what}");
        }
    }

    #[test]
    fn file_is_young_by_its_modification() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("7.csv");
        let file = File::create(&path).unwrap();
        let (hour, minute) = (Duration::from_secs(3600), Duration::from_secs(60));
        let now = SystemTime::now();
        for (modified, is_young) in [
            (now - minute, true),
            (now - hour - minute, false),
            (now + minute, true),
            (now + hour + minute, false),
            (UNIX_EPOCH, false),
        ] {
            file.set_modified(modified).unwrap();
            assert_eq!(modified_within(&path, hour), is_young, "{modified:?}");
            assert!(!modified_within(&path, Duration::ZERO), "{modified:?}");
        }
    }

    #[test]
    fn huge_file_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("7.csv");
        // A sparse file takes no space on the disk, but would take all of the memory.
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        let reading = read_whole(&path, &mut Vec::new()).unwrap();
        assert_eq!(reading, Reading::TooLarge { bytes: Some(1 << 40), max: MAX_LOG_BYTES });
    }

    #[test]
    fn time_in_the_future_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("7.csv");
        fs::write(&path, "old").unwrap();
        let mut state = FileState::of(&fs::metadata(&path).unwrap());
        assert!(rest_of_tick(&state).is_some_and(|rest| rest <= TICK));
        state.changed.0 += 3600;
        assert_eq!(rest_of_tick(&state), None);
        state.changed.0 -= 7200;
        assert_eq!(rest_of_tick(&state), None);
    }
}
