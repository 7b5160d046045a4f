//! Pools, their ranges and permits (ISC `server/confpars.c:parse_pool_statement`, `parse_address_range`, `get_permit`;
//! `server/mdb.c:new_address_range`).

use super::text::octets;
use super::{Builder, Refused};
use crate::config::diagnostic::{Code, Diagnostic};
use crate::config::network::{
    AddressRange, ClassId, NetworkId, PeerId, Permit, Pool, PoolId, Range6, ScopeId, SubnetId, SubnetPrefix,
};
use crate::log::Line;
use crate::time::Seconds;
use std::net::Ipv4Addr;

/// The most addresses of one range: with one lease more dhcpd's allocation of 304 octets each overflows 32 bits.
const MOST_ADDRESSES: u64 = u32::MAX as u64 / 304 - 1;

/// How many addresses declared twice are named one by one.
const MOST_DUPLICATES: u64 = 4096;

/// A pool between its braces.
#[derive(Clone, Debug)]
pub struct PoolDraft {
    network: NetworkId,
    /// Its scope.
    pub scope: ScopeId,
    permits: Vec<Permit>,
    prohibits: Vec<Permit>,
    valid_from: Seconds,
    valid_until: Seconds,
    failover_peer: Option<PeerId>,
    ranges: Vec<AddressRange>,
    pub(super) ranges6: Vec<Range6>,
    /// Whether a `range` was given, good or not.
    any_range: bool,
    six: bool,
}

/// Where a `range` stands: in which subnet, or, in a pool of a shared network, where its subnet has to be found.
#[derive(Clone, Copy, Debug)]
pub enum RangePlace {
    /// In a subnet or in a pool of a subnet.
    Subnet(SubnetId),
    /// In a pool right inside a shared-network.
    Network(NetworkId),
}

impl Builder {
    /// Opens a `pool`. Its scope lies in that of its network, also when it stands in a subnet. It takes the failover
    /// peer the network names.
    pub fn open_pool(&mut self, network: NetworkId) -> PoolDraft {
        let outer = self.network_scope(network);
        let scope = self.open_scope(outer);
        let failover_peer =
            self.config.shared_networks.get(network.index()).and_then(|network| network.failover_peer);
        self.draft(network, scope, failover_peer, false)
    }

    /// Opens a `pool6`, whose scope lies in that of its subnet.
    pub fn open_pool6(&mut self, subnet: SubnetId) -> PoolDraft {
        let outer = self.subnet_scope(subnet);
        let scope = self.open_scope(outer);
        self.draft(self.subnet_network(subnet), scope, None, true)
    }

    fn draft(
        &self,
        network: NetworkId,
        scope: ScopeId,
        failover_peer: Option<PeerId>,
        six: bool,
    ) -> PoolDraft {
        PoolDraft {
            network,
            scope,
            permits: Vec::new(),
            prohibits: Vec::new(),
            valid_from: 0,
            valid_until: 0,
            failover_peer,
            ranges: Vec::new(),
            ranges6: Vec::new(),
            any_range: false,
            six,
        }
    }

    /// `allow` (true) or `deny` of a pool.
    pub fn add_permit(&mut self, pool: &mut PoolDraft, allow: bool, permit: Permit) -> Result<(), Refused> {
        if let Permit::After(time) = permit {
            if pool.valid_from != 0 || pool.valid_until != 0 {
                return Err(self.refuse(Code::PermitAfterTwice, "duplicate \"after\" clause."));
            }
            if allow {
                pool.valid_from = time;
            } else {
                pool.valid_until = time;
            }
        }
        if allow { &mut pool.permits } else { &mut pool.prohibits }.push(permit);
        Ok(())
    }

    /// The class of `members of "NAME"`.
    pub fn permit_class(&mut self, name: &[u8]) -> Result<ClassId, Refused> {
        let known = self.find_class(name);
        known.ok_or_else(|| self.refuse(Code::ClassUnknown, octets!("no such class: ", name)))
    }

    /// `failover peer "NAME";` in a pool.
    pub fn set_pool_peer(&mut self, pool: &mut PoolDraft, name: &[u8]) -> Result<(), Refused> {
        pool.failover_peer = self.find_peer(name);
        match pool.failover_peer {
            Some(peer) => {
                if let Some(peer) = self.config.failover_peers.get_mut(peer.index()) {
                    peer.referring_pools += 1;
                }
                Ok(())
            }
            None => Err(self.refuse(Code::PeerUnknown, octets!("failover peer ", name, ": not found"))),
        }
    }

    /// `no failover peer` in a pool.
    pub fn clear_pool_peer(&mut self, pool: &mut PoolDraft) {
        pool.failover_peer = None;
    }

