//! Look-ups the engines make for every packet: hosts by hardware address and identifier, subnets by address.
//!
//! Mirrors the hash tables of ISC `server/mdb.c:enter_host` and the list of `enter_subnet`. A host stands on at most
//! one chain (ISC `n_ipaddr`), whichever table put it there first, so a chain found by hardware address may go on to
//! hosts that share an identifier only. That is dhcpd's behaviour, and it decides who gets which address.

use super::Config;
use super::network::{Hardware, Host, HostId, NetworkId, Subnet, SubnetId, SubnetPrefix};
use super::tree::Octets;
use crate::options::OptionId;
use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Two hosts of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("already exists")]
pub struct HostExists(
    /// The one that is there already.
    pub HostId,
);

/// The values of one `host-identifier` option.
#[derive(Clone, Debug)]
pub struct IdentifierTable {
    /// The option.
    pub option: OptionId,
    /// `v6relopt N`; 0 for `option`.
    pub relay: u32,
    heads: HashMap<Octets, HostId>,
}

/// Hosts by name, hardware address, client identifier and `host-identifier`.
#[derive(Clone, Debug, Default)]
pub struct HostIndex {
    names: HashMap<Arc<str>, HostId>,
    /// Keyed by hardware type and address in one run, as ISC keeps them.
    hardware: HashMap<Octets, HostId>,
    uids: HashMap<Octets, HostId>,
    /// In order of first use; looked up newest first.
    identifiers: Vec<IdentifierTable>,
    next: Vec<Option<HostId>>,
    /// A host further down the same chain (or the host itself): keeps appending to a long chain fast.
    onward: Vec<HostId>,
}

impl HostIndex {
    /// Enters a host whose name, hardware, identifier and `host-identifier` are final.
    pub fn enter(&mut self, id: HostId, host: &Host) -> Result<(), HostExists> {
        while self.next.len() <= id.index() {
            // As many entries as hosts, so the count fits the index type.
            self.onward.push(HostId(self.next.len() as u32));
            self.next.push(None);
        }
        if let Some(&there) = self.names.get(&host.name) {
            return Err(HostExists(there));
        }
        self.names.insert(host.name.clone(), id);
        let mut chained = false;
        if let Some(hardware) = &host.hardware {
            match self.hardware.get(&hardware_key(hardware.htype, &hardware.address)).copied() {
                Some(head) => {
                    self.append(head, id);
                    chained = true;
                }
                None => {
                    self.hardware.insert(hardware_key(hardware.htype, &hardware.address), id);
                }
            }
        }
        if let Some(uid) = host.uid.as_ref().filter(|uid| !uid.is_empty()) {
            match self.uids.get(uid).copied() {
                Some(head) if !chained => {
                    self.append(head, id);
                    chained = true;
                }
                Some(_) => {}
                None => {
                    self.uids.insert(uid.clone(), id);
                }
            }
        }
        if let Some(identifier) = &host.identifier {
            let relay = identifier.relay.unwrap_or(0);
            // ISC `find_host_id_info` compares code and relay, not the space.
            let at = match self
                .identifiers
                .iter()
                .rposition(|t| t.option.code == identifier.option.code && t.relay == relay)
            {
                Some(at) => at,
                None => {
                    self.identifiers.push(IdentifierTable {
                        option: identifier.option,
                        relay,
                        heads: HashMap::new(),
                    });
                    self.identifiers.len() - 1
                }
            };
            let Some(table) = self.identifiers.get_mut(at) else { return Ok(()) };
            match table.heads.get(&identifier.value).copied() {
                Some(head) if !chained => self.append(head, id),
                Some(_) => {}
                None => {
                    table.heads.insert(identifier.value.clone(), id);
                }
            }
        }
        Ok(())
    }

