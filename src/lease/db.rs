//! The lease database: storage, lookups, queues, state transitions.
//!
//! Mirrors ISC `server/mdb.c`. Everything here is bookkeeping. What has to run in between (`on expiry` statements, DNS
//! updates, log lines, writing and syncing) belongs to the engine, so dhcpd's `supersede_lease` is split where the
//! engine has something to do:
//!
//! 1. [`LeaseDb::supersede`] copies new data onto a lease (skipped for a bare transition);
//! 2. [`LeaseDb::ending`] says whether the pending transition ends the binding; if so the engine runs the DNS removal
//!    and the lease's `on expiry` or `on release` body;
//! 3. [`LeaseDb::settle`] makes the transition and puts the lease on its queue;
//! 4. the engine writes the lease, and, when [`LeaseDb::overdue`] says so, expires the pool at once.
//!
//! [`LeaseDb::release`] and [`LeaseDb::abandon`] prepare the two special cases; [`LeaseDb::due`] yields what has to
//! expire.

use super::chains::{Chains, Identity};
use super::queue::{Links, List, NIL, Queue};
use super::walk::Walk;
use super::{BindingState, Lease, LeaseId};
use crate::config::Config;
use crate::config::network::{ClassId, Hardware, Pool, PoolId, SubnetId};
use crate::eval::bindings::Bindings;
use crate::time::{NEVER, Seconds};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;

/// More addresses declared than a lease index can count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Memory overflow.")]
pub struct TooManyAddresses;

/// What the bookkeeping must know about the failover peer of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which of the two we are.
    pub role: Role,
    /// We are in `normal`.
    pub normal: bool,
    /// The service state is neither cooperating nor merely not responding.
    pub not_cooperating: bool,
    /// We are in `partner-down`; the time from which the peer's leases may be taken: start of the state plus MCLT.
    pub partner_down: Option<Seconds>,
}

/// Primary or secondary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Role {
    Primary,
    Secondary,
}

/// How many leases a pool has. Signed, and counted exactly as dhcpd does, including what its start-up leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All addresses (`lease_count`).
    pub total: i64,
    /// On the free queue (`free_leases`).
    pub free: i64,
    /// On the backup queue (`backup_leases`).
    pub backup: i64,
}

/// How a binding ends, when a transition ends one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// `on expiry` applies.
    Expiry,
    /// `on release` applies.
    Release,
}

/// What [`LeaseDb::supersede`] noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Superseded {
    /// The lease was active for somebody else: log `Lease conflict at ADDRESS` (error) and go on.
    pub conflict: bool,
}

/// A lease somebody has or had, with its place in queues and chains.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub lease: Lease,
    /// What its queue is ordered by; normally `ends`.
    pub sort_time: Seconds,
    /// The queue it is on, if any.
    pub queue: Option<Queue>,
    /// State and next state differed when it was queued.
    pub pending: bool,
    pub next_uid: u32,
    pub next_hardware: u32,
}

/// A run of addresses of one pool with consecutive lease indices.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub first: u32,
    pub last: u32,
    /// Index of the first address. Grows with the address.
    pub base: u32,
    /// Position of its range in the configuration.
    pub declared: u32,
    pub pool: PoolId,
    pub subnet: SubnetId,
}