    /// `range`, in a pool or (without one) in a subnet: then it goes to the network's implicit pool.
    pub fn add_range(
        &mut self,
        place: RangePlace,
        pool: Option<&mut PoolDraft>,
        dynamic_bootp: bool,
        low: Ipv4Addr,
        high: Ipv4Addr,
    ) -> Result<(), Refused> {
        let (subnet, network) = match place {
            RangePlace::Subnet(subnet) => (subnet, self.subnet_network(subnet)),
            RangePlace::Network(network) => (self.subnet_of_range(network, low)?, network),
        };
        let failover = match &pool {
            Some(draft) => draft.failover_peer.is_some(),
            None => false,
        };
        match pool {
            Some(draft) => {
                self.refuse_dynamic_bootp(failover && dynamic_bootp);
                draft.any_range = true;
                let range = self.new_address_range(subnet, low, high)?;
                draft.ranges.push(range);
            }
            None => {
                let pool = self.implicit_pool(network, dynamic_bootp);
                let peer = self.config.pools.get(pool.index()).and_then(|pool| pool.failover_peer);
                self.refuse_dynamic_bootp(peer.is_some() && dynamic_bootp);
                let range = self.new_address_range(subnet, low, high)?;
                if let Some(pool) = self.config.pools.get_mut(pool.index()) {
                    pool.ranges.push(range);
                }
            }
        }
        Ok(())
    }

    /// The subnet of a range in a pool of a shared network: it must be declared (and closed) before.
    fn subnet_of_range(&mut self, network: NetworkId, low: Ipv4Addr) -> Result<SubnetId, Refused> {
        let shared = self.config.shared_networks.get(network.index());
        let holds = |id: &SubnetId| {
            self.config.subnets.get(id.index()).is_some_and(|subnet| subnet.prefix.contains(low))
        };
        if let Some(found) = shared.and_then(|network| network.subnets.iter().copied().find(holds)) {
            return Ok(found);
        }
        let name = shared.map(|network| network.name.clone()).unwrap_or_default();
        let isc = format!("address range not on network {name}");
        let diagnostic = Diagnostic::error(Code::RangeBeforeSubnet, self.span, isc)
            .message(format!("no subnet of {name} declared so far holds {low}"))
            .note("put the pool after the subnet its addresses lie in");
        let refused = self.report(diagnostic);
        self.log(Line::error("Be sure to place pool statement after related subnet declarations."));
        Err(refused)
    }

    fn refuse_dynamic_bootp(&mut self, refused: bool) {
        if !refused {
            return;
        }
        let diagnostic = Diagnostic::error(
            Code::DynamicBootpWithPeer,
            self.span,
            "dynamic-bootp flag is not permitted for address",
        )
        .message("addresses for dynamic BOOTP cannot be shared with a failover peer")
        .note("give them a pool of their own with \"no failover peer\"");
        self.report(diagnostic);
        for line in [
            "range declarations where there is a failover",
            "peer in scope.   If you wish to declare an",
            "address range from which dynamic bootp leases",
            "can be allocated, please declare it within a",
            "pool declaration that also contains the \"no",
            "failover\" statement.   The failover protocol",
            "itself does not permit dynamic bootp - this",
            "is not a limitation specific to the ISC DHCP",
            "server.   Please don't ask me to defend this",
            "until you have read and really tried to understand",
            "the failover protocol specification.",
        ] {
            self.log(Line::error(line));
        }
    }

    /// The pool a bare `range` goes to: the first of the network that prohibits dynamic BOOTP clients and nothing else
    /// (or permits all clients and nothing else, for `dynamic-bootp`). When there is one, dhcpd takes the pool BEFORE it
    /// in the list, if any: a slip of `parse_address_range` that decides who gets these addresses.
    fn implicit_pool(&mut self, network: NetworkId, dynamic_bootp: bool) -> PoolId {
        let (permits, prohibits) = if dynamic_bootp {
            (vec![Permit::AllClients], Vec::new())
        } else {
            (Vec::new(), vec![Permit::DynamicBootpClients])
        };
        let pools =
            self.config.shared_networks.get(network.index()).map_or(&[][..], |network| &network.pools);
        let found = pools.iter().position(|id| {
            self.config
                .pools
                .get(id.index())
                .is_some_and(|pool| pool.permits == permits && pool.prohibits == prohibits)
        });
        if let Some(taken) = found.and_then(|at| pools.get(at.saturating_sub(1)).copied()) {
            return taken;
        }
        let outer = self.network_scope(network);
        let scope = self.open_scope(outer);
        let draft = PoolDraft { permits, prohibits, ..self.draft(network, scope, None, false) };
        self.push_pool(draft)
    }

    fn push_pool(&mut self, draft: PoolDraft) -> PoolId {
        // As many as statements: fits.
        let id = PoolId(self.config.pools.len() as u32);
        self.config.pools.push(Pool {
            network: draft.network,
            scope: draft.scope,
            ranges: draft.ranges,
            ranges6: draft.ranges6,
            permits: draft.permits,
            prohibits: draft.prohibits,
            valid_from: draft.valid_from,
            valid_until: draft.valid_until,
            failover_peer: draft.failover_peer,
        });
        if let Some(network) = self.config.shared_networks.get_mut(draft.network.index()) {
            network.pools.push(id);
        }
        id
    }

