//! The lease file on disk: appended to, synced, rewritten, installed.
//!
//! [`LeaseFile`] is the file itself, [`NewFile`] one that is to take its place; [`Writer`] is a thread around them, so
//! that the server goes on while the disk works. A commit is reported only after fsync has returned. After a failure
//! nothing is reported as committed until the file is whole again. Mirrors ISC `server/db.c` (`new_lease_file`,
//! `commit_leases`, `db_startup`); the format is the `lease` layer's.

mod disk;
mod writer;

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::daemon::Identity;
use super::fatal::Fatal;
use super::settings::path_octets;
use super::sys;
use crate::log::Line;
pub use disk::{Disk, System};
pub use writer::{Report, Writer};

/// The longest path of a lease file with its suffix, in octets, plus one (ISC's buffers).
const PATH_BUFFER: usize = 512;

/// The lease file.
#[derive(Debug)]
pub struct LeaseFile<D: Disk = System> {
    disk: D,
    path: PathBuf,
    file: D::File,
    use_fsync: bool,
    owner: Identity,
    /// Octets of `file` that are known to be whole entries.
    good: u64,
    /// Entries that did not make it into the file.
    pending: Vec<u8>,
    /// fsync has failed: what the kernel says about this file is not to be trusted any more.
    poisoned: bool,
}

/// Why a commit or a rewrite failed: the lines dhcpd logs for it.
pub type Complaint = Vec<Line>;

impl LeaseFile {
    /// Reads the lease file, at start-up. The file is never created.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(path: &Path) -> Result<Vec<u8>, ReadFailure> {
        std::fs::read(path).map_err(|error| ReadFailure { path: path.to_owned(), error })
    }

    /// Opens the file to append to it. `owner` is who a rewritten file is given to. No fsync without `use_fsync`.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(path: &Path, use_fsync: bool, owner: Identity) -> Result<Self, Fatal> {
        Self::open_on(System, path, use_fsync, owner)
    }
}