/// A pool's queues, counters and timer.
#[derive(Clone, Debug, Default)]
pub(super) struct PoolState {
    pub lists: [List; 6],
    /// Leases per queue whose next state differs from their state.
    pub pending: [usize; 6],
    /// Used leases among those of sort time 0 on the free queue, where all the virgin ones are.
    used_at_zero: usize,
    pub counts: Counts,
    pub standing: Option<Standing>,
    /// Key in [`LeaseDb::timers`] while armed.
    timer: Option<(Seconds, u64)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Billing {
    limit: u32,
    consumed: u32,
}

/// All leases of a configuration.
///
/// An address nobody ever had costs 16 octets. Lookups by address are O(log n) of the number of ranges; everything
/// else is O(1) or O(log n), but for walking the chain of one client.
#[derive(Clone, Debug, Default)]
pub struct LeaseDb {
    /// By first address, not overlapping.
    pub(super) runs: Vec<Run>,
    pub(super) links: Vec<Links>,
    /// `None` while nobody had it.
    pub(super) entries: Vec<Option<Box<Entry>>>,
    pub(super) chains: Chains,
    pub(super) pools: Vec<PoolState>,
    pool_order: Vec<PoolId>,
    billing: HashMap<ClassId, Billing>,
    /// Armed pool timers: when, and in which order they were armed.
    timers: BTreeMap<(Seconds, u64), PoolId>,
    armed: u64,
    /// Leases read from the file, in order (indices, perhaps repeated); only until start-up is over.
    pub(super) loaded: Vec<u32>,
    /// A walk over all leases that is under way.
    pub(super) walk: Option<Walk>,
}

// Construction and lookups.
impl LeaseDb {
    /// A database with a lease for every address of the configuration's pools. Nothing is on a queue before
    /// [`LeaseDb::start`]. An address declared twice belongs to the range declared first.
    pub fn new(config: &Config) -> Result<Self, TooManyAddresses> {
        let mut covered: BTreeMap<u32, Run> = BTreeMap::new();
        let mut declared = 0;
        for (index, pool) in config.pools.iter().enumerate() {
            for range in &pool.ranges {
                for (first, last) in uncovered(&covered, range.first.to_bits(), range.last.to_bits()) {
                    let pool = PoolId(index as u32);
                    covered.insert(first, Run { first, last, base: 0, declared, pool, subnet: range.subnet });
                }
                declared += 1;
            }
        }
        let mut runs: Vec<Run> = covered.into_values().collect();
        let mut count: u32 = 0;
        for run in &mut runs {
            run.base = count;
            // The largest index is NIL, so the number of addresses must stay below it.
            let size = (run.last - run.first).checked_add(1).ok_or(TooManyAddresses)?;
            count = count.checked_add(size).filter(|&n| n < NIL).ok_or(TooManyAddresses)?;
        }
        let count = count as usize;
        let (mut links, mut entries) = (Vec::new(), Vec::new());
        links.try_reserve_exact(count).map_err(|_| TooManyAddresses)?;
        entries.try_reserve_exact(count).map_err(|_| TooManyAddresses)?;
        links.resize(count, Links::NONE);
        entries.resize_with(count, || None);
        let billing = config.classes.iter().enumerate().filter_map(|(index, class)| {
            class.lease_limit.map(|limit| (ClassId(index as u32), Billing { limit, consumed: 0 }))
        });
        Ok(Self {
            runs,
            links,
            entries,
            chains: Chains::default(),
            pools: config
                .pools
                .iter()
                .map(|pool| PoolState { standing: first_standing(config, pool), ..PoolState::default() })
                .collect(),
            pool_order: config.shared_networks.iter().rev().flat_map(|n| n.pools.iter().copied()).collect(),
            billing: billing.collect(),
            timers: BTreeMap::new(),
            armed: 0,
            loaded: Vec::new(),
            walk: None,
        })
    }

    /// Number of addresses.
    pub fn len(&self) -> usize {
        self.links.len()
    }

    /// No pool has an address.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// The lease of an address, if it lies in a declared range.
    pub fn find(&self, address: Ipv4Addr) -> Option<LeaseId> {
        let address = address.to_bits();
        let at = self.runs.partition_point(|run| run.first <= address).checked_sub(1)?;
        let run = self.runs.get(at)?;
        (address <= run.last).then(|| LeaseId(run.base + (address - run.first)))
    }

    /// A lease. Borrowed if anybody ever had it, else made up. The index must come from this database.
    pub fn lease(&self, id: LeaseId) -> Cow<'_, Lease> {
        match self.entry(id) {
            Some(entry) => Cow::Borrowed(&entry.lease),
            None => Cow::Owned(self.virgin(id.0)),
        }
    }

