//! Replies that wait: OFFERs for an echo that should not come, ACKs for the disk.
//!
//! Mirrors ISC `struct lease_state` and the ACK queue of `server/dhcp.c`. A lease has at most one; while it has, dhcpd
//! drops whatever else would choose that lease without a line.

use super::reply::Reply;
use crate::lease::LeaseId;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// What a reply waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    /// Nobody answering the ping before this instant.
    Ping { until: Duration, order: u64 },
    /// The lease being on disk.
    Commit,
}

/// A reply that waits.
#[derive(Debug)]
pub(super) struct Held {
    pub waiting: Waiting,
    pub reply: Box<Reply>,
}

/// All replies that wait; at most one a lease.
#[derive(Debug, Default)]
pub(super) struct Pending {
    held: HashMap<LeaseId, Held>,
    /// Ping timeouts, earliest first; of equal ones the one set first.
    pings: BTreeMap<(Duration, u64), LeaseId>,
    order: u64,
}

impl Pending {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Does a reply wait for this lease?
    pub fn contains(&self, id: LeaseId) -> bool {
        self.held.contains_key(&id)
    }

    /// Does an OFFER of this lease wait for its ping?
    pub fn is_pinging(&self, id: LeaseId) -> bool {
        self.held.get(&id).is_some_and(|held| matches!(held.waiting, Waiting::Ping { .. }))
    }

    /// Pings not answered yet.
    pub fn outstanding_pings(&self) -> usize {
        self.pings.len()
    }

    /// Holds an OFFER until its ping times out.
    pub fn hold_for_ping(&mut self, id: LeaseId, until: Duration, reply: Box<Reply>) {
        self.order += 1;
        let order = self.order;
        self.pings.insert((until, order), id);
        self.held.insert(id, Held { waiting: Waiting::Ping { until, order }, reply });
    }

    /// Holds an ACK until the lease is on disk.
    pub fn hold_for_commit(&mut self, id: LeaseId, reply: Box<Reply>) {
        self.held.insert(id, Held { waiting: Waiting::Commit, reply });
    }

    /// Takes a reply out.
    pub fn take(&mut self, id: LeaseId) -> Option<Box<Reply>> {
        let held = self.held.remove(&id)?;
        if let Waiting::Ping { until, order } = held.waiting {
            self.pings.remove(&(until, order));
        }
        Some(held.reply)
    }

    /// When the next ping times out.
    pub fn next_timeout(&self) -> Option<Duration> {
        self.pings.first_key_value().map(|(&(until, _), _)| until)
    }

    /// The lease whose ping has timed out by now.
    pub fn timed_out(&self, now: Duration) -> Option<LeaseId> {
        let (&(until, _), &id) = self.pings.first_key_value()?;
        (until <= now).then_some(id)
    }
}
