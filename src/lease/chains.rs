//! Chains of leases by client identifier and by hardware address.
//!
//! Mirrors ISC `server/mdb.c:client_lease_preferred`, `uid_hash_add`, `hw_hash_add` and their counterparts. The order is
//! fixed when a lease is put in and judged by the data the lease has at that moment; a later change of state does not
//! move it.

use super::db::Entry;
use super::queue::NIL;
use super::{BindingState, Lease};
use crate::config::network::Hardware;
use crate::config::tree::Octets;
use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// So that a map keyed by octets answers for a slice.
impl Borrow<[u8]> for Octets {
    fn borrow(&self) -> &[u8] {
        self
    }
}

/// ARP type of InfiniBand: its addresses do not fit, so dhcpd does not chain it without an address.
const INFINIBAND: u8 = 32;

/// Hardware type and address without an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct HardwareKey {
    len: u8,
    octets: [u8; 21],
}

impl HardwareKey {
    /// `None` for what is in no chain.
    pub fn new(hardware: &Hardware) -> Option<Self> {
        if hardware.address.is_empty() && hardware.htype == INFINIBAND {
            return None;
        }
        let mut octets = [0; 21];
        octets[0] = hardware.htype;
        for (to, &from) in octets[1..].iter_mut().zip(&hardware.address) {
            *to = from;
        }
        Some(Self { len: hardware.address.len().min(20) as u8, octets })
    }
}

/// The keys of the chains a lease is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub uid: Option<Octets>,
    pub hardware: Option<HardwareKey>,
}

impl Identity {
    pub fn of(lease: &Lease) -> Self {
        let hardware = lease.hardware.as_ref().and_then(HardwareKey::new);
        Self { uid: lease.uid.clone(), hardware }
    }
}

/// Which chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Uid,
    Hardware,
}

impl Entry {
    pub fn next_in(&self, kind: Kind) -> u32 {
        match kind {
            Kind::Uid => self.next_uid,
            Kind::Hardware => self.next_hardware,
        }
    }

    fn set_next_in(&mut self, kind: Kind, next: u32) {
        match kind {
            Kind::Uid => self.next_uid = next,
            Kind::Hardware => self.next_hardware = next,
        }
    }
}

/// The heads of both kinds of chain. The links are in the entries.
#[derive(Clone, Debug, Default)]
pub(super) struct Chains {
    uid: HashMap<Octets, u32>,
    hardware: HashMap<HardwareKey, u32>,
}

impl Chains {
    /// First lease of a client identifier, or [`NIL`].
    pub fn uid_head(&self, uid: &[u8]) -> u32 {
        self.uid.get(uid).copied().unwrap_or(NIL)
    }

    /// First lease of a hardware address, or [`NIL`].
    pub fn hardware_head(&self, hardware: &Hardware) -> u32 {
        HardwareKey::new(hardware).and_then(|key| self.hardware.get(&key)).copied().unwrap_or(NIL)
    }

    pub fn add_uid(&mut self, entries: &mut [Option<Box<Entry>>], id: u32, uid: &Octets) {
        if !uid.is_empty() {
            add(&mut self.uid, entries, id, uid.clone(), Kind::Uid);
        }
    }

    pub fn add_hardware(&mut self, entries: &mut [Option<Box<Entry>>], id: u32, key: HardwareKey) {
        add(&mut self.hardware, entries, id, key, Kind::Hardware);
    }

    /// Makes room for so many clients.
    pub fn reserve(&mut self, clients: usize) {
        self.uid.reserve(clients);
        self.hardware.reserve(clients);
    }

    pub fn remove_uid(&mut self, entries: &mut [Option<Box<Entry>>], id: u32, uid: &[u8]) {
        remove(&mut self.uid, entries, id, uid, Kind::Uid);
    }

    pub fn remove_hardware(&mut self, entries: &mut [Option<Box<Entry>>], id: u32, key: HardwareKey) {
        remove(&mut self.hardware, entries, id, &key, Kind::Hardware);
    }
}

fn entry(entries: &[Option<Box<Entry>>], id: u32) -> Option<&Entry> {
    entries.get(id as usize)?.as_deref()
}

fn set_next(entries: &mut [Option<Box<Entry>>], id: u32, kind: Kind, next: u32) {
    if let Some(Some(entry)) = entries.get_mut(id as usize) {
        entry.set_next_in(kind, next);
    }
}

fn add<K: Hash + Eq>(
    heads: &mut HashMap<K, u32>,
    entries: &mut [Option<Box<Entry>>],
    id: u32,
    key: K,
    kind: Kind,
) {
    let Some(new) = entry(entries, id) else { return };
    let (mut prev, mut at) = (NIL, heads.get(&key).copied().unwrap_or(NIL));
    while let Some(candidate) = entry(entries, at) {
        if preferred(&candidate.lease, &new.lease) {
            break;
        }
        (prev, at) = (at, candidate.next_in(kind));
    }
    set_next(entries, id, kind, at);
    if prev == NIL {
        heads.insert(key, id);
    } else {
        set_next(entries, prev, kind, id);
    }
}

fn remove<K: Hash + Eq + Borrow<Q>, Q: Hash + Eq + ?Sized>(
    heads: &mut HashMap<K, u32>,
    entries: &mut [Option<Box<Entry>>],
    id: u32,
    key: &Q,
    kind: Kind,
) {
    let after = entry(entries, id).map_or(NIL, |e| e.next_in(kind));
    match heads.get_mut(key) {
        None => {}
        Some(head) if *head == id => {
            if after == NIL {
                heads.remove(key);
            } else {
                *head = after;
            }
        }
        Some(head) => {
            let mut at = *head;
            while let Some(e) = entry(entries, at) {
                let next = e.next_in(kind);
                if next == id {
                    set_next(entries, at, kind, after);
                    break;
                }
                at = next;
            }
        }
    }
    set_next(entries, id, kind, NIL);
}

/// Does `lease` go in front of `candidate`? Active first (later end first), then expired and released, then the rest
/// (later last transaction first), abandoned last; equals in front (ISC `mdb.c:client_lease_preferred`).
fn preferred(candidate: &Lease, lease: &Lease) -> bool {
    fn rank(state: BindingState) -> u8 {
        match state {
            BindingState::Active => 0,
            BindingState::Expired | BindingState::Released => 1,
            BindingState::Abandoned => 3,
            BindingState::Free | BindingState::Reset | BindingState::Backup => 2,
        }
    }
    let (old, new) = (rank(candidate.state), rank(lease.state));
    match new.cmp(&old) {
        std::cmp::Ordering::Less => true,
        std::cmp::Ordering::Greater => false,
        std::cmp::Ordering::Equal if new == 0 => lease.ends >= candidate.ends,
        std::cmp::Ordering::Equal => lease.cltt >= candidate.cltt,
    }
}