    /// Did anybody ever have it, or was it in the lease file?
    pub fn was_used(&self, id: LeaseId) -> bool {
        self.entry(id).is_some()
    }

    /// Address, pool and subnet of a lease.
    pub fn place(&self, id: LeaseId) -> (Ipv4Addr, PoolId, SubnetId) {
        let (address, run) = self.run_of(id.0);
        (Ipv4Addr::from_bits(address), run.pool, run.subnet)
    }

    /// The leases of a client identifier in chain order: the first is the one dhcpd finds.
    pub fn uid_chain(&self, uid: &[u8]) -> impl Iterator<Item = LeaseId> + '_ {
        self.walk(self.chains.uid_head(uid), |entry| entry.next_uid)
    }

    /// The leases of a hardware address in chain order.
    pub fn hardware_chain(&self, hardware: &Hardware) -> impl Iterator<Item = LeaseId> + '_ {
        self.walk(self.chains.hardware_head(hardware), |entry| entry.next_hardware)
    }

    /// The lease behind this one in its client identifier's chain.
    pub fn next_by_uid(&self, id: LeaseId) -> Option<LeaseId> {
        self.entry(id).map(|entry| entry.next_uid).filter(|&next| next != NIL).map(LeaseId)
    }

    /// The lease behind this one in its hardware address's chain.
    pub fn next_by_hardware(&self, id: LeaseId) -> Option<LeaseId> {
        self.entry(id).map(|entry| entry.next_hardware).filter(|&next| next != NIL).map(LeaseId)
    }

    /// First lease of a queue: the one to hand out, or to expire, next.
    pub fn first(&self, pool: PoolId, queue: Queue) -> Option<LeaseId> {
        Some(self.pools.get(pool.index())?.lists[queue as usize].head()).filter(|&id| id != NIL).map(LeaseId)
    }

    /// A queue from front to back.
    pub fn queue(&self, pool: PoolId, queue: Queue) -> impl Iterator<Item = LeaseId> + '_ {
        let mut at = self.first(pool, queue).map_or(NIL, |id| id.0);
        std::iter::from_fn(move || {
            let id = at;
            at = self.links.get(id as usize)?.next;
            Some(LeaseId(id))
        })
    }

    /// Where to begin in a queue to meet all leases somebody has or had; NIL when there are none.
    pub(super) fn first_used(&self, pool: PoolId, queue: Queue) -> u32 {
        match self.pools.get(pool.index()) {
            // Addresses nobody ever had come first, and there may be millions of them.
            Some(state) if queue == Queue::Free && state.used_at_zero == 0 => {
                state.lists[queue as usize].head_after(0)
            }
            _ => self.first(pool, queue).map_or(NIL, |id| id.0),
        }
    }

    /// Length of a queue.
    pub fn queue_len(&self, pool: PoolId, queue: Queue) -> usize {
        self.pools.get(pool.index()).map_or(0, |p| p.lists[queue as usize].len())
    }

    /// How many addresses a pool has, and how many of them are free. `used` of dhcpd's threshold lines is
    /// `total - free - backup`.
    pub fn counts(&self, pool: PoolId) -> Counts {
        self.pools.get(pool.index()).map_or_else(Counts::default, |p| p.counts)
    }

    /// The pools as dhcpd walks them: the shared network declared last comes first, its pools in order of declaration.
    pub fn pool_order(&self) -> &[PoolId] {
        &self.pool_order
    }

    fn walk(&self, head: u32, next: fn(&Entry) -> u32) -> impl Iterator<Item = LeaseId> + '_ {
        let mut at = head;
        std::iter::from_fn(move || {
            let id = LeaseId(at);
            at = next(self.entry(id)?);
            Some(id)
        })
    }

    pub(super) fn entry(&self, id: LeaseId) -> Option<&Entry> {
        self.entries.get(id.0 as usize)?.as_deref()
    }

    /// The entry of a lease, made if it has none. Panics on an index that is not of this database, as indexing does.
    pub(super) fn entry_mut(&mut self, id: LeaseId) -> &mut Entry {
        if self.entries[id.0 as usize].is_none() {
            let lease = self.virgin(id.0);
            // An address without an entry is on the free queue once start-up is over.
            let queue = Some(Queue::Free).filter(|_| self.on_free_queue(id.0, lease.pool));
            if queue.is_some() {
                self.pools[lease.pool.index()].used_at_zero += 1;
            }
            self.entries[id.0 as usize] = Some(Box::new(Entry::new(lease, queue)));
        }
        // Just filled where it was empty.
        self.entries[id.0 as usize].as_mut().expect("an entry")
    }

    /// Is a lease without an entry on its pool's free queue?
    fn on_free_queue(&self, id: u32, pool: PoolId) -> bool {
        let Links { prev, next } = self.links[id as usize];
        prev != NIL || next != NIL || self.first(pool, Queue::Free) == Some(LeaseId(id))
    }

    /// What an index without an entry stands for.
    pub(super) fn virgin(&self, id: u32) -> Lease {
        let (address, run) = self.run_of(id);
        Lease::virgin(Ipv4Addr::from_bits(address), run.pool, run.subnet)
    }

    /// The address of an index, and the run it lies in.
    pub(super) fn run_of(&self, id: u32) -> (u32, &Run) {
        // The first run has base 0, so there is always one that is not behind `id`.
        let run = &self.runs[self.runs.partition_point(|run| run.base <= id) - 1];
        (run.first.wrapping_add(id - run.base), run)
    }
}