    /// The closing brace of a pool: it is merged into an earlier one of its network that differs in nothing but its
    /// addresses and dates, or joins the list.
    pub fn close_pool(&mut self, draft: PoolDraft) -> Result<(), Refused> {
        self.seal_scope(draft.scope);
        let (any_range, six) = (draft.any_range || !draft.ranges6.is_empty(), draft.six);
        let same = (!six).then(|| self.equal_pool(&draft)).flatten();
        match same.and_then(|id| self.config.pools.get_mut(id.index())) {
            Some(pool) => pool.ranges.extend(draft.ranges),
            None => {
                self.push_pool(draft);
            }
        }
        if any_range {
            return Ok(());
        }
        let (isc, lines) = if six {
            (
                "Pool6 declaration with no address range6 or prefix6.",
                ["Pool6 declarations must always contain at least", "one range6 or prefix6 statement."],
            )
        } else {
            (
                "Pool declaration with no address range.",
                ["Pool declarations must always contain at least", "one range statement."],
            )
        };
        let refused = self.refuse(Code::PoolWithoutRange, isc);
        for line in lines {
            self.log(Line::error(line));
        }
        Err(refused)
    }

    fn equal_pool(&self, draft: &PoolDraft) -> Option<PoolId> {
        if !self.scope_statements(draft.scope).is_empty() {
            return None;
        }
        let pools = &self.config.shared_networks.get(draft.network.index())?.pools;
        pools.iter().copied().find(|id| {
            self.config.pools.get(id.index()).is_some_and(|pool| {
                self.scope_statements(pool.scope).is_empty()
                    && pool.failover_peer == draft.failover_peer
                    && same_permits(&pool.permits, &draft.permits)
                    && same_permits(&pool.prohibits, &draft.prohibits)
            })
        })
    }

    /// Checks a range and notes its addresses as declared.
    fn new_address_range(
        &mut self,
        subnet: SubnetId,
        low: Ipv4Addr,
        high: Ipv4Addr,
    ) -> Result<AddressRange, Refused> {
        let prefix = self.config.subnets.get(subnet.index()).map(|subnet| subnet.prefix);
        let Some(SubnetPrefix::V4 { address: net, mask }) = prefix else {
            return Err(self.fail("subnet_number():inet.c:45: Addr/mask length mismatch."));
        };
        for address in [low, high] {
            if address.to_bits() & mask.to_bits() != net.to_bits() {
                let text = format!("bad range, address {address} not in subnet {net} netmask {mask}");
                let diagnostic = Diagnostic::own(
                    Code::RangeOutside,
                    crate::config::diagnostic::Severity::Error,
                    self.span,
                    format!("{address} is not in subnet {net} netmask {mask}"),
                );
                self.report(diagnostic);
                return Err(self.fail(text));
            }
        }
        let (first, last) = (low.min(high), low.max(high));
        let count = u64::from(last.to_bits() - first.to_bits()) + 1;
        if count > MOST_ADDRESSES {
            self.refuse(Code::RangeTooLarge, format!("{low}-{high} is an overly large address range."));
            return Err(self.fail("Memory overflow."));
        }
        self.declare_addresses(first.to_bits(), last.to_bits());
        Ok(AddressRange { first, last, subnet })
    }

    /// Notes addresses as taken and refuses those that were taken already.
    fn declare_addresses(&mut self, first: u32, last: u32) {
        let mut twice: Vec<(u32, u32)> = Vec::new();
        let before = self.declared.range(..first).next_back().map(|(start, end)| (*start, *end));
        let within = self.declared.range(first..=last).map(|(start, end)| (*start, *end));
        let (mut start, mut end) = (first, last);
        for (a, b) in before.into_iter().chain(within) {
            if b >= first {
                twice.push((a.max(first), b.min(last)));
                start = start.min(a);
                end = end.max(b);
            }
        }
        for (a, _) in &twice {
            self.declared.remove(a);
        }
        if !twice.is_empty() {
            let stale: Vec<u32> = self.declared.range(start..=end).map(|(a, _)| *a).collect();
            for a in stale {
                self.declared.remove(&a);
            }
        }
        self.declared.insert(start, end);
        let mut named = 0;
        for (a, b) in twice {
            for address in a..=b {
                named += 1;
                if named > MOST_DUPLICATES {
                    return;
                }
                let address = Ipv4Addr::from_bits(address);
                let diagnostic = Diagnostic::error(
                    Code::AddressTwice,
                    self.span,
                    format!("lease {address} is declared twice!"),
                )
                .message(format!("{address} is in an earlier range already"));
                self.report(diagnostic);
            }
        }
    }
}

/// Whether two permit lists say the same: every member of one is in the other, without regard to order, repetition or
/// the times of `after` (ISC `permit_list_match`).
fn same_permits(one: &[Permit], other: &[Permit]) -> bool {
    let same = |a: &Permit, b: &Permit| match (a, b) {
        (Permit::After(_), Permit::After(_)) => true,
        _ => a == b,
    };
    let within = |a: &[Permit], b: &[Permit]| a.iter().all(|p| b.iter().any(|q| same(p, q)));
    within(one, other) && within(other, one)
}
