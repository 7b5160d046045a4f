//! Shared networks and subnets (ISC `server/confpars.c:parse_shared_net_declaration`, `parse_subnet_declaration`,
//! `server/mdb.c:enter_subnet`).

use super::{Builder, Refused};
use crate::config::diagnostic::{Code, Diagnostic, Severity};
use crate::config::index::mask6;
use crate::config::network::{NetworkId, ScopeId, SharedNetwork, Subnet, SubnetId, SubnetPrefix};
use crate::log::Line;
use crate::options::ip6_text;
use std::net::{Ipv4Addr, Ipv6Addr};

impl Builder {
    /// Opens a `shared-network`. An empty name is refused and replaced, as dhcpd does.
    pub fn open_shared_network(&mut self, parent: ScopeId, name: &[u8]) -> NetworkId {
        let name = if name.split(|c| *c == 0).next().unwrap_or_default().is_empty() {
            self.refuse(Code::EmptyName, "zero-length shared network name");
            &b"<no-name-given>"[..]
        } else {
            name
        };
        let name = self.name(name);
        let scope = self.open_scope(parent);
        self.push_network(SharedNetwork {
            name,
            implicit: false,
            scope,
            subnets: Vec::new(),
            pools: Vec::new(),
            interface: None,
            failover_peer: None,
        })
    }

    fn push_network(&mut self, network: SharedNetwork) -> NetworkId {
        // As many as statements: fits.
        let id = NetworkId(self.config.shared_networks.len() as u32);
        self.config.shared_networks.push(network);
        id
    }

    /// Its closing brace: a shared network needs a subnet.
    pub fn close_shared_network(&mut self, network: NetworkId) -> Result<(), Refused> {
        let empty =
            self.config.shared_networks.get(network.index()).is_none_or(|network| network.subnets.is_empty());
        if empty {
            return Err(self.refuse(Code::EmptySharedNetwork, "empty shared-network decl"));
        }
        Ok(())
    }

    /// `subnet ADDRESS netmask MASK`: checked and entered among all subnets. Without a network it gets an implicit one,
    /// which shares its scope. The subnet joins its network's list only at [`Builder::close_subnet`].
    pub fn open_subnet(
        &mut self,
        parent: ScopeId,
        network: Option<NetworkId>,
        address: Ipv4Addr,
        mask: Ipv4Addr,
    ) -> Result<SubnetId, Refused> {
        if address.to_bits() & !mask.to_bits() != 0 {
            let right = Ipv4Addr::from_bits(address.to_bits() & mask.to_bits());
            let isc = format!("subnet {address} netmask {mask}: bad subnet number/mask combination.");
            let diagnostic = Diagnostic::error(Code::BadMask, self.span, isc)
                .message(format!("{address} is not a network number under the mask {mask}"))
                .note(format!("the network that holds {address} is {right} netmask {mask}"));
            return Err(self.report(diagnostic));
        }
        // dhcpd prints the length of the mask up to its last set bit.
        let name = format!("{address}/{}", 32 - mask.to_bits().trailing_zeros());
        self.enter_subnet(parent, network, SubnetPrefix::V4 { address, mask }, &name)
    }

    /// `subnet6 ADDRESS/LENGTH`, likewise.
    pub fn open_subnet6(
        &mut self,
        parent: ScopeId,
        network: Option<NetworkId>,
        address: Ipv6Addr,
        length: i32,
    ) -> Result<SubnetId, Refused> {
        let Some(length) = u8::try_from(length).ok().filter(|length| *length <= 128) else {
            return Err(self.refuse(Code::BadPrefix, "Expecting a number between 0 and 128."));
        };
        if address.to_bits() & !mask6(length) != 0 {
            let right = Ipv6Addr::from_bits(address.to_bits() & mask6(length));
            let diagnostic = Diagnostic::error(Code::BadPrefix, self.span, "New subnet mask too short.")
                .message(format!("{address} has bits set behind its first {length}"))
                .note(format!("the network that holds {address} is {right}/{length}"));
            return Err(self.report(diagnostic));
        }
        let name = format!("{}/{length}", ip6_text(address));
        self.enter_subnet(parent, network, SubnetPrefix::V6 { address, length }, &name)
    }