// Changes.
impl LeaseDb {
    /// Changes a lease in place. Chains follow a changed client identifier or hardware address, judged by the data the
    /// lease had before; queue and counters do not move before [`LeaseDb::settle`] or [`LeaseDb::requeue`]. Address,
    /// pool and subnet cannot be changed.
    pub fn update<R>(&mut self, id: LeaseId, change: impl FnOnce(&mut Lease) -> R) -> R {
        self.changed(id);
        let entry = self.entry_mut(id);
        let (address, pool, subnet) = (entry.lease.address, entry.lease.pool, entry.lease.subnet);
        let old = Identity::of(&entry.lease);
        let judged = (entry.lease.state, entry.lease.ends, entry.lease.cltt);
        let result = change(&mut entry.lease);
        let lease = &mut entry.lease;
        (lease.address, lease.pool, lease.subnet) = (address, pool, subnet);
        let new = Identity::of(lease);
        if new != old {
            let fresh = (lease.state, lease.ends, lease.cltt);
            (lease.state, lease.ends, lease.cltt) = judged;
            self.rechain(id, old, new);
            let lease = &mut self.entry_mut(id).lease;
            (lease.state, lease.ends, lease.cltt) = fresh;
        }
        result
    }

    /// Copies the data of `new` onto a lease, as `supersede_lease` does: times, identity, host, bindings (all of them
    /// replaced), host name, flags, next state; handlers only where `new` has one; agent options only if `new` is to be
    /// active or expired; the billing moves. State and rewind state stay, and the chains are sorted by the old state,
    /// end and last transaction time. The lease stays on its queue until [`LeaseDb::settle`].
    pub fn supersede(&mut self, id: LeaseId, new: Lease) -> Superseded {
        self.changed(id);
        let old = &self.entry_mut(id).lease;
        let conflict = new.state != BindingState::Abandoned
            && new.next_state != BindingState::Abandoned
            && old.state == BindingState::Active
            && match (&old.uid, &new.uid) {
                (Some(a), Some(b)) => a != b,
                (Some(_), None) => false,
                (None, _) => old.hardware != new.hardware,
            };
        let (identity, billed) = (Identity::of(old), old.billing_class);
        if billed != new.billing_class {
            self.unbill(id);
            if let Some(class) = new.billing_class {
                self.bill(id, class);
            }
        }
        let keep_agent_options = matches!(new.next_state, BindingState::Active | BindingState::Expired);
        let lease = &mut self.entry_mut(id).lease;
        lease.starts = new.starts;
        lease.host = new.host;
        lease.bindings = new.bindings;
        lease.agent_options = if keep_agent_options { new.agent_options } else { Vec::new() };
        lease.client_hostname = new.client_hostname;
        for (old, new) in [
            (&mut lease.handlers.expiry, new.handlers.expiry),
            (&mut lease.handlers.commit, new.handlers.commit),
            (&mut lease.handlers.release, new.handlers.release),
        ] {
            if new.is_some() {
                *old = new;
            }
        }
        if new.raw_handlers.is_some() {
            lease.raw_handlers = new.raw_handlers;
        }
        lease.uid = new.uid;
        lease.hardware = new.hardware;
        let fresh = Identity::of(lease);
        self.rechain(id, identity, fresh);
        let lease = &mut self.entry_mut(id).lease;
        (lease.cltt, lease.ends) = (new.cltt, new.ends);
        (lease.tstp, lease.tsfp, lease.atsfp) = (new.tstp, new.tsfp, new.atsfp);
        lease.next_state = new.next_state;
        lease.reserved = new.reserved;
        lease.dynamic_bootp = new.dynamic_bootp;
        Superseded { conflict }
    }

