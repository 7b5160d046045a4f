//! The lease file as the engine sees it: entries written, commits asked for, the hourly rewrite, and what is done when
//! the disk fails.
//!
//! Mirrors ISC `server/db.c:write_lease`, `commit_leases` and `server/dhcp.c:delayed_ack_enqueue`, with one difference:
//! an ACK never leaves before its commit is reported back. Many ACKs may wait for one commit; `runtime` decides how many
//! commits one fsync covers.

use super::turn::Turn;
use super::{CommitId, Effect, lease_text};
use crate::lease::LeaseId;
use crate::log::Line;
use crate::time::Seconds;
use std::collections::VecDeque;
use std::time::Duration;

/// The lease file is written anew at the first commit more than this many seconds after the last time.
const REWRITE_PERIOD: Seconds = 3600;

/// How long an ACK waits for others with `delayed-ack`.
const ACK_PAUSE: Duration = Duration::from_millis(10);

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
}

/// A commit asked for.
#[derive(Debug)]
struct Asked {
    id: CommitId,
    /// Leases in it; those with a reply waiting are answered when it is done.
    leases: Vec<LeaseId>,
    /// It wrote the whole file.
    rewrite: bool,
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
        }
    }
}

impl Journal {
    /// When queued ACKs are to be committed.
    pub fn next_timeout(&self) -> Option<Duration> {
        match (self.pause, self.deadline) {
            (Some(pause), Some(deadline)) => Some(pause.min(deadline)),
            (either, other) => either.or(other),
        }
    }

    fn next_id(&mut self) -> CommitId {
        let id = CommitId(self.next);
        self.next += 1;
        id
    }
}

impl Turn<'_> {
    /// The rewrite of start-up.
    pub(super) fn rewrite_at_startup(&mut self, commit: CommitId) {
        let mut lines = Vec::new();
        let content = lease_text::file(self.core, self.now.wall, self.environment, &mut lines);
        self.core.journal.rewritten = self.now.wall;
        self.core.journal.appended = 0;
        self.effects.push(Effect::Rewrite { content, commit });
        self.effects.extend(lines.into_iter().map(Effect::Log));
    }

    /// Appends a lease to the file.
    pub(super) fn write_lease(&mut self, id: LeaseId) {
        // A broken file is written anew at the commit, with everything in it.
        if !self.core.journal.broken {
            let mut lines = Vec::new();
            let entry = lease_text::entry(self.core, id, self.now.wall, self.environment, &mut lines);
            self.effects.push(Effect::Write(entry));
            self.effects.extend(lines.into_iter().map(Effect::Log));
        }
        self.core.journal.appended += 1;
    }

    /// Asks for a commit of everything written so far. Nothing waits for it.
    pub(super) fn commit(&mut self, leases: Vec<LeaseId>) {
        let mut leases = leases;
        let journal = &mut self.core.journal;
        leases.splice(0..0, std::mem::take(&mut journal.queued));
        journal.deadline = None;
        journal.pause = None;
        if journal.broken {
            self.rewrite(leases);
            return;
        }
        let id = journal.next_id();
        journal.asked.push_back(Asked { id, leases, rewrite: false, lines: Vec::new() });
        self.effects.push(Effect::Commit(id));
        let journal = &self.core.journal;
        if journal.appended > 0 && self.now.wall - journal.rewritten > REWRITE_PERIOD {
            self.rewrite(Vec::new());
        }
    }

    /// Logs a line that speaks of what was written, once that is on disk: dhcpd syncs before it says so, and whoever
    /// reads the line may count on it.
    pub(super) fn info_when_committed(&mut self, text: String) {
        match self.core.journal.asked.back_mut() {
            Some(asked) => asked.lines.push(Line::info(text)),
            None => self.info(text),
        }
    }

    /// Writes the whole file anew.
    fn rewrite(&mut self, leases: Vec<LeaseId>) {
        let mut lines = Vec::new();
        let content = lease_text::file(self.core, self.now.wall, self.environment, &mut lines);
        let journal = &mut self.core.journal;
        journal.rewritten = self.now.wall;
        journal.appended = 0;
        let commit = journal.next_id();
        journal.asked.push_back(Asked { id: commit, leases, rewrite: true, lines: Vec::new() });
        self.effects.push(Effect::Rewrite { content, commit });
        self.effects.extend(lines.into_iter().map(Effect::Log));
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
        if self.core.journal.next_timeout().is_some_and(|at| at <= self.now.tick) {
            self.commit(Vec::new());
        }
    }

    /// Everything up to this commit is on disk: the ACKs in it leave.
    pub(super) fn committed(&mut self, id: CommitId) {
        while self.core.journal.asked.front().is_some_and(|asked| asked.id <= id) {
            let Some(asked) = self.core.journal.asked.pop_front() else { return };
            if asked.rewrite {
                self.core.journal.broken = false;
            }
            for lease in asked.leases {
                // RELEASE and DECLINE wait for nothing.
                if !self.core.pending.is_pinging(lease)
                    && let Some(reply) = self.core.pending.take(lease)
                {
                    self.send_reply(*reply);
                }
            }
            self.effects.extend(asked.lines.into_iter().map(Effect::Log));
        }
    }

    /// Commits failed: nothing in them is acknowledged, and before anything else is written the whole file is.
    pub(super) fn commit_failed(&mut self, id: CommitId) {
        while self.core.journal.asked.front().is_some_and(|asked| asked.id <= id) {
            let Some(asked) = self.core.journal.asked.pop_front() else { return };
            // A failed hourly rewrite leaves the old file, which is whole.
            if asked.rewrite && asked.leases.is_empty() && !self.core.journal.broken {
                self.effects.extend(asked.lines.into_iter().map(Effect::Log));
                continue;
            }
            self.core.journal.broken = true;
            for lease in asked.leases {
                let (address, _, _) = self.core.leases.place(lease);
                self.error(format!("write_lease: unable to write lease {address}"));
                if !self.core.pending.is_pinging(lease) {
                    self.core.pending.take(lease);
                }
                // The client asks again: that ACK must be written, however young the lease is.
                self.core.leases.update(lease, |lease| lease.cannot_reuse = true);
            }
            self.effects.extend(asked.lines.into_iter().map(Effect::Log));
        }
    }
}
