//! The per-state queues of a pool: doubly linked lists through an array, ordered by sort time.
//!
//! Mirrors ISC `server/mdb.c:lease_insert`: a lease goes in front of the first element whose sort time is not smaller,
//! so in front of its equals. Where dhcpd walks the list, a map from sort time to the first element of that time finds
//! the place in O(log n) of the number of different times.

use super::BindingState;
use crate::time::Seconds;
use std::collections::BTreeMap;

/// The queues of a pool, in the order in which dhcpd visits and writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Queue {
    /// Free and not reserved.
    Free,
    /// Active.
    Active,
    /// Expired, released and reset.
    Expired,
    /// Abandoned.
    Abandoned,
    /// Free for the failover secondary, not reserved.
    Backup,
    /// Free or backup, and `reserved`.
    Reserved,
}

impl Queue {
    /// All queues in dhcpd's order.
    pub const ALL: [Queue; 6] =
        [Queue::Free, Queue::Active, Queue::Expired, Queue::Abandoned, Queue::Backup, Queue::Reserved];

    /// Where a lease belongs.
    pub fn of(state: BindingState, reserved: bool) -> Self {
        match state {
            BindingState::Free | BindingState::Backup if reserved => Self::Reserved,
            BindingState::Free => Self::Free,
            BindingState::Active => Self::Active,
            BindingState::Expired | BindingState::Released | BindingState::Reset => Self::Expired,
            BindingState::Abandoned => Self::Abandoned,
            BindingState::Backup => Self::Backup,
        }
    }
}

/// No element.
pub(super) const NIL: u32 = u32::MAX;

/// An element's neighbours in whatever queue it is on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Links {
    pub prev: u32,
    pub next: u32,
}

impl Links {
    pub const NONE: Links = Links { prev: NIL, next: NIL };
}

/// One queue. Elements are indices into the array of links that is passed to every call; an element is on one queue
/// at most.
#[derive(Clone, Debug)]
pub(super) struct List {
    head: u32,
    tail: u32,
    len: usize,
    /// First element of each sort time.
    groups: BTreeMap<Seconds, u32>,
}

impl Default for List {
    fn default() -> Self {
        Self { head: NIL, tail: NIL, len: 0, groups: BTreeMap::new() }
    }
}

impl List {
    /// First element, or [`NIL`].
    pub fn head(&self) -> u32 {
        self.head
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// First element whose sort time is later than `time`, or [`NIL`].
    pub fn head_after(&self, time: Seconds) -> u32 {
        self.groups.range(time.saturating_add(1)..).next().map_or(NIL, |(_, &head)| head)
    }

    /// The smallest sort time later than `now`.
    pub fn first_after(&self, now: Seconds) -> Option<Seconds> {
        self.groups.range(now.saturating_add(1)..).next().map(|(&time, _)| time)
    }

    /// Puts an element in front of the first one whose sort time is not smaller.
    pub fn insert(&mut self, links: &mut [Links], id: u32, time: Seconds) {
        let next = self.groups.range(time..).next().map_or(NIL, |(_, &head)| head);
        self.groups.insert(time, id);
        let prev = if next == NIL { self.tail } else { links[next as usize].prev };
        self.link(links, id, prev, next);
    }

    /// Puts an element right behind `after`, which is on this queue and has the same sort time.
    pub fn insert_behind(&mut self, links: &mut [Links], id: u32, after: u32) {
        let next = links[after as usize].next;
        self.link(links, id, after, next);
    }

    /// Takes an element off. `time` is its sort time, `next_time` that of the element behind it, if any.
    pub fn remove(&mut self, links: &mut [Links], id: u32, time: Seconds, next_time: Option<Seconds>) {
        let Links { prev, next } = links[id as usize];
        if self.groups.get(&time) == Some(&id) {
            if next_time == Some(time) {
                self.groups.insert(time, next);
            } else {
                self.groups.remove(&time);
            }
        }
        match prev {
            NIL => self.head = next,
            _ => links[prev as usize].next = next,
        }
        match next {
            NIL => self.tail = prev,
            _ => links[next as usize].prev = prev,
        }
        links[id as usize] = Links::NONE;
        self.len -= 1;
    }

    fn link(&mut self, links: &mut [Links], id: u32, prev: u32, next: u32) {
        links[id as usize] = Links { prev, next };
        match prev {
            NIL => self.head = id,
            _ => links[prev as usize].next = id,
        }
        match next {
            NIL => self.tail = id,
            _ => links[next as usize].prev = id,
        }
        self.len += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn order(list: &List, links: &[Links]) -> Vec<u32> {
        let mut order = Vec::new();
        let mut at = list.head();
        while at != NIL {
            order.push(at);
            at = links[at as usize].next;
        }
        order
    }

    #[test]
    fn goes_in_front_of_equals() {
        let mut links = vec![Links::NONE; 4];
        let mut list = List::default();
        for (id, time) in [(0, 5), (1, 5), (2, 7), (3, 4)] {
            list.insert(&mut links, id, time);
        }
        assert_eq!(order(&list, &links), [3, 1, 0, 2]);
        assert_eq!(list.first_after(4), Some(5));
        assert_eq!(list.first_after(7), None);
    }

    proptest! {
        /// Against the plain list walk of dhcpd.
        #[test]
        fn equals_a_walked_list(steps in proptest::collection::vec((0u32..24, 0i64..6), 0..200)) {
            let mut links = vec![Links::NONE; 24];
            let mut times = [None; 24];
            let mut list = List::default();
            let mut model: Vec<(u32, i64)> = Vec::new();
            for (id, time) in steps {
                if let Some(old) = times[id as usize].take() {
                    let next = links[id as usize].next;
                    let next_time = (next != NIL).then(|| times[next as usize]).flatten();
                    list.remove(&mut links, id, old, next_time);
                    model.retain(|&(m, _)| m != id);
                } else {
                    times[id as usize] = Some(time);
                    list.insert(&mut links, id, time);
                    let at = model.iter().position(|&(_, t)| t >= time).unwrap_or(model.len());
                    model.insert(at, (id, time));
                }
                prop_assert_eq!(order(&list, &links), model.iter().map(|&(id, _)| id).collect::<Vec<_>>());
                prop_assert_eq!(list.len(), model.len());
            }
        }
    }
}