    /// Takes a host out of the look-ups by hardware address and identifier (ISC `delete_host`); its successor on the
    /// chain takes its place. The name is free again.
    pub fn remove(&mut self, id: HostId, hosts: &[Host]) {
        let Some(host) = hosts.get(id.index()) else { return };
        let successor = self.next.get(id.index()).copied().flatten();
        if self.names.get(&host.name) == Some(&id) {
            self.names.remove(&host.name);
        }
        let mut was_head = false;
        if let Some(hardware) = &host.hardware {
            let key = hardware_key(hardware.htype, &hardware.address);
            match self.hardware.get(&key).copied() {
                Some(head) if head == id => {
                    was_head = true;
                    self.hardware.remove(&key);
                }
                Some(head) => self.unlink(head, id),
                None => {}
            }
        }
        if let Some(uid) = &host.uid {
            match self.uids.get(uid).copied() {
                Some(head) if head == id => {
                    self.uids.remove(uid);
                }
                Some(head) => self.unlink(head, id),
                None => {}
            }
        }
        if let Some(next) = successor
            && let Some(host) = hosts.get(next.index())
        {
            if let Some(uid) = host.uid.as_ref().filter(|uid| !uid.is_empty()) {
                self.uids.insert(uid.clone(), next);
            }
            if let Some(hardware) = host.hardware.as_ref().filter(|_| was_head) {
                self.hardware.insert(hardware_key(hardware.htype, &hardware.address), next);
            }
        }
        for table in &mut self.identifiers {
            table.heads.retain(|_, head| *head != id);
        }
        if let Some(next) = self.next.get_mut(id.index()) {
            *next = None;
        }
        // The hints may point past a host that left its chain.
        for (at, hint) in self.onward.iter_mut().enumerate() {
            *hint = HostId(at as u32);
        }
    }

    fn unlink(&mut self, head: HostId, id: HostId) {
        let mut at = head;
        while let Some(next) = self.next.get(at.index()).copied().flatten() {
            if next == id {
                let after = self.next.get(id.index()).copied().flatten();
                if let Some(slot) = self.next.get_mut(at.index()) {
                    *slot = after;
                }
                return;
            }
            at = next;
        }
    }

    fn append(&mut self, head: HostId, id: HostId) {
        let mut tail = head;
        loop {
            let hint = self.onward.get(tail.index()).copied().unwrap_or(tail);
            if hint != tail {
                tail = hint;
            } else if let Some(next) = self.next.get(tail.index()).copied().flatten() {
                tail = next;
            } else {
                break;
            }
        }
        if tail == id {
            return;
        }
        if let Some(slot) = self.next.get_mut(tail.index()) {
            *slot = Some(id);
        }
        for from in [head, tail] {
            if let Some(hint) = self.onward.get_mut(from.index()) {
                *hint = id;
            }
        }
    }

    /// The host of that name.
    pub fn named(&self, name: &str) -> Option<HostId> {
        self.names.get(name).copied()
    }

    /// Hosts with that hardware type and address, in dhcpd's order.
    pub fn by_hardware(&self, htype: u8, address: &[u8]) -> HostChain<'_> {
        self.chain(self.hardware.get(&hardware_key(htype, address)).copied())
    }

    /// Hosts with that client identifier, in dhcpd's order.
    pub fn by_uid(&self, uid: &[u8]) -> HostChain<'_> {
        self.chain(self.uids.get(&Octets::new(uid)).copied())
    }

    /// The options that `host-identifier` statements compare, newest first: the order in which dhcpd tries them.
    pub fn identifiers(&self) -> impl Iterator<Item = &IdentifierTable> {
        self.identifiers.iter().rev()
    }

    /// Hosts whose `host-identifier` has that value, in dhcpd's order.
    pub fn by_identifier(&self, table: &IdentifierTable, value: &[u8]) -> HostChain<'_> {
        self.chain(table.heads.get(&Octets::new(value)).copied())
    }

    fn chain(&self, head: Option<HostId>) -> HostChain<'_> {
        HostChain { next: &self.next, at: head }
    }
}

/// A chain of hosts, first declared first.
#[derive(Clone, Copy, Debug)]
pub struct HostChain<'a> {
    next: &'a [Option<HostId>],
    at: Option<HostId>,
}

impl Iterator for HostChain<'_> {
    type Item = HostId;

    fn next(&mut self) -> Option<HostId> {
        let here = self.at?;
        self.at = self.next.get(here.index()).copied().flatten();
        Some(here)
    }
}

