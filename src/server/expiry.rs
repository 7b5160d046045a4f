//! The end of leases: by their time, by release, by being abandoned.
//!
//! Mirrors ISC `server/mdb.c:pool_timer`, `make_binding_state_transition`, `release_lease` and `abandon_lease`. The
//! bookkeeping is the lease database's; here the statements run, and the file is written.

use super::incoming::Incoming;
use super::turn::{Grant, Ground, Turn};
use crate::config::tree::Block;
use crate::eval::execute;
use crate::lease::{Ending, LeaseId};

impl Turn<'_> {
    /// Makes the pending transition of a lease; the statements for the end of a binding run first. `propagate`: a
    /// failover peer is to hear of it.
    pub(super) fn settle(&mut self, id: LeaseId, propagate: bool) {
        let handlers = match self.core.leases.ending(id) {
            None => None,
            Some(Ending::Expiry) => self.core.leases.update(id, |lease| lease.handlers.expiry.take()),
            Some(Ending::Release) => self.core.leases.update(id, |lease| lease.handlers.release.take()),
        };
        if let Some(handler) = handlers {
            self.run_handler(id, None, &handler.body);
        }
        self.core.leases.settle(id, self.now.wall, propagate);
    }

    /// Runs an `on` block for a lease of a pool.
    fn run_handler(&mut self, id: LeaseId, incoming: Option<&mut Incoming>, body: &Block) {
        let mut grant = Grant::of(&self.core.leases, id);
        // A fatal line is found in the context.
        self.evaluate(incoming, Ground::Lease(&mut grant), None, |context| {
            let _ = execute(body, context);
        });
        self.keep(&mut grant);
    }

    /// Expires what is due in every pool whose timer fired.
    pub(super) fn expire_due(&mut self) {
        while let Some(id) = self.core.leases.due(self.now.wall) {
            self.settle(id, true);
            self.write_lease(id);
            self.commit(Vec::new());
            if self.is_over() {
                return;
            }
        }
    }

    /// A lease that is already over when it is stored: its pool expires at once.
    pub(super) fn expire_overdue(&mut self, id: LeaseId) {
        if !self.core.leases.overdue(id, self.now.wall) {
            return;
        }
        let (_, pool, _) = self.core.leases.place(id);
        while let Some(due) = self.core.leases.due_in(pool, self.now.wall) {
            self.settle(due, true);
            self.write_lease(due);
            self.commit(Vec::new());
            if self.is_over() {
                return;
            }
        }
    }

    /// The client gives a lease up, or is made to.
    pub(super) fn release_lease(&mut self, id: LeaseId, incoming: &mut Incoming) {
        if let Some(handler) = self.core.leases.lease(id).handlers.release.clone() {
            self.run_handler(id, Some(incoming), &handler.body);
        }
        let bindings = self.core.leases.lease(id).bindings.clone();
        if self.core.leases.release(id, self.now.wall) {
            self.forget_functions(&bindings, "mdb.c(1791)");
            self.write_lease(id);
            self.commit(Vec::new());
            self.expire_overdue(id);
        }
    }

    /// Nobody is to use this address for a while.
    pub(super) fn abandon_lease(&mut self, id: LeaseId, reason: &str) {
        let (address, _, _) = self.core.leases.place(id);
        self.error(format!("Abandoning IP address {address}: {reason}"));
        let bindings = self.core.leases.lease(id).bindings.clone();
        self.forget_functions(&bindings, "mdb.c(1259)");
        let seconds = self.core.settings.abandon_lease_time;
        self.core.leases.abandon(id, self.now.wall, seconds);
        self.settle(id, true);
        self.write_lease(id);
        self.commit(Vec::new());
        self.expire_overdue(id);
    }
}
