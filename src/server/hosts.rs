//! Host declarations by hardware address, client identifier and `host-identifier`, and their fixed addresses.
//!
//! Mirrors ISC `server/mdb.c:enter_host`, `find_hosts_by_*` and `find_host_for_network`. dhcpd links the hosts that share
//! a key through one pointer per host, so that two keys of one host can join two lists into one; the links here are
//! made in the same way.

use super::incoming::Incoming;
use crate::config::Config;
use crate::config::network::{Hardware, Host, HostId};
use crate::config::tree::Octets;
use crate::options::OptionId;
use std::collections::HashMap;

/// Where hosts are found.
#[derive(Clone, Debug, Default)]
pub(super) struct HostIndex {
    by_hardware: HashMap<Hardware, HostId>,
    by_uid: HashMap<Octets, HostId>,
    /// By `host-identifier option`, the option used last comes first.
    by_identifier: Vec<(OptionId, HashMap<Octets, HostId>)>,
    next: Vec<Option<HostId>>,
}

impl HostIndex {
    /// Enters all hosts of a configuration in order.
    pub fn new(config: &Config) -> Self {
        let mut index = Self { next: vec![None; config.hosts.len()], ..Self::default() };
        for (at, host) in config.hosts.iter().enumerate().filter(|(_, host)| !host.deleted) {
            // As many hosts as fit into memory: below 2^32.
            index.enter(HostId(at as u32), host);
        }
        index
    }

    fn enter(&mut self, id: HostId, host: &Host) {
        let mut linked = false;
        if let Some(hardware) = &host.hardware {
            match self.by_hardware.get(hardware) {
                Some(&head) => linked = self.append(head, id),
                None => {
                    self.by_hardware.insert(hardware.clone(), id);
                }
            }
        }
        if let Some(uid) = host.uid.as_ref().filter(|uid| !uid.is_empty()) {
            match self.by_uid.get(uid) {
                Some(_) if linked => {}
                Some(&head) => linked = self.append(head, id),
                None => {
                    self.by_uid.insert(uid.clone(), id);
                }
            }
        }
        let Some(identifier) = host.identifier.as_ref().filter(|i| i.relay.is_none()) else { return };
        // dhcpd compares the code only, not the space.
        let at = match self.by_identifier.iter().position(|(o, _)| o.code == identifier.option.code) {
            Some(at) => at,
            None => {
                self.by_identifier.insert(0, (identifier.option, HashMap::new()));
                0
            }
        };
        match self.by_identifier[at].1.get(&identifier.value) {
            Some(_) if linked => {}
            Some(&head) => {
                self.append(head, id);
            }
            None => {
                self.by_identifier[at].1.insert(identifier.value.clone(), id);
            }
        }
    }

    /// Links a host behind the last of a chain, unless it is in it already.
    fn append(&mut self, head: HostId, id: HostId) -> bool {
        let mut last = head;
        while last != id {
            match self.next[last.index()] {
                Some(next) => last = next,
                None => {
                    self.next[last.index()] = Some(id);
                    return true;
                }
            }
        }
        true
    }

    /// The first host of that hardware type and address.
    pub fn by_hardware(&self, hardware: &Hardware) -> Option<HostId> {
        self.by_hardware.get(hardware).copied()
    }

    /// The first host of that client identifier.
    pub fn by_uid(&self, uid: &Octets) -> Option<HostId> {
        self.by_uid.get(uid).copied()
    }

    /// The first host one of whose identifying options the packet carries.
    pub fn by_option(&self, incoming: &Incoming) -> Option<HostId> {
        self.by_identifier.iter().find_map(|(option, values)| {
            let value = incoming.options.value(option.space, option.code)?;
            values.get(&value.octets).copied()
        })
    }

    /// A host and those chained behind it.
    pub fn chain(&self, head: HostId) -> impl Iterator<Item = HostId> + '_ {
        std::iter::successors(Some(head), |id| self.next.get(id.index()).copied().flatten())
    }

    /// The first host of a chain that has no fixed address.
    pub fn without_address(&self, config: &Config, head: Option<HostId>) -> Option<HostId> {
        self.chain(head?).find(|id| config.hosts.get(id.index()).is_some_and(|h| h.fixed_address.is_none()))
    }
}
