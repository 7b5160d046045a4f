//! The thread that writes the lease file.
//!
//! Everything that was handed over while the last fsync ran shares the next one (group commit). A rewrite that comes in
//! several pieces is filled and synced on a thread of its own, as that takes long: entries go to the old file meanwhile,
//! and are kept for the new one, where they are appended before it is installed. So at any moment the file that has the
//! name of the lease file holds everything that was reported as committed.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

use super::{Complaint, Disk, LeaseFile, NewFile, RewriteFailure, System};
use crate::runtime::fatal::Fatal;
use crate::server::CommitId;

/// How many octets of entries may share one fsync.
const LARGEST_BATCH: usize = 1 << 20;

/// What the writer is asked to do.
#[derive(Debug)]
enum Job<D: Disk> {
    Append(Vec<u8>),
    Commit(CommitId),
    Rewrite {
        piece: Vec<u8>,
        now: i64,
        last: Option<CommitId>,
    },
    /// From the thread that fills a new file: it is complete and synced.
    Filled {
        outcome: Result<NewFile<D>, Complaint>,
        commit: CommitId,
    },
    Stop,
}

/// What the writer reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// Everything up to and including this commit is on disk; of a rewrite, it is in place. The lines are to be logged
    /// first.
    Committed(CommitId, Complaint),
    /// This commit and those before it that were not reported yet did not get there. The lines are to be logged first.
    Failed(CommitId, Complaint),
    /// The server must end.
    Fatal(Fatal),
}

/// The thread that writes the lease file.
#[derive(Debug)]
pub struct Writer<D: Disk = System> {
    jobs: Sender<Job<D>>,
    thread: Option<JoinHandle<()>>,
}

impl<D: Disk> Writer<D> {
    /// Starts the thread. Reports are handed to `report` on that thread.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start(file: LeaseFile<D>, report: impl FnMut(Report) + Send + 'static) -> io::Result<Self> {
        let (jobs, queue) = channel();
        let filled = jobs.clone();
        let thread = Builder::new().name("lease-file".into());
        let thread = thread.spawn(move || {
            let rewriting = None;
            Work { file, queue, filled, report, rewriting, commit: None, stopping: false }.run();
        })?;
        Ok(Self { jobs, thread: Some(thread) })
    }

    /// Appends entries; they are on disk after the next commit.
    pub fn append(&self, entries: Vec<u8>) {
        self.hand_over(Job::Append(entries));
    }

    /// Asks for a commit.
    pub fn commit(&self, commit: CommitId) {
        self.hand_over(Job::Commit(commit));
    }

    /// Asks for the file to be replaced, piece by piece. `now` is seconds since 1970; the last piece names what is
    /// reported when the new file is in place.
    pub fn rewrite(&self, piece: Vec<u8>, now: i64, last: Option<CommitId>) {
        self.hand_over(Job::Rewrite { piece, now, last });
    }

    /// Waits until everything handed over is done and reported. A rewrite whose last piece did not come is given up;
    /// what is handed over afterwards is not done.
    pub fn finish(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.hand_over(Job::Stop);
            // A panic there has been printed by the panic hook already.
            let _ = thread.join();
        }
    }

    fn hand_over(&self, job: Job<D>) {
        // The thread ends only when it is told to, by `finish`, so until then there is a receiver.
        let _ = self.jobs.send(job);
    }
}

impl<D: Disk> Drop for Writer<D> {
    fn drop(&mut self) {
        self.finish();
    }
}

/// A rewrite in several pieces.
#[derive(Debug)]
enum Rewriting {
    /// Pieces go to a thread; entries since the first one are kept.
    Filling { pieces: Sender<Part>, since: Vec<u8>, complete: bool },
    /// It could not begin; that is said when the last piece comes.
    Failed(Complaint),
}

#[derive(Debug)]
enum Part {
    Piece(Vec<u8>),
    Last(Vec<u8>, CommitId),
}

struct Work<D: Disk, R> {
    file: LeaseFile<D>,
    queue: Receiver<Job<D>>,
    /// For the thread that fills a new file to report back.
    filled: Sender<Job<D>>,
    report: R,
    rewriting: Option<Rewriting>,
    /// The last commit asked for and not done.
    commit: Option<CommitId>,
    stopping: bool,
}

impl<D: Disk, R: FnMut(Report)> Work<D, R> {
    fn run(mut self) {
        while !self.stopping || self.is_filling_up() {
            let Ok(first) = self.queue.recv() else { break };
            let mut next = Some(first);
            while let Some(job) = next {
                self.job(job);
                next =
                    if self.file.pending.len() < LARGEST_BATCH { self.queue.try_recv().ok() } else { None };
            }
            self.finish_commit();
        }
        // The server is going down; what was never committed was never promised, but need not be lost.
        let _ = self.file.commit();
    }

