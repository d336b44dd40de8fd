//! Why a folder could not be published.

use crate::words::shown;
use std::io;
use std::path::{Path, PathBuf};

/// Why a folder could not be published. The target is unchanged, except with
/// [`NotRestored`](PublishError::NotRestored), and if syncing the parent folder failed, which is done
/// after the exchange.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The target exists and is not a folder.
    #[error("{} is not a folder: choose another --out", shown(.0))]
    NotAFolder(PathBuf),
    /// The target is `/`, or ends in `..`.
    #[error("{} cannot be replaced as a whole: choose a folder inside it as --out", shown(.0))]
    NoName(PathBuf),
    /// The target is a broken symbolic link.
    #[error(
        "{} is a link to a folder that does not exist: create that folder, or remove the link",
        shown(.0)
    )]
    DanglingLink(PathBuf),
    /// The target contains files that no export wrote, and that would be deleted.
    #[error(
        "{} holds {}, which no export wrote and which replacing the folder would delete: move it \
         elsewhere, or choose another --out",
        shown(.target),
        listed(.entries)
    )]
    ForeignEntries {
        /// The target.
        target: PathBuf,
        /// Their names, sorted.
        entries: Vec<String>,
    },
    /// The target is inside an export, where it would block the next export.
    #[error(
        "{} is in the export {}, where it would block the next export: choose a folder outside the \
         export as --out",
        shown(.target),
        shown(.export)
    )]
    InsideExport {
        /// The target.
        target: PathBuf,
        /// The export around it.
        export: PathBuf,
    },
    /// A file operation failed.
    #[error("cannot {doing} {}: check permissions and free space", shown(.path))]
    Io {
        /// The step, such as `sync`.
        doing: &'static str,
        /// The path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Neither the new nor the old export could be moved to the target.
    #[error(
        "the new export could not be moved to {} and the old one could not be restored: it is in \
         {}, move it back or run the export again",
        shown(.target),
        shown(.previous)
    )]
    NotRestored {
        /// The target, which no longer exists.
        target: PathBuf,
        /// The path of the old export.
        previous: PathBuf,
        /// The error of restoring it.
        source: io::Error,
    },
}

/// The first few names, for a message.
pub(super) fn listed(entries: &[String]) -> String {
    const SHOWN: usize = 5;
    let names: Vec<_> = entries.iter().take(SHOWN).map(|name| shown(name).to_string()).collect();
    let names = names.join(", ");
    match entries.len() {
        ..=SHOWN => names,
        all => format!("{names} and {} more", all - SHOWN),
    }
}

pub(super) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PublishError {
    move |source| PublishError::Io { doing, path: path.to_owned(), source }
}