    fn enter_subnet(
        &mut self,
        parent: ScopeId,
        network: Option<NetworkId>,
        prefix: SubnetPrefix,
        name: &str,
    ) -> Result<SubnetId, Refused> {
        let (network, scope) = match network {
            Some(network) => {
                let outer =
                    self.config.shared_networks.get(network.index()).map_or(parent, |network| network.scope);
                (network, self.open_scope(outer))
            }
            None => {
                let scope = self.open_scope(parent);
                let network = self.push_network(SharedNetwork {
                    name: name.into(),
                    implicit: true,
                    scope,
                    subnets: Vec::new(),
                    pools: Vec::new(),
                    interface: None,
                    failover_peer: None,
                });
                (network, scope)
            }
        };
        // As many as statements: fits.
        let id = SubnetId(self.config.subnets.len() as u32);
        self.warn_overlaps(prefix)?;
        self.config.subnets.push(Subnet { network, prefix, scope, interface: None });
        self.subnet_spans.push(self.span);
        Ok(id)
    }

    /// Warns about the subnets that a new one overlaps. dhcpd means to keep the narrower one before the wider one, but
    /// it only ever looks at the newest (ISC `server/mdb.c:enter_subnet`): only of that does it speak, and the new one
    /// goes before all others in any case.
    fn warn_overlaps(&mut self, prefix: SubnetPrefix) -> Result<(), Refused> {
        let new = Range::of(prefix);
        let mut overlaps = Vec::new();
        for (at, there) in self.config.subnets.iter().enumerate().rev() {
            let Some(overlap) = new.overlaps(&Range::of(there.prefix)) else {
                return Err(self.fail("subnet_number():inet.c:45: Addr/mask length mismatch."));
            };
            if overlap {
                overlaps.push((at, there.prefix));
            }
        }
        let newest = self.config.subnets.len().checked_sub(1);
        for (at, there) in overlaps {
            self.warn_overlap(prefix, there, at, Some(at) == newest);
        }
        Ok(())
    }

    /// `other` is the number of the old one; `spoken`: dhcpd says so, too.
    fn warn_overlap(&mut self, new: SubnetPrefix, old: SubnetPrefix, other: usize, spoken: bool) {
        let shown = |prefix: SubnetPrefix| {
            let length = 32 - Range::of(prefix).isc_zeros;
            match prefix {
                SubnetPrefix::V4 { address, .. } => format!("{address}/{length}"),
                SubnetPrefix::V6 { address, .. } => format!("{}/{length}", ip6_text(address)),
            }
        };
        let line = format!("Warning: subnet {} overlaps subnet {}", shown(new), shown(old));
        let mut diagnostic = Diagnostic::own(
            Code::Overlap,
            Severity::Warning,
            self.span,
            format!("subnet {} overlaps subnet {}", written(new), written(old)),
        )
        .note("an address in both belongs to the subnet that is declared later, even if it is the wider one");
        if let Some(span) = self.subnet_spans.get(other).copied() {
            diagnostic = diagnostic.label(span, "the other one");
        }
        self.report(diagnostic);
        if spoken {
            self.log(Line::error(line));
        }
    }

    /// The closing brace of a subnet: now pools of its network may have ranges in it.
    pub fn close_subnet(&mut self, id: SubnetId) {
        self.seal_scope(self.subnet_scope(id));
        let Some(subnet) = self.config.subnets.get(id.index()) else { return };
        let new = Range::of(subnet.prefix);
        let subnets = &self.config.subnets;
        let Some(network) = self.config.shared_networks.get_mut(subnet.network.index()) else { return };
        // dhcpd does not look at the last one of the list.
        let others = network.subnets.split_last().map_or(&[][..], |(_, others)| others);
        let before = others.iter().position(|other| {
            subnets.get(other.index()).is_some_and(|other| {
                let other = Range::of(other.prefix);
                new.overlaps(&other) == Some(true) && new.isc_zeros < other.isc_zeros
            })
        });
        let at = before.unwrap_or(network.subnets.len());
        network.subnets.insert(at, id);
        if network.implicit {
            network.interface = subnet.interface.clone();
        }
    }