    /// Does the pending transition end the binding? Without a failover peer every way out of `active` does; with one,
    /// the way from `expired`, `active` or `released` to `free` or `backup`.
    pub fn ending(&self, id: LeaseId) -> Option<Ending> {
        use BindingState::{Active, Backup, Expired, Free, Released};
        let entry = self.entry(id)?;
        let (state, next) = (entry.lease.state, entry.lease.next_state);
        if state == next {
            return None;
        }
        match (self.standing(entry.lease.pool), state, next) {
            (Some(_), Expired | Active, Free | Backup) => Some(Ending::Expiry),
            (Some(_), Released, Free | Backup) => Some(Ending::Release),
            (None, Active, Released) => Some(Ending::Release),
            (None, Active, _) => Some(Ending::Expiry),
            _ => None,
        }
    }

    /// Makes the pending transition and queues the lease again (`make_binding_state_transition`, `lease_enqueue`, and
    /// the arming of the pool's timer). An ending drops both handlers of the ending, billing, agent options, host name
    /// and host, and sets `tstp` to the end. `propagate`: the change is for the failover peer, so `atsfp` is cleared.
    pub fn settle(&mut self, id: LeaseId, now: Seconds, propagate: bool) {
        let ending = self.ending(id);
        if ending.is_some() {
            self.unbill(id);
        }
        let pool = self.entry_mut(id).lease.pool;
        let standing = self.standing(pool);
        let lease = &mut self.entry_mut(id).lease;
        if propagate {
            lease.atsfp = 0;
        }
        if ending.is_some() {
            lease.handlers.expiry = None;
            lease.handlers.release = None;
            lease.raw_handlers = None;
            lease.agent_options = Vec::new();
            lease.client_hostname = None;
            lease.host = None;
            lease.tstp = lease.ends;
        }
        lease.state = lease.next_state;
        match lease.state {
            BindingState::Active => {
                lease.next_state =
                    if standing.is_some() { BindingState::Expired } else { BindingState::Free };
            }
            BindingState::Expired
            | BindingState::Released
            | BindingState::Abandoned
            | BindingState::Reset => {
                lease.next_state = BindingState::Free;
                if let Some(taken) = standing.and_then(|s| s.partner_down) {
                    lease.tsfp = taken;
                }
            }
            BindingState::Free | BindingState::Backup => {}
        }
        self.requeue(id);
        let time = self.entry_mut(id).sort_time;
        let state = &self.pools[pool.index()];
        if time > now && state.timer.is_none_or(|(at, _)| time < at) {
            self.arm(pool, Some(time));
        }
    }