/// Type and address in one run, on the stack for every real address.
fn hardware_key(htype: u8, address: &[u8]) -> Octets {
    let mut key = [0; 21];
    match key.get_mut(1..=address.len()) {
        Some(room) => {
            room.copy_from_slice(address);
            key[0] = htype;
            Octets::new(key.get(..=address.len()).unwrap_or(&key))
        }
        None => {
            let mut key = vec![htype];
            key.extend_from_slice(address);
            key.into()
        }
    }
}

/// Subnets by address: a table for each mask in use, so that a look-up costs as many probes as there are masks.
#[derive(Clone, Debug, Default)]
pub struct SubnetIndex {
    v4: Vec<(u32, HashMap<u32, SubnetId>)>,
    v6: Vec<(u128, HashMap<u128, SubnetId>)>,
}

impl SubnetIndex {
    /// Builds the index over subnets in their order of look-up: of several that hold an address the first wins.
    pub fn new(subnets: &[Subnet]) -> Self {
        let mut index = Self::default();
        for (at, subnet) in subnets.iter().enumerate() {
            // As many as statements in a configuration: fits.
            let id = SubnetId(at as u32);
            match subnet.prefix {
                SubnetPrefix::V4 { address, mask } => {
                    enter(&mut index.v4, mask.to_bits(), address.to_bits(), id);
                }
                SubnetPrefix::V6 { address, length } => {
                    enter(&mut index.v6, mask6(length), address.to_bits(), id);
                }
            }
        }
        index
    }

    fn find<K>(tables: &[(K, HashMap<K, SubnetId>)], address: K) -> Option<SubnetId>
    where
        K: Copy + Eq + std::hash::Hash + std::ops::BitAnd<Output = K>,
    {
        tables.iter().filter_map(|(mask, table)| table.get(&(address & *mask)).copied()).min()
    }
}

fn enter<K: Copy + Eq + std::hash::Hash>(
    tables: &mut Vec<(K, HashMap<K, SubnetId>)>,
    mask: K,
    address: K,
    id: SubnetId,
) {
    match tables.iter_mut().find(|(m, _)| *m == mask) {
        Some((_, table)) => {
            table.entry(address).or_insert(id);
        }
        None => tables.push((mask, HashMap::from([(address, id)]))),
    }
}

/// The mask of an IPv6 prefix length, 0 to 128.
pub(crate) fn mask6(length: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(length.min(128))).unwrap_or(0)
}

impl Config {
    /// The subnet an IPv4 address lies in (ISC `find_subnet`).
    pub fn subnet_containing(&self, address: Ipv4Addr) -> Option<SubnetId> {
        SubnetIndex::find(&self.subnet_index.v4, address.to_bits())
    }

    /// The subnet an IPv6 address lies in.
    pub fn subnet6_containing(&self, address: Ipv6Addr) -> Option<SubnetId> {
        SubnetIndex::find(&self.subnet_index.v6, address.to_bits())
    }

    /// The subnet of one network that an IPv4 address lies in (ISC `find_grouped_subnet`).
    pub fn subnet_in_network(&self, network: NetworkId, address: Ipv4Addr) -> Option<SubnetId> {
        let network = self.shared_networks.get(network.index())?;
        let holds = |id: &SubnetId| self.subnets.get(id.index()).is_some_and(|s| s.prefix.contains(address));
        network.subnets.iter().copied().find(holds)
    }

    /// The network a subnet belongs to.
    pub fn network_of(&self, subnet: SubnetId) -> Option<NetworkId> {
        self.subnets.get(subnet.index()).map(|subnet| subnet.network)
    }

    /// Hosts with that hardware type and address, in dhcpd's order.
    pub fn hosts_by_hardware(&self, htype: u8, address: &[u8]) -> HostChain<'_> {
        self.host_index.by_hardware(htype, address)
    }

    /// Hosts with that client identifier, in dhcpd's order.
    pub fn hosts_by_uid(&self, uid: &[u8]) -> HostChain<'_> {
        self.host_index.by_uid(uid)
    }
}

