//! The lease file on disk: appended to, synced, rewritten, installed.
//!
//! [`LeaseFile`] is the file itself; [`Writer`] a thread around it, so that the server goes on while the disk works. A
//! commit is reported only after fsync has returned, and everything that was handed over while the last fsync ran
//! shares the next one (group commit). After a failure nothing is reported as committed until the file is whole again.
//! Mirrors ISC `server/db.c` (`new_lease_file`, `commit_leases`, `db_startup`); the format is the `lease` layer's.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::JoinHandle;

use super::daemon::Identity;
use super::fatal::Fatal;
use super::settings::path_octets;
use super::sys;
use crate::log::Line;
use crate::server::CommitId;

/// The longest path of a lease file with its suffix, in octets, plus one (ISC's buffers).
const PATH_BUFFER: usize = 512;

/// How many octets of entries may share one fsync.
const LARGEST_BATCH: usize = 1 << 20;

/// The lease file.
#[derive(Debug)]
pub struct LeaseFile {
    path: PathBuf,
    file: File,
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
        let opened = OpenOptions::new().append(true).create(true).mode(0o666).open(path).and_then(|file| {
            let good = file.metadata()?.len();
            Ok((file, good))
        });
        let (file, good) =
            opened.map_err(|_| Fatal::new([b"Can't open ", path_octets(path), b" for append."].concat()))?;
        let path = path.to_owned();
        Ok(Self { path, file, use_fsync, owner, good, pending: Vec::new(), poisoned: false })
    }

    /// Takes entries to be written with the next commit.
    pub fn append(&mut self, entries: &[u8]) {
        self.pending.extend_from_slice(entries);
    }

    /// Writes what was appended, without fsync, for the entries of start-up that the rewrite is about to replace.
    pub fn flush(&mut self) -> Result<(), Complaint> {
        self.write_pending()
    }

    /// Writes what was appended and syncs.
    ///
    /// # Errors
    /// The lines dhcpd logs. What was appended is kept and tried again; after a failed fsync only a rewrite helps.
    pub fn commit(&mut self) -> Result<(), Complaint> {
        self.write_pending()?;
        if self.poisoned {
            return Err(cannot_sync(&io::Error::from_raw_os_error(libc::EIO)));
        }
        if self.use_fsync
            && let Err(error) = self.file.sync_all()
        {
            self.poisoned = true;
            return Err(cannot_sync(&error));
        }
        Ok(())
    }

    fn write_pending(&mut self) -> Result<(), Complaint> {
        if self.pending.is_empty() {
            return Ok(());
        }
        match self.file.write_all(&self.pending) {
            Ok(()) => {
                self.good += self.pending.len() as u64;
                self.pending.clear();
                Ok(())
            }
            Err(error) => {
                // Half an entry must not stay: the next one would be read as part of it.
                if self.file.set_len(self.good).is_err() {
                    self.poisoned = true;
                }
                let reason = sys::percent_m(&error);
                Err(vec![Line::info(format!("commit_leases: unable to commit, fflush(): {reason}"))])
            }
        }
    }

    /// Replaces the file: writes `content` to `DB.T` (`now` is T, seconds since 1970), syncs, links DB to `DB~`, and
    /// renames. What was appended before is part of `content` and is dropped.
    ///
    /// # Errors
    /// What dhcpd logs; the old file then stays in place and in use.
    pub fn rewrite(&mut self, content: &[u8], now: i64) -> Result<Complaint, RewriteFailure> {
        let temporary = self.with_suffix(format!(".{now}"), "new_lease_file: lease file path too long")?;
        let complain = |text: &str, error: &io::Error| {
            RewriteFailure::Complaint(vec![Line::error(format!("{text}: {}", sys::percent_m(error)))])
        };
        let mut file = create(&temporary).map_err(|error| complain("Can't create new lease file", &error))?;
        let installed = self.fill_and_install(&mut file, &temporary, content);
        match installed {
            Ok(notes) => {
                self.file = file;
                self.good = content.len() as u64;
                self.pending.clear();
                self.poisoned = false;
                Ok(notes)
            }
            Err(failure) => {
                // Nothing more can be done about a temporary file that stays.
                let _ = std::fs::remove_file(&temporary);
                Err(failure)
            }
        }
    }

    fn fill_and_install(
        &self,
        file: &mut File,
        temporary: &Path,
        content: &[u8],
    ) -> Result<Complaint, RewriteFailure> {
        self.give_away(file)?;
        if let Err(error) = file.write_all(content) {
            let reason = sys::percent_m(&error);
            let line = Line::info(format!("commit_leases: unable to commit, fflush(): {reason}"));
            return Err(RewriteFailure::Complaint(vec![line]));
        }
        if self.use_fsync
            && let Err(error) = file.sync_all()
        {
            return Err(RewriteFailure::Complaint(cannot_sync(&error)));
        }
        let backup = self.with_suffix("~".into(), "new_lease_file: backup lease file path too long")?;
        let complaint = |parts: &[&[u8]], error: &io::Error| {
            let mut text = parts.concat();
            text.extend_from_slice(format!(": {}", sys::percent_m(error)).as_bytes());
            RewriteFailure::Complaint(vec![Line::error(text)])
        };
        match std::fs::remove_file(&backup) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                let parts = [b"Can't remove old lease database backup ", path_octets(&backup)];
                return Err(complaint(&parts, &error));
            }
            _ => {}
        }
        let mut notes = Vec::new();
        match std::fs::hard_link(&self.path, &backup) {
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
        if let Err(error) = std::fs::rename(temporary, &self.path) {
            let parts: [&[u8]; 4] = [
                b"Can't install new lease database ",
                path_octets(temporary),
                b" to ",
                path_octets(&self.path),
            ];
            return Err(complaint(&parts, &error));
        }
        if self.use_fsync {
            self.sync_directory();
        }
        Ok(notes)
    }

    /// Writes `content` to `DB.T` and removes it again (`-T`).
    ///
    /// # Errors
    /// As for [`LeaseFile::rewrite`].
    pub fn try_rewrite(
        path: &Path,
        content: &[u8],
        now: i64,
        owner: Identity,
    ) -> Result<Line, RewriteFailure> {
        let null = File::open("/dev/null")
            .map_err(|error| RewriteFailure::Complaint(vec![Line::error(sys::percent_m(&error))]))?;
        let trial = Self {
            path: path.to_owned(),
            file: null,
            use_fsync: true,
            owner,
            good: 0,
            pending: Vec::new(),
            poisoned: false,
        };
        let temporary = trial.with_suffix(format!(".{now}"), "new_lease_file: lease file path too long")?;
        let complain = |text: String| RewriteFailure::Complaint(vec![Line::error(text)]);
        let mut file = create(&temporary)
            .map_err(|error| complain(format!("Can't create new lease file: {}", sys::percent_m(&error))))?;
        trial.give_away(&file)?;
        let written = file.write_all(content).and_then(|()| file.sync_all());
        let removed = std::fs::remove_file(&temporary);
        if let Err(error) = written.and(removed) {
            return Err(RewriteFailure::Complaint(cannot_sync(&error)));
        }
        let told = b"Lease file test successful, removing temp lease file: ";
        Ok(Line::debug([told, path_octets(&temporary)].concat()))
    }

    /// The new file goes to the user and group we are about to become.
    fn give_away(&self, file: &File) -> Result<(), RewriteFailure> {
        let Identity { uid, gid } = self.owner;
        let root = nix::unistd::geteuid().is_root() && nix::unistd::getegid().as_raw() == 0;
        if uid == 0 || gid == 0 || !root {
            return Ok(());
        }
        std::os::unix::fs::fchown(file, Some(uid), Some(gid)).map_err(|error| {
            let reason = sys::percent_m(&error);
            RewriteFailure::Fatal(Fatal::new(format!("Can't chown new lease file: {reason}")))
        })
    }

    fn with_suffix(&self, suffix: String, too_long: &str) -> Result<PathBuf, RewriteFailure> {
        let mut path = OsString::from(&self.path);
        path.push(suffix);
        if path.as_bytes().len() >= PATH_BUFFER {
            return Err(RewriteFailure::Fatal(Fatal::new(too_long)));
        }
        Ok(path.into())
    }

    /// dhcpd leaves the directory to the file system; we want the rename on disk before we count on it.
    fn sync_directory(&self) {
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        if let Ok(directory) = File::open(directory.unwrap_or(Path::new("."))) {
            // Some file systems cannot; they then order the rename before what follows, or nobody can.
            let _ = directory.sync_all();
        }
    }
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o664).open(path)
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
        let reason = format!(": {} --", sys::percent_m(&self.error));
        let lines = vec![
            Line::error([b"Can't open lease database ", path_octets(&self.path), reason.as_bytes()].concat()),
            Line::error("  check for failed database rewrite attempt!"),
            Line::error("Please read the dhcpd.leases manual page if you"),
        ];
        (lines, Fatal::new("don't know what to do about this."))
    }
}

