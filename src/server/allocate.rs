//! Permission to use a pool, and the choice of a free address.
//!
//! Mirrors ISC `server/dhcp.c:permitted` and `allocate_lease`.

use super::failover::Peer;
use super::find_lease::Chosen;
use super::incoming::Incoming;
use super::turn::Turn;
use crate::config::network::{NetworkId, Permit, Pool, PoolId};
use crate::lease::{BindingState, Lease, LeaseId, Queue};

/// Is a client allowed in a pool: nothing that prohibits it, and something that permits it if there are permits at all.
pub(super) fn is_permitted(turn: &Turn<'_>, incoming: &Incoming, pool: &Pool) -> bool {
    let matches = |permit: &Permit| permit_matches(turn, incoming, permit);
    !pool.prohibits.iter().any(matches) && (pool.permits.is_empty() || pool.permits.iter().any(matches))
}

fn permit_matches(turn: &Turn<'_>, incoming: &Incoming, permit: &Permit) -> bool {
    match *permit {
        Permit::UnknownClients => !incoming.known,
        Permit::KnownClients => incoming.known,
        Permit::AuthenticatedClients => false,
        Permit::UnauthenticatedClients | Permit::AllClients => true,
        Permit::DynamicBootpClients => !incoming.options_valid || incoming.kind == 0,
        Permit::MembersOf(class) => incoming.classes.iter().any(|&member| {
            member == class || turn.core.memory.spawned.superclass(&turn.core.config, member) == Some(class)
        }),
        Permit::After(time) => turn.now.wall > time,
    }
}

/// A free address, or why there is none.
#[derive(Clone, Debug)]
pub(super) struct Allocation {
    pub lease: Option<Chosen>,
    /// Free addresses there are, but they are the peer's.
    pub peer_has_leases: bool,
}

impl Turn<'_> {
    /// The address a client without a lease gets: of the first pools' oldest free addresses the best.
    pub(super) fn allocate(&mut self, incoming: &Incoming, network: NetworkId) -> Allocation {
        let pools = match self.core.config.shared_networks.get(network.index()) {
            Some(network) => network.pools.clone(),
            None => Vec::new(),
        };
        let mut peer_has_leases = false;
        let mut pick: Option<(LeaseId, Lease)> = None;
        for pool in pools {
            if !self.is_permitted(incoming, pool) {
                continue;
            }
            let Some(candidate) = self.candidate(pool, &mut peer_has_leases) else { continue };
            let lease = self.core.leases.lease(candidate);
            // Offered to somebody.
            if lease.state != BindingState::Abandoned && lease.ends > self.now.wall {
                continue;
            }
            if pick.as_ref().is_none_or(|(_, best)| is_better(&lease, best)) {
                pick = Some((candidate, lease.into_owned()));
            }
        }
        let lease = pick.map(|(id, lease)| self.take_free(id, &lease));
        Allocation { lease, peer_has_leases }
    }

    /// The one address of a pool that is considered.
    fn candidate(&self, pool: PoolId, peer_has_leases: &mut bool) -> Option<LeaseId> {
        let leases = &self.core.leases;
        match self.peer(pool) {
            None => leases.first(pool, Queue::Free).or_else(|| leases.first(pool, Queue::Abandoned)),
            Some(peer) => self.candidate_with_peer(pool, &peer, peer_has_leases),
        }
    }

    /// Our own addresses first, the peer's if they may be taken, abandoned ones last.
    fn candidate_with_peer(&self, pool: PoolId, peer: &Peer, peer_has_leases: &mut bool) -> Option<LeaseId> {
        let leases = &self.core.leases;
        let (own, foreign) = peer.queues();
        let mut candidate = leases.first(pool, own);
        if let Some(other) = leases.first(pool, foreign) {
            let lease = leases.lease(other);
            let older = candidate.is_none_or(|c| leases.lease(c).ends > lease.ends);
            if older && self.mine_to_reallocate(&lease) {
                candidate = Some(other);
            } else {
                *peer_has_leases = true;
            }
        }
        candidate.or_else(|| {
            leases.first(pool, Queue::Abandoned).filter(|&id| self.mine_to_reallocate(&leases.lease(id)))
        })
    }

    fn take_free(&mut self, id: LeaseId, lease: &Lease) -> Chosen {
        if lease.state == BindingState::Abandoned {
            self.error(format!("Reclaiming abandoned lease {}.", lease.address));
        }
        if let Some(host) = lease.host {
            let name = self.core.config.hosts.get(host.index()).map_or("", |h| &*h.name).to_owned();
            // An offer to a known client leaves its host behind.
            self.debug(format!(
                "soft impossible condition (dhcp.c:5126): stale host \"{name}\" found on lease {}",
                lease.address
            ));
            self.core.leases.update(id, |lease| lease.host = None);
        }
        Chosen::Pool(id)
    }
}

/// Is a candidate to be preferred: anything to an abandoned address, a virgin address to a used one, then the one whose
/// last lease ended first.
fn is_better(candidate: &Lease, best: &Lease) -> bool {
    let used = |lease: &Lease| lease.uid.is_some() || lease.hardware.is_some();
    let older = candidate.ends < best.ends;
    let abandoned = candidate.state == BindingState::Abandoned;
    if best.state == BindingState::Abandoned {
        return !abandoned || older;
    }
    if abandoned {
        return false;
    }
    match (used(best), used(candidate)) {
        (true, false) => true,
        (false, true) => false,
        _ => older,
    }
}