    /// Puts a lease on the queue its state and flags call for, at the place its end calls for.
    pub fn requeue(&mut self, id: LeaseId) {
        self.changed(id);
        self.dequeue(id);
        let (queue, time) = self.plan(id);
        let pool = self.entry_mut(id).lease.pool;
        // Every pool of a lease is one of this database.
        self.pools[pool.index()].lists[queue as usize].insert(&mut self.links, id.0, time);
        self.note_queued(id, queue, time);
    }

    /// Prepares and makes the transition of a released lease, which the engine has already run `on release` for. False
    /// when the lease is not in a state to be released: then only the handlers of the ending went. When true, write
    /// and commit it.
    pub fn release(&mut self, id: LeaseId, now: Seconds) -> bool {
        use BindingState::{Abandoned, Active, Backup, Free, Released};
        let pool = self.entry_mut(id).lease.pool;
        let standing = self.standing(pool);
        let lease = &mut self.entry_mut(id).lease;
        lease.handlers.release = None;
        lease.handlers.expiry = None;
        lease.raw_handlers = None;
        if !matches!(lease.state, Active | Abandoned) {
            return false;
        }
        lease.handlers.commit = None;
        lease.bindings = Bindings::default();
        lease.ends = now;
        lease.tstp = now;
        lease.next_state = match standing {
            None => Free,
            Some(standing) => match (standing.role, lease.rewind_state) {
                (Role::Primary, Free) | (Role::Secondary, Backup) if standing.not_cooperating => {
                    lease.rewind_state
                }
                _ => Released,
            },
        };
        self.settle(id, now, true);
        true
    }

    /// Prepares an abandoned lease: identity and bindings erased, end = now + `seconds`. The engine logs, looks at
    /// [`LeaseDb::ending`], settles, writes and commits.
    pub fn abandon(&mut self, id: LeaseId, now: Seconds, seconds: Seconds) {
        let mut new = self.lease(id).into_owned();
        new.bindings = Bindings::default();
        new.uid = None;
        new.hardware = None;
        new.ends = now.checked_add(seconds).filter(|&end| (now..=NEVER).contains(&end)).unwrap_or(NEVER);
        new.next_state = BindingState::Abandoned;
        // An abandoned lease conflicts with nobody.
        let Superseded { conflict: _ } = self.supersede(id, new);
    }

    /// Takes a lease off its queue.
    fn dequeue(&mut self, id: LeaseId) {
        let entry = self.entry_mut(id);
        let Some(queue) = entry.queue.take() else { return };
        let (pool, time, pending) = (entry.lease.pool, entry.sort_time, entry.pending);
        let next = self.links[id.0 as usize].next;
        let next_time = (next != NIL).then(|| self.sort_time(next));
        if let Some(walk) = &mut self.walk {
            walk.leaves(id.0, next);
        }
        let state = &mut self.pools[pool.index()];
        state.lists[queue as usize].remove(&mut self.links, id.0, time, next_time);
        if pending {
            state.pending[queue as usize] -= 1;
        }
        if queue == Queue::Free && time == 0 {
            state.used_at_zero -= 1;
        }
        match queue {
            Queue::Free => state.counts.free -= 1,
            Queue::Backup => state.counts.backup -= 1,
            _ => {}
        }
    }

    /// Queue and sort time a lease should have.
    pub(super) fn plan(&self, id: LeaseId) -> (Queue, Seconds) {
        let Some(Entry { lease, .. }) = self.entry(id) else { return (Queue::Free, 0) };
        let queue = Queue::of(lease.state, lease.reserved);
        let partner_down = self.standing(lease.pool).is_some_and(|s| s.partner_down.is_some());
        let time =
            if queue == Queue::Expired && partner_down { lease.ends.max(lease.tsfp) } else { lease.ends };
        (queue, time)
    }

    /// Books a lease that was just put on a queue.
    pub(super) fn note_queued(&mut self, id: LeaseId, queue: Queue, time: Seconds) {
        let entry = self.entry_mut(id);
        entry.queue = Some(queue);
        entry.sort_time = time;
        entry.pending = entry.lease.state != entry.lease.next_state;
        let (pool, pending) = (entry.lease.pool, entry.pending);
        let state = &mut self.pools[pool.index()];
        if pending {
            state.pending[queue as usize] += 1;
        }
        if queue == Queue::Free && time == 0 {
            state.used_at_zero += 1;
        }
        match queue {
            Queue::Free => state.counts.free += 1,
            Queue::Backup => state.counts.backup += 1,
            _ => {}
        }
    }