/// What the writer is asked to do.
#[derive(Debug)]
enum Job {
    Append(Vec<u8>),
    Commit(CommitId),
    Rewrite { content: Vec<u8>, now: i64, commit: CommitId },
}

/// What the writer reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// Everything up to and including this commit is on disk. The lines are to be logged first.
    Committed(CommitId, Complaint),
    /// This commit and those before it that were not reported yet did not get there. The lines are to be logged first.
    Failed(CommitId, Complaint),
    /// The server must end.
    Fatal(Fatal),
}

/// The thread that writes the lease file.
#[derive(Debug)]
pub struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread. Reports are handed to `report` on that thread.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start(file: LeaseFile, report: impl FnMut(Report) + Send + 'static) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let thread = std::thread::Builder::new().name("lease-file".into());
        let thread = thread.spawn(move || work(file, &queue, report))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Appends entries; they are on disk after the next commit.
    pub fn append(&self, entries: Vec<u8>) {
        self.hand_over(Job::Append(entries));
    }

    /// Asks for a commit.
    pub fn commit(&self, commit: CommitId) {
        self.hand_over(Job::Commit(commit));
    }

    /// Asks for the file to be replaced. `now` is seconds since 1970.
    pub fn rewrite(&self, content: Vec<u8>, now: i64, commit: CommitId) {
        self.hand_over(Job::Rewrite { content, now, commit });
    }

    fn hand_over(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // The thread ends only after the sender is dropped, so there is always a receiver.
            let _ = jobs.send(job);
        }
    }
}