impl Hardware {
    /// Type and address in one run, as `hardware` yields them in an expression.
    pub fn octets(&self) -> Octets {
        hardware_key(self.htype, &self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::network::ScopeId;

    fn host(name: &str, hardware: Option<u8>, uid: Option<&[u8]>) -> Host {
        Host {
            name: name.into(),
            scope: ScopeId::ROOT,
            hardware: hardware.map(|last| Hardware { htype: 1, address: vec![0, 0, 0, 0, 0, last] }),
            uid: uid.map(Octets::new),
            fixed_address: None,
            fixed_address6: Vec::new(),
            fixed_prefix6: Vec::new(),
            identifier: None,
            group: None,
            dynamic: false,
            fixed: true,
            deleted: false,
        }
    }

    fn index(hosts: &[Host]) -> HostIndex {
        let mut index = HostIndex::default();
        for (at, host) in hosts.iter().enumerate() {
            index.enter(HostId(at as u32), host).unwrap();
        }
        index
    }

    #[test]
    fn chains_run_in_order_of_declaration_and_join_hardware_and_identifier() {
        let hosts = [
            host("a", Some(1), Some(b"x")),
            host("b", Some(1), None),
            host("c", Some(2), Some(b"x")),
            host("d", Some(2), None),
        ];
        let index = index(&hosts);
        let found = |chain: HostChain<'_>| chain.map(|id| id.0).collect::<Vec<_>>();
        // `c` shares only the identifier with `a` and hangs on its chain; `d` hangs behind `c`.
        assert_eq!(found(index.by_hardware(1, &[0, 0, 0, 0, 0, 1])), [0, 1, 2, 3]);
        assert_eq!(found(index.by_hardware(1, &[0, 0, 0, 0, 0, 2])), [2, 3]);
        assert_eq!(found(index.by_uid(b"x")), [0, 1, 2, 3]);
        assert_eq!(found(index.by_uid(b"y")), []);
        assert_eq!(found(index.by_hardware(6, &[0, 0, 0, 0, 0, 1])), []);
        assert_eq!(index.named("c"), Some(HostId(2)));
    }

    #[test]
    fn a_removed_host_leaves_its_successors() {
        let hosts = [host("a", Some(1), None), host("b", Some(1), None), host("c", Some(1), None)];
        let mut index = index(&hosts);
        index.remove(HostId(1), &hosts);
        let found =
            |index: &HostIndex| index.by_hardware(1, &[0, 0, 0, 0, 0, 1]).map(|id| id.0).collect::<Vec<_>>();
        assert_eq!(found(&index), [0, 2]);
        index.remove(HostId(0), &hosts);
        assert_eq!(found(&index), [2]);
        assert_eq!(index.named("a"), None);
    }

    #[test]
    fn a_name_is_taken_once_and_long_chains_are_fast() {
        let mut index = HostIndex::default();
        for at in 0..100_000u32 {
            index.enter(HostId(at), &host(&format!("h{at}"), Some(1), Some(b"same"))).unwrap();
        }
        assert_eq!(index.by_uid(b"same").count(), 100_000);
        assert_eq!(index.enter(HostId(100_000), &host("h7", None, None)), Err(HostExists(HostId(7))));
    }

    #[test]
    fn the_first_subnet_in_order_wins() {
        let subnet = |address: [u8; 4], mask: [u8; 4]| Subnet {
            network: NetworkId(0),
            prefix: SubnetPrefix::V4 { address: address.into(), mask: mask.into() },
            scope: ScopeId::ROOT,
            interface: None,
        };
        let index = SubnetIndex::new(&[
            subnet([10, 0, 0, 0], [255, 255, 255, 0]),
            subnet([10, 0, 0, 0], [255, 0, 0, 0]),
            subnet([10, 0, 1, 0], [255, 255, 255, 0]),
            // A mask with a hole.
            subnet([192, 0, 2, 0], [255, 0, 255, 0]),
        ]);
        let find =
            |address: [u8; 4]| SubnetIndex::find(&index.v4, u32::from_be_bytes(address)).map(|id| id.0);
        assert_eq!(find([10, 0, 0, 9]), Some(0));
        assert_eq!(find([10, 9, 0, 9]), Some(1));
        assert_eq!(find([10, 0, 1, 9]), Some(1));
        assert_eq!(find([192, 77, 2, 9]), Some(3));
        assert_eq!(find([11, 0, 0, 1]), None);
        assert_eq!((mask6(0), mask6(128)), (0, u128::MAX));
        assert_eq!(mask6(64), u128::MAX << 64);
    }
}
