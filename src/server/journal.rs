//! The lease file as the engine sees it: entries written, commits asked for, the hourly rewrite, and what is done when
//! the disk fails.
//!
//! Mirrors ISC `server/db.c:write_lease`, `commit_leases` and `server/dhcp.c:delayed_ack_enqueue`, with two differences.
//! An ACK never leaves before its commit is reported back; many ACKs may wait for one commit, and `runtime` decides how
//! many commits one fsync covers. And the file is written anew in pieces, between which packets are answered: entries
//! that are written meanwhile go to the old file and, by `runtime`, behind the last piece of the new one.

use super::lease_text::{self, LookedUp};
use super::turn::Turn;
use super::{CommitId, Effect};
use crate::lease::{LeaseId, Piece, Rewrite};
use crate::log::Line;
use crate::time::Seconds;
use std::collections::VecDeque;
use std::time::Duration;

/// The lease file is written anew at the first commit more than this many seconds after the last time.
const REWRITE_PERIOD: Seconds = 3600;

/// How long an ACK waits for others with `delayed-ack`.
const ACK_PAUSE: Duration = Duration::from_millis(10);

/// How long to serve between two pieces of a rewrite.
const PIECE_PAUSE: Duration = Duration::from_millis(2);

/// State of the lease file.
#[derive(Debug)]
pub(super) struct Journal {
    next: u64,
    /// When the file was last written anew.
    rewritten: Seconds,
    /// Entries appended since.
    appended: u64,
    /// Something did not reach the disk: nothing is appended before the file was written anew.
    broken: bool,
    /// Leases written for an ACK whose commit was not asked for yet, in order.
    queued: Vec<LeaseId>,
    /// With `delayed-ack`: when the queued ACKs are committed at the latest.
    deadline: Option<Duration>,
    /// With `delayed-ack`: when they are committed if no other ACK comes.
    pause: Option<Duration>,
    /// Commits asked for and not reported back, oldest first.
    asked: VecDeque<Asked>,
    /// The whole file is being written.
    rewriting: Option<Rewriting>,
}

/// A rewrite from its first piece until it is reported back.
#[derive(Debug)]
struct Rewriting {
    rewrite: Rewrite,
    looked_up: LookedUp,
    /// When the next piece is due.
    next: Duration,
    /// Set with the last piece; reported back when the new file is in place.
    commit: Option<CommitId>,
    /// While the old file is broken: leases that are on disk when the new one is in place.
    leases: Vec<LeaseId>,
    /// Likewise, but changed after the last piece: they are written when the new file is in place, ...
    late: Vec<LeaseId>,
    /// ... and these committed then.
    late_commit: Vec<LeaseId>,
    /// What is logged when it is done.
    lines: Vec<Line>,
}

/// A commit asked for.
#[derive(Debug)]
struct Asked {
    id: CommitId,
    /// Leases in it; those with a reply waiting are answered when it is done.
    leases: Vec<LeaseId>,
    /// What is logged when it is done.
    lines: Vec<Line>,
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            // 0 is the rewrite of start-up.
            next: 1,
            rewritten: 0,
            appended: 0,
            broken: false,
            queued: Vec::new(),
            deadline: None,
            pause: None,
            asked: VecDeque::new(),
            rewriting: None,
        }
    }
}

impl Journal {
    /// When queued ACKs are to be committed, or the next piece of a rewrite is due.
    pub fn next_timeout(&self) -> Option<Duration> {
        let piece = self.rewriting.as_ref().filter(|it| it.commit.is_none()).map(|it| it.next);
        [self.ack_timeout(), piece].into_iter().flatten().min()
    }

    fn ack_timeout(&self) -> Option<Duration> {
        [self.pause, self.deadline].into_iter().flatten().min()
    }

    fn next_id(&mut self) -> CommitId {
        let id = CommitId(self.next);
        self.next += 1;
        id
    }
}