impl Drop for Writer {
    /// Waits until everything handed over is done.
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed by the panic hook already.
            let _ = thread.join();
        }
    }
}

fn work(mut file: LeaseFile, queue: &mpsc::Receiver<Job>, mut report: impl FnMut(Report)) {
    while let Ok(first) = queue.recv() {
        let mut batch = Some(first);
        let mut commit = None;
        while let Some(job) = batch {
            match job {
                Job::Append(entries) => file.append(&entries),
                Job::Commit(id) => commit = Some(id),
                Job::Rewrite { content, now, commit: id } => {
                    // As in dhcpd, what was waiting goes to the old file first, in case the rewrite fails.
                    if let Some(id) = commit.take() {
                        report(finish(id, file.commit()));
                    }
                    report(match file.rewrite(&content, now) {
                        Ok(notes) => Report::Committed(id, notes),
                        Err(RewriteFailure::Complaint(lines)) => Report::Failed(id, lines),
                        Err(RewriteFailure::Fatal(fatal)) => Report::Fatal(fatal),
                    });
                }
            }
            batch = if file.pending.len() < LARGEST_BATCH { queue.try_recv().ok() } else { None };
        }
        if let Some(id) = commit {
            report(finish(id, file.commit()));
        }
    }
    // The server is going down; what was never committed was never promised, but need not be lost.
    let _ = file.commit();
}