impl<D: Disk> LeaseFile<D> {
    /// The same on any file system.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open_on(disk: D, path: &Path, use_fsync: bool, owner: Identity) -> Result<Self, Fatal> {
        let (file, good) = disk
            .append_to(path)
            .map_err(|_| Fatal::new([b"Can't open ", path_octets(path), b" for append."].concat()))?;
        let path = path.to_owned();
        Ok(Self { disk, path, file, use_fsync, owner, good, pending: Vec::new(), poisoned: false })
    }

    /// Takes entries to be written with the next commit.
    pub fn append(&mut self, entries: &[u8]) {
        self.pending.extend_from_slice(entries);
    }

    /// Writes what was appended, without fsync, for the entries of start-up that the rewrite is about to replace.
    ///
    /// # Errors
    /// The lines dhcpd logs. What was appended is kept and tried again.
    pub fn flush(&mut self) -> Result<(), Complaint> {
        if self.pending.is_empty() {
            return Ok(());
        }
        match self.disk.write_all(&mut self.file, &self.pending) {
            Ok(()) => {
                self.good += self.pending.len() as u64;
                self.pending.clear();
                Ok(())
            }
            Err(error) => {
                // Half an entry must not stay: the next one would be read as part of it.
                if self.disk.cut(&self.file, self.good).is_err() {
                    self.poisoned = true;
                }
                Err(cannot_write(&error))
            }
        }
    }

    /// Writes what was appended and syncs.
    ///
    /// # Errors
    /// The lines dhcpd logs. What was appended is kept and tried again; after a failed fsync only a rewrite helps.
    pub fn commit(&mut self) -> Result<(), Complaint> {
        if self.poisoned {
            return Err(cannot_sync(&io::Error::from_raw_os_error(libc::EIO)));
        }
        self.flush()?;
        if self.use_fsync
            && let Err(error) = self.disk.sync(&self.file)
        {
            self.poisoned = true;
            return Err(cannot_sync(&error));
        }
        Ok(())
    }

    /// Begins a file that is to take this one's place: `DB.T`, where `now` is T, seconds since 1970.
    ///
    /// # Errors
    /// What dhcpd logs.
    pub fn begin_rewrite(&self, now: i64) -> Result<NewFile<D>, RewriteFailure> {
        let temporary =
            with_suffix(&self.path, &format!(".{now}"), "new_lease_file: lease file path too long")?;
        let file = self.disk.create(&temporary).map_err(|error| {
            let reason = sys::percent_m(&error);
            RewriteFailure::Complaint(vec![Line::error(format!("Can't create new lease file: {reason}"))])
        })?;
        let use_fsync = self.use_fsync;
        let new = NewFile { disk: self.disk.clone(), temporary, file: Some(file), use_fsync, length: 0 };
        new.give_away(self.owner)?;
        Ok(new)
    }

    /// Syncs a complete new file, links DB to `DB~`, and puts the new one in its place. What was appended before is part
    /// of it and is dropped.
    ///
    /// # Errors
    /// What dhcpd logs; the old file then stays in place and in use.
    pub fn install(&mut self, mut new: NewFile<D>) -> Result<Complaint, RewriteFailure> {
        new.sync().map_err(RewriteFailure::Complaint)?;
        let backup = with_suffix(&self.path, "~", "new_lease_file: backup lease file path too long")?;
        let complaint = |parts: &[&[u8]], error: &io::Error| {
            let mut text = parts.concat();
            text.extend_from_slice(format!(": {}", sys::percent_m(error)).as_bytes());
            RewriteFailure::Complaint(vec![Line::error(text)])
        };
        match self.disk.remove(&backup) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                let parts = [b"Can't remove old lease database backup ", path_octets(&backup)];
                return Err(complaint(&parts, &error));
            }
            _ => {}
        }
        let mut notes = Vec::new();
        match self.disk.link(&self.path, &backup) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let missing = [path_octets(&self.path), b" is missing - no lease db to backup."].concat();
                notes.push(Line::error(missing));
            }
            Err(error) => {
                let parts: [&[u8]; 4] =
                    [b"Can't backup lease database ", path_octets(&self.path), b" to ", path_octets(&backup)];
                return Err(complaint(&parts, &error));
            }
        }
        if let Err(error) = self.disk.rename(&new.temporary, &self.path) {
            let parts: [&[u8]; 4] = [
                b"Can't install new lease database ",
                path_octets(&new.temporary),
                b" to ",
                path_octets(&self.path),
            ];
            return Err(complaint(&parts, &error));
        }
        if let Some(file) = new.file.take() {
            self.file = file;
        }
        self.good = new.length;
        self.pending.clear();
        self.poisoned = false;
        // dhcpd leaves the directory to the file system; we want the rename on disk before we count on it. Some file
        // systems cannot; they then order the rename before what follows, or nobody can.
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        if self.use_fsync
            && let Err(error) = self.disk.sync_directory(directory.unwrap_or(Path::new(".")))
            && !matches!(
                error.raw_os_error(),
                Some(libc::EINVAL | libc::EOPNOTSUPP | libc::ENOSYS | libc::EACCES | libc::EPERM)
            )
        {
            self.poisoned = true;
            return Err(RewriteFailure::Complaint(cannot_sync(&error)));
        }
        Ok(notes)
    }

    /// Replaces the file by this content.
    ///
    /// # Errors
    /// As for [`LeaseFile::install`].
    pub fn rewrite(&mut self, content: &[u8], now: i64) -> Result<Complaint, RewriteFailure> {
        let mut new = self.begin_rewrite(now)?;
        new.write(content).map_err(RewriteFailure::Complaint)?;
        self.install(new)
    }
}

/// A lease file that is to take the place of the old one. Its name goes when it is dropped before that.
#[derive(Debug)]
pub struct NewFile<D: Disk = System> {
    disk: D,
    temporary: PathBuf,
    /// `None` once it is installed.
    file: Option<D::File>,
    use_fsync: bool,
    length: u64,
}

impl NewFile {
    /// Begins a file that takes nobody's place (`-T`).
    ///
    /// # Errors
    /// What dhcpd logs.
    pub fn trial(path: &Path, now: i64, owner: Identity) -> Result<Self, RewriteFailure> {
        let nowhere = LeaseFile::open(Path::new("/dev/null"), true, owner).map_err(RewriteFailure::Fatal)?;
        LeaseFile { path: path.to_owned(), ..nowhere }.begin_rewrite(now)
    }
}

