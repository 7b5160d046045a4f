//! Which lease a client has a claim on.
//!
//! Mirrors ISC `server/dhcp.c:find_lease` and `mockup_lease`. Three candidates are looked for, by client identifier, by
//! hardware address and by the address asked for, besides a host's fixed address; then they are weighed against each
//! other. On the way leases that the client cannot keep are released, and the text of a later NAK is left behind.

use super::hosts::Hosts;
use super::incoming::Incoming;
use super::logline::hardware_text;
use super::turn::{Turn, same_hardware};
use crate::config::network::{HostId, NetworkId, PoolId};
use crate::config::tree::Octets;
use crate::lease::{BindingState, Lease, LeaseId};
use std::net::Ipv4Addr;

const DISCOVER: u8 = 1;
const REQUEST: u8 = 3;

/// The lease found.
#[derive(Clone, Debug)]
pub(super) enum Chosen {
    /// A pool's.
    Pool(LeaseId),
    /// A host's fixed address.
    Fixed(Box<Lease>),
}

/// The outcome of a search.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub lease: Option<Chosen>,
    /// The address asked for is ours to refuse.
    pub ours: bool,
}

/// The candidates while they are weighed.
struct Candidates {
    network: NetworkId,
    client_id: Option<Octets>,
    /// The address asked for.
    wanted: Option<Ipv4Addr>,
    fixed: Option<Box<Lease>>,
    /// The hosts that matched.
    hosts: Hosts,
    by_uid: Option<LeaseId>,
    by_hardware: Option<LeaseId>,
    by_address: Option<LeaseId>,
    ours: bool,
}