fn finish(id: CommitId, outcome: Result<(), Complaint>) -> Report {
    match outcome {
        Ok(()) => Report::Committed(id, Vec::new()),
        Err(lines) => Report::Failed(id, lines),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("relet-leases-{name}-{}", std::process::id()));
            let _ = std::fs::remove_dir_all(&path);
            std::fs::create_dir(&path).expect("a temporary directory");
            Self(path)
        }
        fn database(&self, content: &str) -> PathBuf {
            let path = self.0.join("db");
            std::fs::write(&path, content).expect("written");
            path
        }
        fn content(&self, name: &str) -> String {
            std::fs::read_to_string(self.0.join(name)).unwrap_or_else(|error| format!("{:?}", error.kind()))
        }
        fn names(&self) -> Vec<String> {
            let entries = std::fs::read_dir(&self.0).expect("readable");
            let mut names: Vec<String> = entries
                .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
                .collect();
            names.sort();
            names
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn open(path: &Path) -> LeaseFile {
        LeaseFile::open(path, true, Identity::default()).expect("opens")
    }

    #[test]
    fn appended_entries_are_there_after_the_commit() {
        let directory = Directory::new("append");
        let mut file = open(&directory.database("old\n"));
        file.append(b"new\n");
        assert_eq!(directory.content("db"), "old\n");
        file.commit().expect("committed");
        assert_eq!(directory.content("db"), "old\nnew\n");
    }

    #[test]
    fn a_rewrite_keeps_the_old_file_as_backup_and_later_entries_go_to_the_new_one() {
        let directory = Directory::new("rewrite");
        let mut file = open(&directory.database("old\n"));
        file.append(b"expired\n");
        file.flush().expect("flushed");
        assert_eq!(file.rewrite(b"whole\n", 7), Ok(vec![]));
        file.append(b"more\n");
        file.commit().expect("committed");
        assert_eq!(directory.content("db"), "whole\nmore\n");
        assert_eq!(directory.content("db~"), "old\nexpired\n");
        assert_eq!(directory.names(), ["db", "db~"]);
    }

    #[test]
    fn a_missing_file_is_told_and_a_backup_that_cannot_go_keeps_the_old_file() {
        let directory = Directory::new("missing");
        let path = directory.database("old\n");
        let mut file = open(&path);
        std::fs::remove_file(&path).expect("was there");
        let notes = file.rewrite(b"whole\n", 7).expect("installed");
        assert_eq!(notes.len(), 1);
        assert!(notes[0].text.ends_with(b"db is missing - no lease db to backup."));

        std::fs::create_dir(directory.0.join("db~")).expect("in the way");
        let Err(RewriteFailure::Complaint(lines)) = file.rewrite(b"never\n", 8) else { panic!("must fail") };
        assert!(lines[0].text.starts_with(b"Can't remove old lease database backup "));
        file.append(b"more\n");
        file.commit().expect("the old file is still in use");
        assert_eq!(directory.content("db"), "whole\nmore\n");
        assert_eq!(directory.names(), ["db", "db~"]);
    }

    #[test]
    fn a_directory_that_vanished_is_a_complaint() {
        let directory = Directory::new("vanished");
        let mut file = open(&directory.database(""));
        std::fs::remove_dir_all(&directory.0).expect("was there");
        let Err(RewriteFailure::Complaint(lines)) = file.rewrite(b"x", 1) else { panic!("must fail") };
        assert_eq!(lines, [Line::error("Can't create new lease file: No such file or directory")]);
    }

    #[test]
    fn long_paths_are_fatal() {
        let directory = Directory::new("long");
        let mut path = directory.0.clone();
        for _ in 0..2 {
            path.push("d".repeat(200));
        }
        std::fs::create_dir_all(&path).expect("made");
        path.push("f".repeat(511 - path.as_os_str().len() - 2));
        let mut file = open(&path);
        let fatal = |text| Err(RewriteFailure::Fatal(Fatal::new(text)));
        assert_eq!(file.rewrite(b"x", 10), fatal("new_lease_file: lease file path too long"));
    }

    #[test]
    fn a_full_device_is_told_and_never_committed() {
        let mut file = LeaseFile::open(Path::new("/dev/full"), true, Identity::default()).expect("opens");
        file.append(b"entry\n");
        let expected = Line::info("commit_leases: unable to commit, fflush(): No space left on device");
        assert_eq!(file.commit(), Err(vec![expected.clone()]));
        assert_eq!(file.commit().expect_err("still full")[0], expected);
    }

    #[test]
    fn the_test_rewrite_leaves_nothing_behind() {
        let directory = Directory::new("trial");
        let path = directory.database("old\n");
        let line = LeaseFile::try_rewrite(&path, b"whole\n", 42, Identity::default()).expect("fine");
        let expected = format!("Lease file test successful, removing temp lease file: {}.42", path.display());
        assert_eq!(line, Line::debug(expected));
        assert_eq!(directory.names(), ["db"]);
        assert_eq!(directory.content("db"), "old\n");
    }

    #[test]
    fn a_missing_lease_file_in_dhcpd_s_words() {
        let (lines, fatal) = LeaseFile::read(Path::new("/no/such")).expect_err("missing").tell();
        assert_eq!(lines[0], Line::error("Can't open lease database /no/such: No such file or directory --"));
        assert_eq!(fatal.text(), b"don't know what to do about this.");
    }

    #[test]
    fn the_writer_reports_in_order_and_finishes_what_it_was_given() {
        let directory = Directory::new("writer");
        let file = open(&directory.database(""));
        let (sender, reports) = mpsc::channel();
        let writer =
            Writer::start(file, move |report| sender.send(report).expect("heard")).expect("a thread");
        for commit in 1..=50 {
            writer.append(format!("{commit}\n").into_bytes());
            writer.commit(CommitId(commit));
        }
        writer.rewrite(b"whole\n".to_vec(), 9, CommitId(51));
        writer.append(b"52\n".to_vec());
        writer.commit(CommitId(52));
        drop(writer);
        let reports: Vec<Report> = reports.iter().collect();
        let ids: Vec<u64> = reports
            .iter()
            .map(|report| match report {
                Report::Committed(id, _) => id.0,
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(ids.is_sorted() && ids.contains(&50) && ids.contains(&51) && ids.ends_with(&[52]), "{ids:?}");
        assert_eq!(directory.content("db"), "whole\n52\n");
        assert!(directory.content("db~").ends_with("50\n"));
    }
}