    pub(super) fn sort_time(&self, id: u32) -> Seconds {
        self.entry(LeaseId(id)).map_or(0, |entry| entry.sort_time)
    }

    fn rechain(&mut self, id: LeaseId, old: Identity, new: Identity) {
        if let Some(uid) = &old.uid {
            self.chains.remove_uid(&mut self.entries, id.0, uid);
        }
        if let Some(hardware) = old.hardware {
            self.chains.remove_hardware(&mut self.entries, id.0, hardware);
        }
        self.chain(id, new);
    }

    pub(super) fn chain(&mut self, id: LeaseId, new: Identity) {
        if let Some(uid) = &new.uid {
            self.chains.add_uid(&mut self.entries, id.0, uid);
        }
        if let Some(hardware) = new.hardware {
            self.chains.add_hardware(&mut self.entries, id.0, hardware);
        }
    }
}

// Billing.
impl LeaseDb {
    /// Declares the lease limit of a class that is not in the configuration (a spawned subclass), or changes one.
    pub fn limit(&mut self, class: ClassId, limit: u32) {
        self.billing.entry(class).or_default().limit = limit;
    }

    /// Leases billed to a class.
    pub fn billed(&self, class: ClassId) -> u32 {
        self.billing.get(&class).map_or(0, |billing| billing.consumed)
    }

    /// Bills a lease to a class. False, and nothing billed, when the class has no slot left.
    pub fn bill(&mut self, id: LeaseId, class: ClassId) -> bool {
        self.unbill(id);
        let billing = self.billing.entry(class).or_default();
        if billing.consumed >= billing.limit {
            return false;
        }
        billing.consumed += 1;
        self.entry_mut(id).lease.billing_class = Some(class);
        true
    }

    /// Ends the billing of a lease, if any.
    pub fn unbill(&mut self, id: LeaseId) {
        let class = self.entries.get_mut(id.0 as usize).and_then(|e| e.as_mut()?.lease.billing_class.take());
        if let Some(billing) = class.and_then(|class| self.billing.get_mut(&class)) {
            billing.consumed = billing.consumed.saturating_sub(1);
        }
    }
}

// Time.
impl LeaseDb {
    /// What the failover layer says about a pool's peer; `None` for a pool without one. From the start a pool with a
    /// peer has a standing: neither normal nor partner-down.
    pub fn set_standing(&mut self, pool: PoolId, standing: Option<Standing>) {
        if let Some(state) = self.pools.get_mut(pool.index()) {
            state.standing = standing;
        }
    }

    /// As set by [`LeaseDb::set_standing`].
    pub fn standing(&self, pool: PoolId) -> Option<Standing> {
        self.pools.get(pool.index())?.standing
    }

    /// When the earliest pool timer fires.
    pub fn next_timer(&self) -> Option<Seconds> {
        self.timers.first_key_value().map(|(&(time, _), _)| time)
    }

    /// When the timer of a pool fires.
    pub fn next_event(&self, pool: PoolId) -> Option<Seconds> {
        Some(self.pools.get(pool.index())?.timer?.0)
    }

    /// The next lease whose time has come in any pool whose timer fired. Call until `None`; each time run the
    /// [`LeaseDb::ending`], [`LeaseDb::settle`] and write it.
    pub fn due(&mut self, now: Seconds) -> Option<LeaseId> {
        loop {
            let (&(time, _), &pool) = self.timers.first_key_value()?;
            if time > now {
                return None;
            }
            // `due_in` re-arms the timer for later when nothing is due any more.
            if let Some(id) = self.due_in(pool, now) {
                return Some(id);
            }
        }
    }

