//! Why a folder could not be published.

use crate::words::shown;
use std::io;
use std::path::{Path, PathBuf};

/// Why a folder could not be published. The target is as it was before, except with
/// [`NotRestored`](PublishError::NotRestored), and if the folder around it could not be synced, which
/// is done after the exchange.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The target exists and is not a folder.
    #[error("{} is not a folder: choose another --out", shown(.target))]
    NotAFolder {
        /// The target.
        target: PathBuf,
    },
    /// The target is `/`, or ends in `..`.
    #[error("{} cannot be replaced as a whole: choose a folder inside it as --out", shown(.target))]
    NoName {
        /// The target.
        target: PathBuf,
    },
    /// The target is a symbolic link to nothing.
    #[error(
        "{} is a link to a folder that does not exist: make that folder, or remove the link",
        shown(.target)
    )]
    DanglingLink {
        /// The link.
        target: PathBuf,
    },
    /// The target holds files that no export wrote, and that would be deleted with it.
    #[error(
        "{} holds {}, which no export wrote and replacing the folder would delete: \
         move that elsewhere, or choose another --out",
        shown(.target),
        listed(.entries)
    )]
    ForeignEntries {
        /// The target.
        target: PathBuf,
        /// Their names, sorted.
        entries: Vec<String>,
    },
    /// The target is in an export, which could then not be replaced any more.
    #[error(
        "{} is in the export {}, which could then not be replaced any more: choose a folder \
         outside of it as --out",
        shown(.target),
        shown(.export)
    )]
    InsideExport {
        /// The target.
        target: PathBuf,
        /// The export around it.
        export: PathBuf,
    },
    /// The file system failed.
    #[error("cannot {doing} {}: check permissions and free space", shown(.path))]
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
        shown(.target),
        shown(.previous)
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
