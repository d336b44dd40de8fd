//! A finished folder takes the place of the last one at once.
//!
//! A training run that starts while an export is written must not find half of each. So an export
//! is written beside its target, synced, and then the two names are exchanged in one step; a kill
//! at any moment leaves the old export or the new one. The old files are deleted after that, which
//! takes away their names only: a process that has them open or mapped goes on reading them.
//!
//! All that a run needs lies in one hidden folder next to the target:
//!
//! ```text
//! data/processed                    the target
//! data/.processed.prep-Xw3k9Q/lock      held locked as long as the run lives
//!                            /export/   the new export; after the exchange, the old one
//!                            /previous/ the old export, where names cannot be exchanged
//! ```
//!
//! The lock is the kernel's, so a killed run's folder is recognised by nobody holding it, and is
//! removed by the next run that publishes to the same target.
//!
//! Some network file systems cannot exchange names. There the old export steps aside before the
//! new one steps in; a kill between the two leaves no export at the target until the next run,
//! which puts the old one back.

mod container;
mod forget;
mod replaceable;
#[cfg(test)]
mod tests;

pub use replaceable::check_replaceable;

use crate::progress::{Amount, Progress};
use container::{Container, parent_of};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::cmp::Reverse;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

/// Why a folder could not be published. The target is as it was before, but for two cases:
/// [`NotRestored`](PublishError::NotRestored), and a failure to sync the folder around it, which
/// comes after the exchange.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The target exists and is no folder.
    #[error("{} is not a folder: choose another --out", .target.display())]
    NotAFolder {
        /// The target.
        target: PathBuf,
    },
    /// The target is `/`, or ends in `..`.
    #[error("{} cannot be replaced as a whole: choose a folder inside it as --out", .target.display())]
    NoName {
        /// The target.
        target: PathBuf,
    },
    /// The target is a symbolic link to nothing.
    #[error(
        "{} is a link to a folder that does not exist: make that folder, or remove the link",
        .target.display()
    )]
    DanglingLink {
        /// The link.
        target: PathBuf,
    },
    /// The target is where a file system is mounted, such as a container's volume.
    #[error(
        "{} is a mount point, which cannot be replaced at once: choose a folder inside it as --out",
        .target.display()
    )]
    MountPoint {
        /// The target.
        target: PathBuf,
    },
    /// The target holds what no export of ours wrote, and replacing it would delete that.
    #[error(
        "{} holds {}, which no export wrote and replacing the folder would delete: \
         move that elsewhere, or choose another --out",
        .target.display(),
        listed(.entries)
    )]
    ForeignEntries {
        /// The target.
        target: PathBuf,
        /// Their names, sorted.
        entries: Vec<String>,
    },
    /// The target would lie in an export, which could then not be replaced any more.
    #[error(
        "{} lies in the export {}, which could then not be replaced any more: choose a folder \
         outside of it as --out",
        .target.display(),
        .export.display()
    )]
    InsideExport {
        /// The target.
        target: PathBuf,
        /// The export around it.
        export: PathBuf,
    },
    /// The file system refused a step.
    #[error("cannot {doing} {}: check permissions and free space", .path.display())]
    Io {
        /// The step, such as `sync`.
        doing: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// Neither the new export nor the old one could be put at the target.
    #[error(
        "the new export could not be put at {} and the old one could not be put back: \
         it is whole in {}, move it back or run the export again",
        .target.display(),
        .previous.display()
    )]
    NotRestored {
        /// The target, where there is nothing now.
        target: PathBuf,
        /// Where the old export is.
        previous: PathBuf,
        /// What went wrong when putting it back.
        source: io::Error,
    },
}