    /// The next lease of a pool whose time has come (`pool_timer`): queue by queue, oldest first. When there is none
    /// the pool's timer is set to the next event.
    pub fn due_in(&mut self, pool: PoolId, now: Seconds) -> Option<LeaseId> {
        let standing = self.standing(pool);
        let skipped = |queue| match standing {
            Some(s) if s.partner_down.is_none() => match queue {
                // The secondary leaves expiry to its peer while both are well.
                Queue::Active => s.role == Role::Secondary && s.normal,
                Queue::Expired => true,
                _ => false,
            },
            _ => false,
        };
        for queue in Queue::ALL.into_iter().filter(|&queue| !skipped(queue)) {
            if self.pools.get(pool.index())?.pending[queue as usize] == 0 {
                continue;
            }
            let due = self.queue(pool, queue).take_while(|id| self.sort_time(id.0) <= now);
            let found = due
                .into_iter()
                .find(|&id| self.entry(id).is_some_and(|e| e.lease.state != e.lease.next_state));
            if let Some(id) = found {
                self.rewind(id, standing);
                return Some(id);
            }
        }
        let state = self.pools.get(pool.index())?;
        let next = Queue::ALL.into_iter().filter(|&queue| !skipped(queue));
        let next = next.filter_map(|queue| state.lists[queue as usize].first_after(now)).min();
        self.arm(pool, next.filter(|&time| time < NEVER));
        None
    }

    /// Is the lease's time already past with a transition pending? Then dhcpd expires its pool at once.
    pub fn overdue(&self, id: LeaseId, now: Seconds) -> bool {
        self.entry(id).is_some_and(|e| e.sort_time < now && e.lease.state != e.lease.next_state)
    }

    /// Out of touch with the peer, an expiring lease of ours goes straight back to the state the peer knows.
    fn rewind(&mut self, id: LeaseId, standing: Option<Standing>) {
        let Some(standing) = standing.filter(|s| s.not_cooperating) else { return };
        let lease = &mut self.entry_mut(id).lease;
        let ours = matches!(
            (standing.role, lease.rewind_state),
            (Role::Primary, BindingState::Free) | (Role::Secondary, BindingState::Backup)
        );
        if lease.next_state == BindingState::Expired && ours {
            lease.next_state = lease.rewind_state;
        }
    }

    fn arm(&mut self, pool: PoolId, time: Option<Seconds>) {
        let Some(state) = self.pools.get_mut(pool.index()) else { return };
        if let Some(key) = state.timer.take() {
            self.timers.remove(&key);
        }
        if let Some(time) = time {
            self.armed += 1;
            state.timer = Some((time, self.armed));
            self.timers.insert((time, self.armed), pool);
        }
    }
}

/// What is known of a pool's peer before the failover layer speaks.
fn first_standing(config: &Config, pool: &Pool) -> Option<Standing> {
    let peer = config.failover_peers.get(pool.failover_peer?.index())?;
    let role = if peer.primary { Role::Primary } else { Role::Secondary };
    Some(Standing { role, normal: false, not_cooperating: false, partner_down: None })
}

/// The parts of a range that no earlier range covers.
fn uncovered(covered: &BTreeMap<u32, Run>, first: u32, last: u32) -> Vec<(u32, u32)> {
    let mut parts = Vec::new();
    let mut at = Some(first);
    let from = covered.range(..=first).next_back().map_or(first, |(&start, _)| start);
    for run in covered.range(from..=last).map(|(_, run)| run) {
        let Some(start) = at else { break };
        if start < run.first {
            parts.push((start, run.first - 1));
        }
        if start <= run.last {
            at = run.last.checked_add(1);
        }
    }
    if let Some(start) = at.filter(|&start| start <= last) {
        parts.push((start, last));
    }
    parts
}

impl Entry {
    pub fn new(lease: Lease, queue: Option<Queue>) -> Self {
        let sort_time = lease.ends;
        let pending = lease.state != lease.next_state;
        Self { lease, sort_time, queue, pending, next_uid: NIL, next_hardware: NIL }
    }
}