    /// A new file is complete, and will be installed.
    fn is_filling_up(&self) -> bool {
        matches!(&self.rewriting, Some(Rewriting::Filling { complete: true, .. }))
    }

    fn job(&mut self, job: Job<D>) {
        match job {
            Job::Append(entries) => {
                self.file.append(&entries);
                if let Some(Rewriting::Filling { since, .. }) = &mut self.rewriting {
                    since.extend(entries);
                }
            }
            Job::Commit(id) => self.commit = Some(id),
            Job::Rewrite { piece, now, last } => self.piece(piece, now, last),
            Job::Filled { outcome, commit } => {
                // As in dhcpd, what was waiting goes to the old file first, in case the rewrite fails.
                self.finish_commit();
                let since = match self.rewriting.take() {
                    Some(Rewriting::Filling { since, .. }) => since,
                    _ => Vec::new(),
                };
                let installed = outcome.and_then(|mut new| {
                    new.write(&since)?;
                    Ok(new)
                });
                let installed = installed.map_err(RewriteFailure::Complaint);
                let installed = installed.and_then(|new| self.file.install(new));
                self.report_rewrite(commit, installed);
            }
            Job::Stop => self.stopping = true,
        }
    }

    fn piece(&mut self, piece: Vec<u8>, now: i64, last: Option<CommitId>) {
        if self.rewriting.is_none() {
            self.finish_commit();
            if let Some(commit) = last {
                // All in one piece: not worth a thread.
                let outcome = self.file.rewrite(&piece, now);
                return self.report_rewrite(commit, outcome);
            }
            match self.begin(now) {
                Ok(rewriting) => self.rewriting = Some(rewriting),
                Err(RewriteFailure::Complaint(lines)) => self.rewriting = Some(Rewriting::Failed(lines)),
                Err(RewriteFailure::Fatal(fatal)) => (self.report)(Report::Fatal(fatal)),
            }
        }
        match (&mut self.rewriting, last) {
            (Some(Rewriting::Filling { pieces, complete, .. }), last) => {
                *complete = last.is_some();
                let part = match last {
                    Some(commit) => Part::Last(piece, commit),
                    None => Part::Piece(piece),
                };
                // The thread takes all parts.
                let _ = pieces.send(part);
            }
            (Some(Rewriting::Failed(lines)), Some(commit)) => {
                let outcome = Err(RewriteFailure::Complaint(std::mem::take(lines)));
                self.rewriting = None;
                self.report_rewrite(commit, outcome);
            }
            _ => {}
        }
    }

    fn begin(&self, now: i64) -> Result<Rewriting, RewriteFailure> {
        let new = self.file.begin_rewrite(now)?;
        let (pieces, parts) = channel();
        let filled = self.filled.clone();
        let thread = Builder::new().name("lease-file-new".into());
        // The thread ends by itself, when it has the last part or there will be none.
        match thread.spawn(move || fill(new, &parts, &filled)) {
            Ok(_) => Ok(Rewriting::Filling { pieces, since: Vec::new(), complete: false }),
            Err(error) => Err(RewriteFailure::Complaint(super::cannot_write(&error))),
        }
    }

    fn finish_commit(&mut self) {
        let Some(id) = self.commit.take() else { return };
        (self.report)(match self.file.commit() {
            Ok(()) => Report::Committed(id, Vec::new()),
            Err(lines) => Report::Failed(id, lines),
        });
    }

    fn report_rewrite(&mut self, commit: CommitId, outcome: Result<Complaint, RewriteFailure>) {
        (self.report)(match outcome {
            Ok(notes) => Report::Committed(commit, notes),
            Err(RewriteFailure::Complaint(lines)) => Report::Failed(commit, lines),
            Err(RewriteFailure::Fatal(fatal)) => Report::Fatal(fatal),
        });
    }
}

/// Writes the parts of a new file and syncs it, then reports.
fn fill<D: Disk>(mut new: NewFile<D>, parts: &Receiver<Part>, filled: &Sender<Job<D>>) {
    let mut outcome = Ok(());
    while let Ok(part) = parts.recv() {
        let (piece, last) = match part {
            Part::Piece(piece) => (piece, None),
            Part::Last(piece, commit) => (piece, Some(commit)),
        };
        outcome = outcome.and_then(|()| new.write(&piece));
        if let Some(commit) = last {
            let outcome = outcome.and_then(|()| new.sync()).map(|()| new);
            // The writer waits for this.
            let _ = filled.send(Job::Filled { outcome, commit });
            return;
        }
    }
}