impl Turn<'_> {
    /// The rewrite of start-up, all at once.
    pub(super) fn rewrite_at_startup(&mut self, commit: CommitId) {
        let looked_up = self.look_up_hosts();
        let mut rewrite = Rewrite::begin(&mut self.core.leases);
        loop {
            let now = self.now.wall;
            let Piece { text, last } =
                lease_text::piece(self.core, &mut rewrite, &looked_up, now, self.environment);
            self.effects.push(Effect::Rewrite { piece: text, last: last.then_some(commit) });
            if last {
                break;
            }
        }
        // Nothing has changed meanwhile.
        self.core.leases.end_walk();
        self.core.journal.rewritten = self.now.wall;
        self.core.journal.appended = 0;
        self.effects.extend(rewrite.take_lines().into_iter().map(Effect::Log));
    }

    /// Appends a lease to the file.
    pub(super) fn write_lease(&mut self, id: LeaseId) {
        let journal = &mut self.core.journal;
        journal.appended += 1;
        if !journal.broken {
            self.append(&[id]);
            return;
        }
        // A broken file is written anew at the commit, with everything in it.
        if let Some(rewriting) = journal.rewriting.as_mut().filter(|it| it.commit.is_some()) {
            rewriting.late.push(id);
        }
    }

    fn append(&mut self, leases: &[LeaseId]) {
        let mut lines = Vec::new();
        let text = lease_text::entries(self.core, leases, self.now.wall, self.environment, &mut lines);
        if !text.is_empty() {
            self.effects.push(Effect::Write(text));
        }
        self.effects.extend(lines.into_iter().map(Effect::Log));
    }

    /// Asks for a commit of everything written so far. Nothing waits for it.
    pub(super) fn commit(&mut self, leases: Vec<LeaseId>) {
        let mut leases = leases;
        let journal = &mut self.core.journal;
        leases.splice(0..0, std::mem::take(&mut journal.queued));
        journal.deadline = None;
        journal.pause = None;
        if journal.broken {
            match &mut journal.rewriting {
                Some(rewriting) if rewriting.commit.is_some() => rewriting.late_commit.extend(leases),
                Some(rewriting) => rewriting.leases.extend(leases),
                None => self.rewrite(leases),
            }
            return;
        }
        let id = journal.next_id();
        journal.asked.push_back(Asked { id, leases, lines: Vec::new() });
        self.effects.push(Effect::Commit(id));
        let journal = &self.core.journal;
        let due = journal.appended > 0 && self.now.wall - journal.rewritten > REWRITE_PERIOD;
        if due && journal.rewriting.is_none() {
            self.rewrite(Vec::new());
        }
    }

    /// Logs a line that speaks of what was written, once that is on disk: dhcpd syncs before it says so, and whoever
    /// reads the line may count on it.
    pub(super) fn info_when_committed(&mut self, text: String) {
        let Journal { asked, rewriting, broken, .. } = &mut self.core.journal;
        let rewriting = rewriting.as_mut().filter(|_| *broken).map(|rewriting| &mut rewriting.lines);
        match rewriting.or(asked.back_mut().map(|asked| &mut asked.lines)) {
            Some(lines) => lines.push(Line::info(text)),
            None => self.info(text),
        }
    }

    /// Begins to write the whole file anew. A small file is done with at once.
    fn rewrite(&mut self, leases: Vec<LeaseId>) {
        let looked_up = self.look_up_hosts();
        let rewrite = Rewrite::begin(&mut self.core.leases);
        let journal = &mut self.core.journal;
        journal.rewritten = self.now.wall;
        journal.appended = 0;
        journal.rewriting = Some(Rewriting {
            rewrite,
            looked_up,
            next: self.now.tick,
            commit: None,
            leases,
            late: Vec::new(),
            late_commit: Vec::new(),
            lines: Vec::new(),
        });
        self.rewrite_piece();
    }

    /// Writes the next piece of a rewrite, when it is due.
    pub(super) fn continue_rewrite(&mut self) {
        let rewriting = self.core.journal.rewriting.as_ref();
        if rewriting.is_some_and(|it| it.commit.is_none() && it.next <= self.now.tick) {
            self.rewrite_piece();
        }
    }

    fn rewrite_piece(&mut self) {
        let Some(mut rewriting) = self.core.journal.rewriting.take() else { return };
        let Rewriting { rewrite, looked_up, .. } = &mut rewriting;
        let now = self.now.wall;
        let Piece { text, last } = lease_text::piece(self.core, rewrite, looked_up, now, self.environment);
        if !last {
            self.effects.push(Effect::Rewrite { piece: text, last: None });
            rewriting.next = self.now.tick + PIECE_PAUSE;
            self.core.journal.rewriting = Some(rewriting);
            return;
        }
        let changed = self.core.leases.end_walk();
        let changed = lease_text::worth_writing(self.core, changed);
        self.append(&changed);
        let commit = self.core.journal.next_id();
        self.effects.push(Effect::Rewrite { piece: text, last: Some(commit) });
        let lines = rewriting.rewrite.take_lines();
        self.effects.extend(lines.into_iter().map(Effect::Log));
        rewriting.commit = Some(commit);
        self.core.journal.rewriting = Some(rewriting);
    }

    /// A lease was written for an ACK: commit now, or soon with `delayed-ack`.
    pub(super) fn queue_ack(&mut self, id: LeaseId) {
        let limit = usize::from(self.core.settings.delayed_ack);
        let longest = self.core.settings.max_ack_delay;
        let journal = &mut self.core.journal;
        journal.queued.push(id);
        if journal.queued.len() > limit {
            self.commit(Vec::new());
            return;
        }
        let now = self.now.tick;
        journal.deadline.get_or_insert(now + longest);
        journal.pause = Some(now + ACK_PAUSE);
    }

    /// Commits queued ACKs whose time has come.
    pub(super) fn commit_delayed(&mut self) {
        if self.core.journal.ack_timeout().is_some_and(|at| at <= self.now.tick) {
            self.commit(Vec::new());
        }
    }

    /// Everything up to this commit is on disk: the ACKs in it leave. Or a rewrite is in place.
    pub(super) fn committed(&mut self, id: CommitId) {
        if let Some(rewriting) = self.finished_rewrite(id) {
            self.core.journal.broken = false;
            self.answer(rewriting.leases);
            self.effects.extend(rewriting.lines.into_iter().map(Effect::Log));
            for lease in rewriting.late {
                self.write_lease(lease);
            }
            if !rewriting.late_commit.is_empty() {
                self.commit(rewriting.late_commit);
            }
            return;
        }
        while self.core.journal.asked.front().is_some_and(|asked| asked.id <= id) {
            let Some(asked) = self.core.journal.asked.pop_front() else { return };
            self.answer(asked.leases);
            self.effects.extend(asked.lines.into_iter().map(Effect::Log));
        }
    }

    /// Sends the replies that wait for these leases to be on disk.
    fn answer(&mut self, leases: Vec<LeaseId>) {
        for lease in leases {
            // RELEASE and DECLINE wait for nothing.
            if !self.core.pending.is_pinging(lease)
                && let Some(reply) = self.core.pending.take(lease)
            {
                self.send_reply(*reply);
            }
        }
    }

    fn finished_rewrite(&mut self, id: CommitId) -> Option<Rewriting> {
        self.core.journal.rewriting.take_if(|rewriting| rewriting.commit == Some(id))
    }

    /// Commits failed: nothing in them is acknowledged, and before anything else is written the whole file is. A failed
    /// rewrite leaves the old file; when that is whole there is no harm.
    pub(super) fn commit_failed(&mut self, id: CommitId) {
        if let Some(rewriting) = self.finished_rewrite(id) {
            self.lost(rewriting.leases);
            self.lost(rewriting.late_commit);
            self.effects.extend(rewriting.lines.into_iter().map(Effect::Log));
            return;
        }
        while self.core.journal.asked.front().is_some_and(|asked| asked.id <= id) {
            let Some(asked) = self.core.journal.asked.pop_front() else { return };
            self.core.journal.broken = true;
            self.lost(asked.leases);
            self.effects.extend(asked.lines.into_iter().map(Effect::Log));
        }
    }

    /// Leases that did not reach the disk: their replies are not sent.
    fn lost(&mut self, leases: Vec<LeaseId>) {
        for lease in leases {
            let (address, _, _) = self.core.leases.place(lease);
            self.error(format!("write_lease: unable to write lease {address}"));
            if !self.core.pending.is_pinging(lease) {
                self.core.pending.take(lease);
            }
            // The client asks again: that ACK must be written, however young the lease is.
            self.core.leases.update(lease, |lease| lease.cannot_reuse = true);
        }
    }
}