impl<D: Disk> NewFile<D> {
    /// Writes a piece.
    ///
    /// # Errors
    /// The lines dhcpd logs. The file is of no use then.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), Complaint> {
        let Some(file) = &mut self.file else { return Ok(()) };
        self.disk.write_all(file, piece).map_err(|error| cannot_write(&error))?;
        self.length += piece.len() as u64;
        Ok(())
    }

    /// Waits until it is on disk, if fsync is used.
    ///
    /// # Errors
    /// The lines dhcpd logs. The file is of no use then.
    pub fn sync(&self) -> Result<(), Complaint> {
        match &self.file {
            Some(file) if self.use_fsync => self.disk.sync(file).map_err(|error| cannot_sync(&error)),
            _ => Ok(()),
        }
    }

    /// Ends a trial: what dhcpd says about one that went well. The file is removed.
    ///
    /// # Errors
    /// The lines dhcpd logs.
    pub fn finish_trial(self) -> Result<Line, Complaint> {
        self.sync()?;
        let told = b"Lease file test successful, removing temp lease file: ";
        Ok(Line::debug([told, path_octets(&self.temporary)].concat()))
    }

    /// It goes to the user and group we are about to become.
    fn give_away(&self, owner: Identity) -> Result<(), RewriteFailure> {
        let Identity { uid, gid } = owner;
        let root = nix::unistd::geteuid().is_root() && nix::unistd::getegid().as_raw() == 0;
        let Some(file) = self.file.as_ref().filter(|_| uid != 0 && gid != 0 && root) else { return Ok(()) };
        self.disk.give_away(file, uid, gid).map_err(|error| {
            let reason = sys::percent_m(&error);
            RewriteFailure::Fatal(Fatal::new(format!("Can't chown new lease file: {reason}")))
        })
    }
}

impl<D: Disk> Drop for NewFile<D> {
    fn drop(&mut self) {
        if self.file.is_some() {
            // Nothing more can be done about a temporary file that stays.
            let _ = self.disk.remove(&self.temporary);
        }
    }
}

fn with_suffix(path: &Path, suffix: &str, too_long: &str) -> Result<PathBuf, RewriteFailure> {
    let mut path = OsString::from(path);
    path.push(suffix);
    if path.as_bytes().len() >= PATH_BUFFER {
        return Err(RewriteFailure::Fatal(Fatal::new(too_long)));
    }
    Ok(path.into())
}

fn cannot_write(error: &io::Error) -> Complaint {
    vec![Line::info(format!("commit_leases: unable to commit, fflush(): {}", sys::percent_m(error)))]
}

fn cannot_sync(error: &io::Error) -> Complaint {
    vec![Line::info(format!("commit_leases: unable to commit, fsync(): {}", sys::percent_m(error)))]
}

/// Why the file was not replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RewriteFailure {
    /// Logged; the server goes on with the old file.
    Complaint(Complaint),
    /// The server ends.
    Fatal(Fatal),
}

/// The lease file cannot be read at start-up.
#[derive(Debug)]
pub struct ReadFailure {
    path: PathBuf,
    error: io::Error,
}

impl ReadFailure {
    /// What dhcpd logs as errors, and the fatal error that follows.
    pub fn tell(&self) -> (Vec<Line>, Fatal) {
        if self.error.raw_os_error() == Some(libc::EISDIR) {
            // dhcpd opens a directory, and fails when it reads.
            let reason = format!(": {}", sys::percent_m(&self.error));
            let text = [b"Can't read in ", path_octets(&self.path), reason.as_bytes()].concat();
            return (Vec::new(), Fatal::new(text));
        }
        let reason = format!(": {} --", sys::percent_m(&self.error));
        let lines = vec![
            Line::error([b"Can't open lease database ", path_octets(&self.path), reason.as_bytes()].concat()),
            Line::error("  check for failed database rewrite attempt!"),
            Line::error("Please read the dhcpd.leases manual page if you"),
        ];
        (lines, Fatal::new("don't know what to do about this."))
    }
}

#[cfg(test)]
mod tests;
