//! A walk over all leases in the order of the lease file, during which the database may change.
//!
//! The order is that of ISC `server/mdb.c:write_leases4`: pools, their queues, each queue front to back. A lease that
//! moves while the walk is under way may be met twice or not at all, so the walk notes all that change.

use super::LeaseId;
use super::db::LeaseDb;
use super::queue::{NIL, Queue};
use std::collections::BTreeSet;

/// Where a walk is.
#[derive(Clone, Debug, Default)]
pub(super) struct Walk {
    /// Index into the pool order, and into [`Queue::ALL`], of the queue to go to when this one is done.
    pool: usize,
    queue: usize,
    /// The lease to visit next; NIL when its queue is done.
    next: u32,
    /// What has changed since the walk began.
    changed: BTreeSet<u32>,
}

/// One step of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A lease somebody has or had.
    Lease(LeaseId),
    /// An address nobody ever had, or the step to another queue.
    Virgin,
    /// There are no more.
    End,
}

impl Walk {
    /// A lease is about to leave its queue, where `after` comes behind it.
    pub fn leaves(&mut self, id: u32, after: u32) {
        if self.next == id {
            self.next = after;
        }
    }

    /// A lease has changed.
    pub fn changes(&mut self, id: u32) {
        self.changed.insert(id);
    }
}

impl LeaseDb {
    /// Begins a walk, and ends one that was under way.
    pub(super) fn begin_walk(&mut self) {
        self.walk = Some(Walk { next: NIL, ..Walk::default() });
    }

    /// Goes on with the walk.
    pub(super) fn step(&mut self) -> Step {
        let Some(mut walk) = self.walk.take() else { return Step::End };
        let step = self.step_of(&mut walk);
        self.walk = Some(walk);
        step
    }

    fn step_of(&self, walk: &mut Walk) -> Step {
        if walk.next == NIL {
            let Some(&pool) = self.pool_order().get(walk.pool) else { return Step::End };
            let Some(&queue) = Queue::ALL.get(walk.queue) else {
                (walk.pool, walk.queue) = (walk.pool + 1, 0);
                return Step::Virgin;
            };
            walk.queue += 1;
            walk.next = self.first_used(pool, queue);
            return Step::Virgin;
        }
        let id = LeaseId(walk.next);
        walk.next = self.links.get(id.0 as usize).map_or(NIL, |links| links.next);
        if self.was_used(id) { Step::Lease(id) } else { Step::Virgin }
    }

    /// Ends the walk: the leases that have changed since it began.
    pub fn end_walk(&mut self) -> Vec<LeaseId> {
        self.walk.take().map_or_else(Vec::new, |walk| walk.changed.into_iter().map(LeaseId).collect())
    }

    /// Notes that a lease has changed, for a walk that is under way.
    pub(super) fn changed(&mut self, id: LeaseId) {
        if let Some(walk) = &mut self.walk {
            walk.changes(id.0);
        }
    }
}