    /// `interface NAME;` in a network, or in one of its subnets. One network has one interface.
    pub fn set_interface(
        &mut self,
        network: NetworkId,
        subnet: Option<SubnetId>,
        name: &[u8],
    ) -> Result<(), Refused> {
        let name = self.name(name);
        let Some(shared) = self.config.shared_networks.get_mut(network.index()) else { return Err(Refused) };
        if shared.interface.is_some() {
            let isc = "A subnet or shared network can't be connected to two interfaces.";
            return Err(self.refuse(Code::TwoInterfaces, isc));
        }
        shared.interface = Some(name.clone());
        if let Some(subnet) = subnet.and_then(|id| self.config.subnets.get_mut(id.index())) {
            subnet.interface = Some(name);
        }
        Ok(())
    }

    /// The scope of a network.
    pub fn network_scope(&self, network: NetworkId) -> ScopeId {
        self.config.shared_networks.get(network.index()).map_or(ScopeId::ROOT, |network| network.scope)
    }

    /// The scope of a subnet.
    pub fn subnet_scope(&self, subnet: SubnetId) -> ScopeId {
        self.config.subnets.get(subnet.index()).map_or(ScopeId::ROOT, |subnet| subnet.scope)
    }

    /// The network of a subnet.
    pub fn subnet_network(&self, subnet: SubnetId) -> NetworkId {
        self.config.subnets.get(subnet.index()).map_or(NetworkId(0), |subnet| subnet.network)
    }

    /// Puts the subnets into their order of look-up, the newest first, and mends all references to them.
    pub(super) fn order_subnets(&mut self) {
        self.config.subnets.reverse();
        // As many as statements: fits.
        let last = self.config.subnets.len().saturating_sub(1) as u32;
        let renamed = |id: SubnetId| SubnetId(last.saturating_sub(id.0));
        for network in &mut self.config.shared_networks {
            for id in &mut network.subnets {
                *id = renamed(*id);
            }
        }
        for range in self.config.pools.iter_mut().flat_map(|pool| &mut pool.ranges) {
            range.subnet = renamed(range.subnet);
        }
    }
}

fn written(prefix: SubnetPrefix) -> String {
    match prefix {
        SubnetPrefix::V4 { address, mask } => match prefix.network() {
            Some(network) => network.to_string(),
            None => format!("{address} netmask {mask}"),
        },
        SubnetPrefix::V6 { address, length } => format!("{address}/{length}"),
    }
}

/// A prefix as numbers, with the count of zero bits dhcpd takes for its width: it reads the first four octets of the
/// mask also for IPv6, and when all are zero goes on into the address length stored before them (4 or 16).
struct Range {
    v6: bool,
    address: u128,
    mask: u128,
    isc_zeros: i32,
}

impl Range {
    fn of(prefix: SubnetPrefix) -> Self {
        let zeros = |word: u32, all: i32| if word == 0 { all } else { word.trailing_zeros() as i32 };
        match prefix {
            SubnetPrefix::V4 { address, mask } => Self {
                v6: false,
                address: address.to_bits().into(),
                mask: mask.to_bits().into(),
                isc_zeros: zeros(mask.to_bits(), 58),
            },
            SubnetPrefix::V6 { address, length } => Self {
                v6: true,
                address: address.to_bits(),
                mask: mask6(length),
                isc_zeros: zeros((mask6(length) >> 96) as u32, 60),
            },
        }
    }

    /// Whether the two overlap; `None` for different families.
    fn overlaps(&self, other: &Range) -> Option<bool> {
        (self.v6 == other.v6).then_some(
            self.address & other.mask == other.address || other.address & self.mask == self.address,
        )
    }
}
