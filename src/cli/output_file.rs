//! Output files of commands, such as a report.
//!
//! A mistyped `--out` must not destroy a log or a cache: a file is replaced only if it is empty or its
//! first bytes show that it is of the same kind.

use crate::export::export_around;
use crate::folders::{create_folders, keep_access, parent_of};
use crate::platform::{open_file, open_stream, temporary_file};
use crate::words::{shell_path, shown};
use anyhow::{Result, anyhow, bail};
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

/// An output file.
pub(super) struct OutputFile<'a> {
    pub(super) path: &'a Path,
    /// Its kind, such as `a report of prep`.
    pub(super) what: &'static str,
    /// Text near the beginning of a file that identifies this kind.
    pub(super) mark: &'a str,
    /// Whether to replace a file of another kind; `None` if the command has no such option.
    pub(super) force: Option<bool>,
    /// Advice on how to choose another path.
    pub(super) advice: &'static str,
}

/// Number of bytes that are searched for the mark.
const BEGINNING: u64 = 2048;

/// Fails if the path is a folder, and suggests a file in it.
pub(super) fn refuse_folder(path: &Path, name: &str) -> Result<()> {
    if path.is_dir() {
        let file = path.join(name);
        bail!(
            "{} is a folder: give a file in it, such as --out {}",
            shown(path),
            shell_path(&file)
        );
    }
    Ok(())
}

impl OutputFile<'_> {
    /// Fails if the file cannot be replaced; call it before a long computation.
    pub(super) fn check(&self) -> Result<()> {
        let OutputFile { path, what, force, advice, .. } = self;
        if let Some(export) = export_around(path) {
            bail!(
                "{} is in the export {}, where it would block the next export: choose a path \
                 outside the export",
                shown(path),
                shown(&export)
            );
        }
        match fs::metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(self.failed(error)),
            // For example /dev/stdout, where nothing is replaced.
            Ok(found) if !found.is_file() || found.len() == 0 || *force == Some(true) => Ok(()),
            Ok(_) => match self.is_marked().map_err(|error| self.failed(error))? {
                true => Ok(()),
                false => {
                    let or = if force.is_some() { ", or add --force to replace it" } else { "" };
                    bail!("{} exists and is not {what}: {advice}{or}", shown(path))
                }
            },
        }
    }

    fn is_marked(&self) -> io::Result<bool> {
        let mut beginning = Vec::new();
        open_file(self.path)?.take(BEGINNING).read_to_end(&mut beginning)?;
        Ok(String::from_utf8_lossy(&beginning).contains(self.mark))
    }

    /// Writes the file atomically, and creates missing parent folders. A browser never loads an
    /// incomplete report.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<()> {
        self.check()?;
        let written = match fs::metadata(self.path) {
            Ok(found) if !found.is_file() => {
                open_stream(self.path).and_then(|mut stream| stream.write_all(bytes))
            }
            found => self.replace(bytes, found.ok().as_ref()),
        };
        written.map_err(|error| self.failed(error))
    }

    fn replace(&self, bytes: &[u8], replaced: Option<&Metadata>) -> io::Result<()> {
        // Keeps a symbolic link.
        let target = match fs::canonicalize(self.path) {
            Ok(target) => target,
            Err(error) if error.kind() == ErrorKind::NotFound => self.path.to_owned(),
            Err(error) => return Err(error),
        };
        let folder = parent_of(&target);
        create_folders(folder)?;
        let mut file = temporary_file(folder)?;
        file.write_all(bytes)?;
        if let Some(replaced) = replaced {
            keep_access(file.path(), replaced)?;
        }
        file.persist(&target).map_err(|error| error.error)?;
        Ok(())
    }

    fn failed(&self, error: io::Error) -> anyhow::Error {
        // Omits the name of the temporary file, which the user does not know.
        let why = match error.get_ref() {
            Some(_)
                if error.raw_os_error().is_none() && error.kind() != ErrorKind::InvalidInput =>
            {
                error.kind().to_string()
            }
            _ => error.to_string(),
        };
        anyhow!("cannot write {}: {why}: {}", shown(self.path), self.advice)
    }
}
