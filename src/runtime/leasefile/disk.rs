//! What the lease file asks of a file system. Tests put one that fails in its place.

use std::fmt::Debug;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// A file system. Errors are those of the system calls.
pub trait Disk: Clone + Debug + Send + 'static {
    /// An open file.
    type File: Debug + Send;
    /// Opens a file to append to it, made if need be, and says how long it is.
    fn append_to(&self, path: &Path) -> io::Result<(Self::File, u64)>;
    /// Makes an empty file to write to.
    fn create(&self, path: &Path) -> io::Result<Self::File>;
    /// Writes all of it.
    fn write_all(&self, file: &mut Self::File, octets: &[u8]) -> io::Result<()>;
    /// Cuts the file to this length.
    fn cut(&self, file: &Self::File, length: u64) -> io::Result<()>;
    /// Waits until the file's content is on the medium.
    fn sync(&self, file: &Self::File) -> io::Result<()>;
    /// Gives the file to a user and group.
    fn give_away(&self, file: &Self::File, user: u32, group: u32) -> io::Result<()>;
    /// Takes a name away.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Gives a file one more name.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Moves a name, over another one if there is one.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Waits until the names in a directory are on the medium.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
}

/// The system's.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Disk for System {
    type File = File;

    fn append_to(&self, path: &Path) -> io::Result<(File, u64)> {
        let file = OpenOptions::new().append(true).create(true).mode(0o666).open(path)?;
        let length = file.metadata()?.len();
        Ok((file, length))
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o664).open(path)
    }

    fn write_all(&self, file: &mut File, octets: &[u8]) -> io::Result<()> {
        file.write_all(octets)
    }

    fn cut(&self, file: &File, length: u64) -> io::Result<()> {
        file.set_len(length)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn give_away(&self, file: &File, user: u32, group: u32) -> io::Result<()> {
        std::os::unix::fs::fchown(file, Some(user), Some(group))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::hard_link(from, to)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }
}
