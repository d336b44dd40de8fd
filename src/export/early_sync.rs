//! A file that goes to the disk while it is still being written.
//!
//! The kernel keeps what is written in memory and leaves the disk idle until there are gigabytes of it.
//! Whoever syncs at the end then waits for all of that. So a thread syncs `X`, nearly all of an export,
//! as it grows.

use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

/// Bytes that are synced at a time, about. Files that are smaller are left to whoever syncs them.
const AT_A_TIME: u64 = 32 << 20;

/// A file that is synced beside its writing.
#[must_use = "only `end` tells of the last sync if that failed"]
pub(super) struct EarlySyncedFile {
    file: File,
    /// Written since the last sync began.
    unsynced: u64,
    syncing: Option<Syncing>,
}

/// The thread that syncs.
struct Syncing {
    /// Takes something when the thread is idle.
    begin: SyncSender<()>,
    thread: JoinHandle<io::Result<()>>,
}

impl EarlySyncedFile {
    pub(super) fn new(file: File) -> EarlySyncedFile {
        EarlySyncedFile { file, unsynced: 0, syncing: None }
    }

    /// Waits for a sync that is under way. Some of the file may be left to sync.
    ///
    /// # Errors
    /// That of a sync: the kernel tells of it only once.
    pub(super) fn end(self) -> io::Result<()> {
        self.syncing.map_or(Ok(()), Syncing::end)
    }

    /// Begins a sync, unless one is under way.
    fn sync_beside(&mut self) -> io::Result<()> {
        let syncing = match self.syncing.take() {
            Some(syncing) => syncing,
            None => Syncing::start(self.file.try_clone()?)?,
        };
        let begun = syncing.begin.try_send(());
        if begun.is_ok() {
            self.unsynced = 0;
        }
        if let Err(TrySendError::Disconnected(())) = begun {
            return syncing.end();
        }
        self.syncing = Some(syncing);
        Ok(())
    }
}

impl Syncing {
    fn start(file: File) -> io::Result<Syncing> {
        let (begin, begun) = sync_channel(0);
        let sync = move || begun.iter().try_for_each(|()| file.sync_data());
        let thread = std::thread::Builder::new().spawn(sync)?;
        Ok(Syncing { begin, thread })
    }

    fn end(self) -> io::Result<()> {
        drop(self.begin);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Write for EarlySyncedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.unsynced >= AT_A_TIME {
            self.sync_beside()?;
        }
        let written = self.file.write(bytes)?;
        self.unsynced += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Seek};
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    static MEGABYTE: [u8; 1 << 20] = [7; _];

    /// Writes until the next sync has begun; returns how many megabytes.
    fn write_until_synced(file: &mut EarlySyncedFile) -> usize {
        for written in 1.. {
            let before = file.unsynced;
            file.write_all(&MEGABYTE).unwrap();
            if file.unsynced < before {
                return written;
            }
            if before >= AT_A_TIME {
                // The thread is not ready yet.
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        unreachable!("it has to begin some time")
    }

    #[test]
    fn all_that_is_written_is_in_the_file() {
        let mut written = tempfile::tempfile().unwrap();
        let mut file = EarlySyncedFile::new(written.try_clone().unwrap());
        let megabytes = write_until_synced(&mut file) + write_until_synced(&mut file);
        file.end().unwrap();
        written.rewind().unwrap();
        let mut bytes = Vec::new();
        written.read_to_end(&mut bytes).unwrap();
        assert!(megabytes as u64 >= 2 * (AT_A_TIME >> 20), "{megabytes} MB");
        assert!(bytes == MEGABYTE.repeat(megabytes));
    }

    /// A file of which the first sync has begun and cannot succeed, and who reads what goes into it.
    fn not_to_be_synced() -> (EarlySyncedFile, JoinHandle<io::Result<u64>>) {
        // A pipe can be written and not be synced.
        let (mut reader, writer) = std::io::pipe().unwrap();
        let drain = std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
        let mut file = EarlySyncedFile::new(File::from(OwnedFd::from(writer)));
        write_until_synced(&mut file);
        (file, drain)
    }

    #[test]
    fn a_sync_that_fails_is_told_at_the_end() {
        let (file, drain) = not_to_be_synced();
        assert!(file.end().is_err());
        assert!(drain.join().unwrap().unwrap() > AT_A_TIME);
    }

    #[test]
    fn a_sync_that_fails_ends_the_writing_before_the_next() {
        let (mut file, drain) = not_to_be_synced();
        let failed = (0..).find_map(|_| {
            std::thread::sleep(Duration::from_millis(1));
            file.write_all(&MEGABYTE).err()
        });
        assert!(failed.is_some());
        drop(file);
        drain.join().unwrap().unwrap();
    }
}
