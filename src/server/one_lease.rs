//! `one-lease-per-client`: a client that requests a lease gives up its others.
//!
//! Mirrors that part of ISC `server/dhcp.c:ack_lease`. "Its others" are those of the identity the lease had before this
//! packet, so that a client new to the lease gives up nothing.

use super::ack::{Work, is_request};
use super::parameters::server;
use super::turn::Turn;
use crate::eval::settings::Flag;
use crate::lease::{BindingState, LeaseId};

impl Turn<'_> {
    /// Releases the client's other leases, if so configured.
    pub(super) fn one_lease_per_client(&mut self, work: &mut Work) {
        if !is_request(&work.incoming)
            || !self.lease_flag(work, server::ONE_LEASE_PER_CLIENT).is_some_and(Flag::is_true)
        {
            return;
        }
        let uid = work.grant.lease.uid.clone().filter(|uid| !uid.is_empty());
        if let Some(uid) = &uid {
            let others = self.core.leases.uid_chain(uid).collect();
            self.release_others(work, others);
        }
        let by_hardware = match &uid {
            None => true,
            Some(_) => {
                let host = work.host.and_then(|h| self.core.config.hosts.get(h.index()));
                host.is_some_and(|h| h.uid.is_none())
                    && self.lease_flag(work, server::DUPLICATES).is_some_and(|flag| !flag.is_true())
            }
        };
        if by_hardware && let Some(hardware) = work.grant.lease.hardware.clone() {
            let others = self.core.leases.hardware_chain(&hardware).collect();
            self.release_others(work, others);
        }
    }

    fn release_others(&mut self, work: &mut Work, others: Vec<LeaseId>) {
        for id in others {
            let held =
                matches!(self.core.leases.lease(id).state, BindingState::Active | BindingState::Abandoned);
            if work.grant.id != Some(id) && held {
                self.release_lease(id, &mut work.incoming);
            }
        }
    }
}