/// The first few names, for a sentence.
fn listed(entries: &[String]) -> String {
    const SHOWN: usize = 5;
    match entries.len() {
        ..=SHOWN => entries.join(", "),
        all => format!("{} and {} more", entries[..SHOWN].join(", "), all - SHOWN),
    }
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PublishError {
    move |source| PublishError::Io { doing, path: path.to_owned(), source }
}

/// A folder to write an export into, which is then published or, if dropped, removed.
#[derive(Debug)]
pub struct Staging {
    /// The folder to replace: absolute and without symbolic links.
    target: PathBuf,
    container: Container,
    forgetting: Option<JoinHandle<()>>,
}

impl Staging {
    /// Makes an empty folder beside `target`, and `target`'s parents where they are missing.
    /// Removes what dead runs left there, and puts an export back that one had moved aside.
    ///
    /// A `target` that is a symbolic link stays one: the folder it points to is replaced.
    ///
    /// # Errors
    ///
    /// A target that may not be replaced ([`check_replaceable`]), or a refusal of the file system.
    pub fn create(target: &Path) -> Result<Staging, PublishError> {
        let target = replaceable::resolve(target)?;
        Container::remove_dead(&target).map_err(failed("read the folder of", &target))?;
        check_replaceable(&target)?;
        let container =
            Container::claim(&target).map_err(failed("make a folder beside", &target))?;
        let staging = Staging { target, container, forgetting: None };
        fs::create_dir(staging.path()).map_err(failed("make", &staging.path()))?;
        Ok(staging)
    }

    /// Begins to give up what the kernel keeps in memory of the export at the target. It will not be
    /// needed any more; if this one fails, it is read from the disk again.
    pub fn forget_replaced(&mut self) {
        let target = self.target.clone();
        self.forgetting = std::thread::Builder::new().spawn(move || forget::forget(&target)).ok();
    }

    /// The folder to write into. Whatever is in it is published.
    pub fn path(&self) -> PathBuf {
        self.container.export()
    }

    /// Syncs all that was written, puts it at the target in one step, and deletes what was there.
    /// `progress` hears of the bytes that are synced.
    ///
    /// # Errors
    ///
    /// A target that may no longer be replaced, or a refusal of the file system.
    pub fn publish(self, progress: &dyn Progress) -> Result<(), PublishError> {
        self.publish_with(progress, exchange_names)
    }

    fn publish_with(
        mut self,
        progress: &dyn Progress,
        exchange: impl FnOnce(&Path, &Path) -> io::Result<()>,
    ) -> Result<(), PublishError> {
        // After the exchange it would be the new files that are forgotten.
        let _ = self.forgetting.take().map(JoinHandle::join);
        let (export, target) = (self.path(), self.target.as_path());
        let replaced = match fs::metadata(target) {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(failed("look up", target)(error)),
        };
        if let Some(metadata) = &replaced {
            // A folder that a group shares stays shared.
            fs::set_permissions(&export, metadata.permissions())
                .map_err(failed("set the permissions of", &export))?;
        }
        sync_all(&export, progress)?;

        // Somebody may have saved a notebook there, and gigabytes take a while to sync.
        check_replaceable(target)?;
        let is_placed = replaced.is_none() && self.place_where_nothing_is()?;
        if !is_placed && let Err(error) = exchange(&export, target) {
            // What a kernel without the call answers, and a file system without the feature.
            if !matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::InvalidInput) {
                return Err(failed("exchange the new export with", target)(error));
            }
            self.replace_in_two_steps()?;
        }

        for folder in [parent_of(target), self.container.folder()] {
            sync(folder)?;
        }
        progress.begin("removing the old export", Amount::Unknown);
        drop(self);
        progress.end();
        Ok(())
    }

    /// False if another run has put its first export there meanwhile.
    fn place_where_nothing_is(&self) -> Result<bool, PublishError> {
        match fs::rename(self.path(), &self.target) {
            Ok(()) => Ok(true),
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists
                ) =>
            {
                check_replaceable(&self.target)?;
                Ok(false)
            }
            Err(error) => Err(failed("rename the new export to", &self.target)(error)),
        }
    }

    fn replace_in_two_steps(&self) -> Result<(), PublishError> {
        let (target, previous) = (&self.target, self.container.previous());
        fs::rename(target, &previous).map_err(failed("rename", target))?;
        fs::rename(self.path(), target).map_err(|error| match fs::rename(&previous, target) {
            Ok(()) => failed("rename the new export to", target)(error),
            Err(source) => PublishError::NotRestored { target: target.clone(), previous, source },
        })
    }
}

/// Syncs every file and folder in `folder` and itself, contents first: a name must not reach the
/// disk before what it names.
fn sync_all(folder: &Path, progress: &dyn Progress) -> Result<(), PublishError> {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for entry in walkdir::WalkDir::new(folder).contents_first(true) {
        let entry = entry.map_err(|error| failed("read", folder)(error.into()))?;
        if entry.file_type().is_dir() {
            folders.push((0, entry.into_path()));
        } else {
            let metadata =
                entry.metadata().map_err(|error| failed("read", folder)(error.into()))?;
            files.push((metadata.len(), entry.into_path()));
        }
    }
    // The largest first: by the rate of the small ones, a gigabyte would seem to take hours.
    files.sort_by_key(|&(bytes, _)| Reverse(bytes));
    progress.begin("syncing", Amount::Bytes(files.iter().map(|(bytes, _)| bytes).sum()));
    for (bytes, path) in files.iter().chain(&folders) {
        sync(path)?;
        progress.advance(*bytes);
    }
    progress.end();
    Ok(())
}

fn sync(path: &Path) -> Result<(), PublishError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(failed("sync", path))
}

/// Each of the two names then names what the other did; there is no moment between.
fn exchange_names(one: &Path, other: &Path) -> io::Result<()> {
    Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}
