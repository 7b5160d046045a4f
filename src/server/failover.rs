//! Where the failover protocol will have its say: who a lease belongs to, and whether we answer at all.
//!
//! A seam. Without a `failover peer` every question has its plain answer (ISC `server/failover.c:lease_mine_to_reallocate`
//! and the tests of `service_state` in `server/dhcp.c`).

use super::turn::Turn;
use crate::config::network::PoolId;
use crate::lease::{BindingState, Lease, LeaseId, Queue, Role, Standing};

/// What is known of the peer a pool is shared with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    standing: Standing,
}

impl Peer {
    /// The queue of our free addresses, and that of the peer's.
    pub fn queues(&self) -> (Queue, Queue) {
        match self.standing.role {
            Role::Primary => (Queue::Free, Queue::Backup),
            Role::Secondary => (Queue::Backup, Queue::Free),
        }
    }
}

impl Turn<'_> {
    /// The peer of a pool.
    pub(super) fn peer(&self, pool: PoolId) -> Option<Peer> {
        self.core.leases.standing(pool).map(|standing| Peer { standing })
    }

    /// May we give this lease to anybody?
    pub(super) fn mine_to_reallocate(&self, lease: &Lease) -> bool {
        let available = matches!(lease.state, BindingState::Free | BindingState::Backup);
        match self.core.leases.standing(lease.pool) {
            None => available,
            Some(standing) => match standing.role {
                Role::Primary => matches!(lease.state, BindingState::Free | BindingState::Abandoned),
                Role::Secondary => lease.state == BindingState::Backup,
            },
        }
    }
}

// The tests below are where a peer's state will be asked for. Until then nothing is refused on its account.
impl Turn<'_> {
    /// Is a lease that was found for a DISCOVER the peer's after all?
    pub(super) fn refuses_with_peer(&self, id: LeaseId) -> bool {
        let lease = self.core.leases.lease(id);
        self.peer(lease.pool).is_some()
            && lease.state != BindingState::Active
            && lease.rewind_state != BindingState::Active
            && !self.mine_to_reallocate(&lease)
    }

    /// Must a REQUEST for this lease be left to the peer, or be refused? Logs why.
    pub(super) fn refuses_request_with_peer(&mut self, id: LeaseId, prefix: &str) -> bool {
        let lease = self.core.leases.lease(id);
        if self.peer(lease.pool).is_none() || self.mine_to_reallocate(&lease) {
            return false;
        }
        if matches!(lease.state, BindingState::Free | BindingState::Backup) {
            self.debug(format!("{prefix}: lease owned by peer"));
            return true;
        }
        false
    }

    /// Is a RELEASE or DECLINE of this lease ignored because of the peer's state?
    pub(super) fn ignores_with_peer(&mut self, _id: LeaseId, _silent: bool) -> bool {
        false
    }
}
