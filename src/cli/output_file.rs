//! Files that a command writes for people, such as a report.
//!
//! A mistyped `--out` must not cost a log or a cache: a file is replaced only if it is of the same kind, as
//! its first bytes show, or if it is empty.

use crate::export::export_around;
use crate::folders::{create_folders, keep_access, parent_of};
use crate::platform::{open_file, open_stream, temporary_file};
use crate::words::{shell_path, shown};
use anyhow::{Result, anyhow, bail};
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

/// A file to be written.
pub(super) struct OutputFile<'a> {
    pub(super) path: &'a Path,
    /// What it will be, such as `a report of prep`.
    pub(super) what: &'static str,
    /// What shows, in its first bytes, that a file is one.
    pub(super) mark: &'a str,
    /// Whether another file may be replaced too; `None` if the command cannot be told to.
    pub(super) force: Option<bool>,
    /// How another place is chosen.
    pub(super) advice: &'static str,
}

/// Bytes that are searched for the mark.
const BEGINNING: u64 = 2048;

/// Says that a path is that of a folder, with a file in it that could be meant.
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
    /// Says what is in the way; worth asking before a long computation.
    pub(super) fn check(&self) -> Result<()> {
        let OutputFile { path, what, force, advice, .. } = self;
        if let Some(export) = export_around(path) {
            bail!(
                "{} is in the export {}, which could then not be replaced any more: write to a place \
                 outside of it",
                shown(path),
                shown(&export)
            );
        }
        match fs::metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(self.failed(error)),
            // Such as /dev/stdout: nothing is replaced.
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

    /// Writes the file, and the folders above it where they are missing. It is there as a whole or not at
    /// all: a browser never reloads half of a report.
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
        // A link stays one.
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
        // Without the name of the temporary file, which means nothing to the user.
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