impl Turn<'_> {
    /// Looks for the client's lease in a shared network.
    pub(super) fn find_lease(&mut self, incoming: &mut Incoming, network: NetworkId) -> Found {
        let mut c = Candidates {
            network,
            client_id: incoming.client_id(),
            wanted: incoming.ciaddr().or_else(|| incoming.requested_address()),
            fixed: None,
            hosts: Hosts::new(),
            by_uid: None,
            by_hardware: None,
            by_address: None,
            ours: false,
        };
        self.match_hosts(incoming, &mut c);
        if incoming.kind == REQUEST
            && let Some(fixed) = &c.fixed
            && c.wanted != Some(fixed.address)
        {
            self.core.nak_message = "requested address is incorrect";
            return Found { lease: None, ours: true };
        }
        self.walk_uid_chain(incoming, &mut c);
        self.walk_hardware_chain(incoming, &mut c);
        self.consider_address(incoming, &mut c);
        self.resolve_duplicates(incoming, &mut c);
        self.check_permits(incoming, &mut c);
        if c.by_address.is_none() {
            self.core.nak_message = "requested address not available";
        }
        if incoming.kind == REQUEST && c.by_address.is_none() && c.fixed.is_none() {
            return Found { lease: None, ours: c.ours };
        }
        let asked_for = c.by_address;
        let lease = self.choose(incoming, &mut c);
        self.attach_host(&lease, &c.hosts);
        self.reclaim(incoming, lease, asked_for, c.ours)
    }

    /// Host declarations: by client identifier, else by hardware, else by an identifying option.
    fn match_hosts(&mut self, incoming: &mut Incoming, c: &mut Candidates) {
        type Search = fn(&Turn<'_>, &Incoming) -> Hosts;
        let searches: [Search; 3] = [
            |turn, incoming| turn.hosts_by_uid(incoming),
            |turn, incoming| turn.hosts_by_hardware(incoming),
            |turn, incoming| turn.hosts_by_option(incoming),
        ];
        for (at, search) in searches.into_iter().enumerate() {
            let hosts = search(self, incoming);
            if hosts.is_empty() {
                continue;
            }
            incoming.known = true;
            c.fixed = self.mock_up(&hosts, c.network);
            // dhcpd forgets hosts by identifier that have an address here.
            if c.fixed.is_none() || at > 0 {
                c.hosts = hosts;
            }
            return;
        }
    }

    /// May this state be given to the client that had the lease?
    fn is_usable(&self, lease: &Lease) -> bool {
        lease.state == BindingState::Active
            || lease.rewind_state == BindingState::Active
            || self.mine_to_reallocate(lease)
    }

    fn is_in(&self, lease: &Lease, network: NetworkId) -> bool {
        self.network_of(lease.subnet) == Some(network)
    }

    fn walk_uid_chain(&mut self, incoming: &mut Incoming, c: &mut Candidates) {
        let Some(uid) = c.client_id.clone() else { return };
        let mut next = self.core.leases.uid_chain(&uid).next();
        while let Some(id) = next {
            let lease = self.core.leases.lease(id);
            let usable = self.is_usable(&lease);
            let here = self.is_in(&lease, c.network);
            let pool = lease.pool;
            if usable && here && self.is_permitted(incoming, pool) {
                c.by_uid = Some(id);
                return;
            }
            next = self.core.leases.next_by_uid(id);
            // The same client may have a lease in every network.
            if incoming.ciaddr().is_none() && (here || !usable) {
                self.release_lease(id, incoming);
            }
        }
    }

    fn walk_hardware_chain(&mut self, incoming: &mut Incoming, c: &mut Candidates) {
        let mut next = self.core.leases.hardware_chain(&incoming.hardware()).next();
        while let Some(id) = next {
            next = self.core.leases.next_by_hardware(id);
            let lease = self.core.leases.lease(id);
            let available = matches!(lease.state, BindingState::Free | BindingState::Backup);
            let others = !available && lease.uid.is_some() && lease.uid != c.client_id;
            if !self.is_usable(&lease) || others || !self.is_in(&lease, c.network) {
                continue;
            }
            let pool = lease.pool;
            if self.is_permitted(incoming, pool) {
                c.by_hardware = Some(id);
                return;
            }
            if incoming.ciaddr().is_none() {
                self.release_lease(id, incoming);
            }
        }
    }

    /// The lease of the address asked for: ours to refuse if it exists, and ours to give unless somebody has it.
    fn consider_address(&mut self, incoming: &Incoming, c: &mut Candidates) {
        c.by_address = c.wanted.and_then(|address| self.core.leases.find(address));
        let Some(id) = c.by_address else { return };
        c.ours = true;
        let lease = self.core.leases.lease(id);
        let state = lease.state;
        if !self.is_in(&lease, c.network) {
            self.core.nak_message = "requested address on bad subnet";
            c.by_address = None;
            return;
        }
        let anothers = match &lease.uid {
            Some(uid) => c.client_id.as_ref() != Some(uid),
            None => !same_hardware(&lease, &incoming.hardware()),
        };
        if anothers && !matches!(state, BindingState::Free | BindingState::Backup) {
            // An active lease is refused; about others we keep silent.
            if state != BindingState::Active {
                c.ours = false;
            }
            c.by_address = None;
            return;
        }
        if (c.by_uid.is_some() || c.by_hardware.is_some())
            && incoming.kind == DISCOVER
            && !self.is_usable(&lease)
        {
            c.by_address = None;
        }
    }

    /// More than one lease of this client in the network, or a dynamic and a fixed address that are the same.
    fn resolve_duplicates(&mut self, incoming: &mut Incoming, c: &mut Candidates) {
        if let Some(id) = c.by_address
            && c.by_uid != Some(id)
        {
            let lease = self.core.leases.lease(id);
            if lease.state == BindingState::Active && lease.uid.is_some() {
                let own = lease.uid == c.client_id;
                self.resolve_active(incoming, c, id, own);
            }
        }
        if incoming.kind == REQUEST
            && let (Some(fixed), Some(id)) = (&c.fixed, c.by_address)
        {
            let host = fixed.host;
            self.database_conflict(c, id, host);
            c.by_address = None;
        }
        if c.by_hardware == c.by_uid {
            c.by_hardware = None;
        }
        if c.by_address.is_some() {
            if c.by_address == c.by_hardware {
                c.by_hardware = None;
            }
            if c.by_address == c.by_uid {
                c.by_uid = None;
            }
        }
    }

    /// The address asked for is active and not the lease the client's chain names.
    fn resolve_active(&mut self, incoming: &mut Incoming, c: &mut Candidates, id: LeaseId, own: bool) {
        if own && let Some(uid_lease) = c.by_uid {
            if self.core.leases.lease(uid_lease).state == BindingState::Active {
                let who = hardware_text(incoming.header().hardware_address());
                let network = self.network_name(c.network);
                self.error(format!("client {who} has duplicate leases on {network}"));
                // A client that requests another address no longer uses this one.
                if incoming.ciaddr().is_none() && incoming.kind == REQUEST {
                    self.release_lease(uid_lease, incoming);
                }
            }
            c.by_uid = Some(id);
        }
        if incoming.kind == REQUEST && c.fixed.take().is_some() {
            self.database_conflict(c, id, None);
        }
        if c.by_uid != Some(id) {
            c.by_address = None;
        }
    }

    fn database_conflict(&mut self, c: &Candidates, id: LeaseId, host: Option<HostId>) {
        let address = c.wanted.unwrap_or(Ipv4Addr::UNSPECIFIED);
        let (_, _, subnet) = self.core.leases.place(id);
        let network = self.network_of(subnet).map_or_else(String::new, |n| self.network_name(n));
        let host = host.and_then(|h| self.core.config.hosts.get(h.index()));
        let name = host.map_or_else(|| address.to_string(), |h| h.name.to_string());
        self.error(format!("Dynamic and static leases present for {address}."));
        self.error(format!("Remove host declaration {name} or remove {address}"));
        self.error(format!("from the dynamic address pool for {network}"));
        self.core.nak_message = "database conflict - call for help!";
    }

    /// Everything that is left must be allowed for this client.
    fn check_permits(&mut self, incoming: &mut Incoming, c: &mut Candidates) {
        let keeps_address = incoming.ciaddr().is_some();
        if let Some(id) = c.by_address
            && !self.is_permitted(incoming, self.core.leases.place(id).1)
        {
            if !keeps_address && self.core.leases.lease(id).state == BindingState::Active {
                self.release_lease(id, incoming);
            }
            c.by_address = None;
        }
        for candidate in [&mut c.by_uid, &mut c.by_hardware] {
            if let Some(id) = *candidate
                && !self.is_permitted(incoming, self.core.leases.place(id).1)
            {
                if !keeps_address {
                    self.release_lease(id, incoming);
                }
                *candidate = None;
            }
        }
    }

    fn choose(&mut self, incoming: &mut Incoming, c: &mut Candidates) -> Option<Chosen> {
        let mut lease = c.fixed.take().map(Chosen::Fixed);
        if let Some(id) = c.by_address {
            if lease.is_some() {
                if incoming.ciaddr().is_none() {
                    self.release_lease(id, incoming);
                }
            } else {
                lease = Some(self.take(id));
            }
        }
        if let Some(id) = c.by_uid.take() {
            if lease.is_some() {
                let (address, _, _) = self.core.leases.place(id);
                let who = hardware_text(incoming.header().hardware_address());
                let network = self.network_name(c.network);
                self.error(format!("uid lease {address} for client {who} is duplicate on {network}"));
                let active = self.core.leases.lease(id).state == BindingState::Active;
                if incoming.ciaddr().is_none() && incoming.kind == REQUEST && active {
                    self.release_lease(id, incoming);
                }
            } else {
                lease = Some(self.take(id));
            }
        }
        if let Some(id) = c.by_hardware.take()
            && lease.is_none()
        {
            let held = self.core.leases.lease(id);
            let fits = match (&held.uid, &c.client_id) {
                (None, _) => true,
                // A BOOTP client may have the lease it had as a DHCP client.
                (Some(_), None) => incoming.kind == 0,
                (Some(held), Some(sent)) => held == sent,
            };
            if fits {
                lease = Some(self.take(id));
            }
        }
        lease
    }

    /// Chooses a pool's lease: a host remembered from before is forgotten.
    fn take(&mut self, id: LeaseId) -> Chosen {
        if self.core.leases.lease(id).host.is_some() {
            self.core.leases.update(id, |lease| lease.host = None);
        }
        Chosen::Pool(id)
    }

    /// A known client's active lease remembers the host, so that its options are found again.
    fn attach_host(&mut self, chosen: &Option<Chosen>, hosts: &[HostId]) {
        let Some(Chosen::Pool(id)) = *chosen else { return };
        let Some(host) = self.without_address(hosts) else { return };
        let lease = self.core.leases.lease(id);
        if lease.host.is_none() && lease.state == BindingState::Active {
            self.core.leases.update(id, |lease| lease.host = Some(host));
        }
    }

    /// An abandoned lease goes only to a client that requests exactly this address.
    fn reclaim(
        &mut self,
        incoming: &Incoming,
        chosen: Option<Chosen>,
        asked_for: Option<LeaseId>,
        ours: bool,
    ) -> Found {
        if let Some(Chosen::Pool(id)) = chosen
            && self.core.leases.lease(id).state == BindingState::Abandoned
        {
            if incoming.kind != REQUEST || asked_for != Some(id) {
                return Found { lease: None, ours: true };
            }
            let (address, _, _) = self.core.leases.place(id);
            self.error(format!("Reclaiming REQUESTed abandoned IP address {address}."));
        }
        Found { lease: chosen, ours }
    }

    /// Is this client allowed in the pool?
    pub(super) fn is_permitted(&self, incoming: &Incoming, pool: PoolId) -> bool {
        let Some(pool) = self.core.config.pools.get(pool.index()) else { return false };
        super::allocate::is_permitted(self, incoming, pool)
    }
}
