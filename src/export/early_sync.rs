//! A file that goes to the disk while it is still being written.
//!
//! The kernel keeps what is written in memory and leaves the disk idle until there are gigabytes of it.
//! Whoever syncs at the end then waits for all of that. So a thread syncs the large files of an export
//! as they grow.

use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

/// Bytes that are synced at a time, about. Files that are smaller are left to whoever syncs them.
const AT_A_TIME: u64 = 32 << 20;

/// A file that is synced beside its writing.
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
        let Some(Syncing { begin, thread }) = self.syncing else { return Ok(()) };
        drop(begin);
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    fn sync_beside(&mut self) -> io::Result<()> {
        let syncing = match &self.syncing {
            Some(syncing) => syncing,
            None => {
                let file = self.file.try_clone()?;
                let (begin, begun) = sync_channel(0);
                let thread =
                    std::thread::spawn(move || begun.iter().try_for_each(|()| file.sync_data()));
                self.syncing.insert(Syncing { begin, thread })
            }
        };
        match syncing.begin.try_send(()) {
            Ok(()) => self.unsynced = 0,
            // Still at the last one; or it failed, which the end tells.
            Err(TrySendError::Full(()) | TrySendError::Disconnected(())) => {}
        }
        Ok(())
    }
}

impl Write for EarlySyncedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.unsynced += written as u64;
        if self.unsynced >= AT_A_TIME {
            self.sync_beside()?;
        }
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

    static MEGABYTE: [u8; 1 << 20] = [7; _];

    /// Writes until the next sync has begun; returns how many megabytes.
    fn write_until_synced(file: &mut EarlySyncedFile) -> usize {
        let mut written = 0;
        loop {
            file.write_all(&MEGABYTE).unwrap();
            written += 1;
            if file.unsynced == 0 {
                assert!((written << 20) as u64 >= AT_A_TIME, "after {written} MB");
                return written;
            }
        }
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
        assert!(bytes == MEGABYTE.repeat(megabytes));
    }

    #[test]
    fn a_sync_that_fails_is_told_at_the_end() {
        // A pipe can be written and not be synced.
        let (mut reader, writer) = std::io::pipe().unwrap();
        let drain = std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
        let mut file = EarlySyncedFile::new(File::from(OwnedFd::from(writer)));
        write_until_synced(&mut file);
        // And is in nobody's way until then.
        file.write_all(&MEGABYTE).unwrap();
        let error = file.end().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{error}");
        assert!(drain.join().unwrap().unwrap() > AT_A_TIME);
    }
}
