//! Start-up: entering the leases of the file, then putting every lease on its queue in dhcpd's order.
//!
//! Mirrors ISC `server/mdb.c:enter_lease`, `lease_instantiate` and `expire_all_pools`. The order in which free addresses
//! are handed out follows from it: leases are queued in the order of an address hash of 100003 buckets, and during this
//! phase a lease that goes to the same queue as the one before it, and is not older, is placed behind that one.

use super::chains::Identity;
use super::db::{Entry, LeaseDb};
use super::queue::{NIL, Queue};
use super::{BindingState, Lease, LeaseId};
use crate::config::network::{ClassId, PoolId};
use crate::log::Line;
use crate::time::Seconds;

/// ISC `LEASE_HASH_SIZE`.
const BUCKETS: u32 = 100_003;

impl LeaseDb {
    /// Enters a lease read from the file in place of what was known of its address. Its pool and subnet are filled in.
    /// Before [`LeaseDb::start`] only.
    ///
    /// An address outside all ranges is forgotten; the error is dhcpd's line about it.
    pub fn enter(&mut self, mut lease: Lease) -> Result<LeaseId, Line> {
        let Some(id) = self.find(lease.address) else {
            return Err(Line::error(format!("lease {}: no subnet.", lease.address)));
        };
        (_, lease.pool, lease.subnet) = self.place(id);
        let entry = Entry::new(lease, None);
        match &mut self.entries[id.0 as usize] {
            Some(old) => **old = entry,
            none => *none = Some(Box::new(entry)),
        }
        self.loaded.push(id.0);
        Ok(id)
    }

    /// Queues and chains all leases. Afterwards call [`LeaseDb::due_in`] for every pool in [`LeaseDb::pool_order`]
    /// until nothing is due, each time followed by [`LeaseDb::recount`].
    pub fn start(&mut self) {
        self.chains.reserve(self.loaded.len().min(self.len()));
        let mut last: Option<(PoolId, Queue, u32)> = None;
        for id in self.hash_order() {
            self.instantiate(LeaseId(id), &mut last);
        }
        self.loaded = Vec::new();
    }

    /// Counts a pool's leases as dhcpd does once, after its start-up expiry: free and backup leases whose end has not
    /// passed (offers that outlived a restart) are not counted as free.
    pub fn recount(&mut self, pool: PoolId, now: Seconds) {
        let Some(state) = self.pools.get(pool.index()) else { return };
        let mut counts = state.counts;
        counts.total = state.lists.iter().map(|list| list.len() as i64).sum();
        let later = |queue| {
            let total = self.queue_len(pool, queue);
            let past = self.queue(pool, queue).take_while(|id| self.sort_time(id.0) <= now).count();
            (total - past, past as i64)
        };
        (_, counts.free) = later(Queue::Free);
        (_, counts.backup) = later(Queue::Backup);
        self.pools[pool.index()].counts = counts;
    }

    fn instantiate(&mut self, id: LeaseId, last: &mut Option<(PoolId, Queue, u32)>) {
        let (_, pool, _) = self.place(id);
        let standing = self.standing(pool);
        let mut identity = None;
        let mut billed: Option<ClassId> = None;
        if let Some(entry) = self.entries[id.0 as usize].as_deref_mut() {
            let lease = &mut entry.lease;
            if lease.state == BindingState::Backup && standing.is_none() {
                // The pool was shared with a peer once.
                lease.state = BindingState::Free;
                lease.next_state = BindingState::Free;
                lease.rewind_state = BindingState::Free;
            }
            identity = Some(Identity::of(lease));
            // The billing of an available lease is not kept.
            billed = lease.billing_class.take().filter(|_| {
                use BindingState::{Active, Expired, Released, Reset};
                matches!(lease.state, Active | Expired | Released | Reset)
            });
        }
        let (queue, time) = self.plan(id);
        let state = &mut self.pools[pool.index()];
        let list = &mut state.lists[queue as usize];
        let after = match *last {
            Some((p, q, after)) if p == pool && q == queue => after,
            _ => NIL,
        };
        let after_time = if after == NIL {
            None
        } else {
            self.entries[after as usize].as_ref().map_or(Some(0), |e| Some(e.sort_time))
        };
        if after_time == Some(time) {
            list.insert_behind(&mut self.links, id.0, after);
        } else {
            list.insert(&mut self.links, id.0, time);
        }
        *last = Some((pool, queue, id.0));
        if self.entry(id).is_some() {
            self.note_queued(id, queue, time);
        } else {
            self.pools[pool.index()].counts.free += 1;
        }
        if let Some(identity) = identity {
            self.chain(id, identity);
        }
        if let Some(class) = billed {
            self.bill(id, class);
        }
    }

    /// All leases by bucket; within a bucket the one entered last comes first.
    fn hash_order(&self) -> Vec<u32> {
        let bucket_of = |address: u32| address % BUCKETS;
        // Where each bucket starts.
        let mut starts = vec![0u32; BUCKETS as usize + 1];
        for run in &self.runs {
            for address in run.first..=run.last {
                starts[bucket_of(address) as usize + 1] += 1;
            }
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut order = vec![NIL; self.links.len()];
        let mut seen = vec![false; self.links.len()];
        let mut place = |id: u32, address: u32| {
            if !std::mem::replace(&mut seen[id as usize], true) {
                let slot = &mut starts[bucket_of(address) as usize];
                order[*slot as usize] = id;
                *slot += 1;
            }
        };
        for &id in self.loaded.iter().rev() {
            place(id, self.run_of(id).0);
        }
        let mut runs: Vec<_> = self.runs.iter().collect();
        runs.sort_by_key(|run| std::cmp::Reverse((run.declared, run.first)));
        for run in runs {
            for address in (run.first..=run.last).rev() {
                place(run.base + (address - run.first), address);
            }
        }
        order
    }
}
