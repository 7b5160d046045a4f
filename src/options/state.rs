//! The options collected for one packet or one reply, in dhcpd's order.
//!
//! dhcpd keeps them per space, most in a table of 17 hash buckets, and sends what no list orders in the order of that
//! table (ISC `common/options.c:save_hashed_option`, `save_linked_option`). [`OptionState`] keeps each space as one
//! sequence already in that order. It is generic over the value: octets for a received packet, an expression still to
//! be evaluated for a reply.

use super::space::{Keeping, OptionId, SpaceId, Spaces};

/// One option with its value.
#[derive(Clone, Debug)]
pub struct Entry<V> {
    /// The option, with the definition it was set under.
    pub option: OptionId,
    /// The value.
    pub value: V,
    /// Further values of a repeated option, in order (spaces that do not concatenate).
    pub more: Vec<V>,
}

/// The options collected for one packet, by space.
#[derive(Clone, Debug)]
pub struct OptionState<V> {
    spaces: Vec<SpaceOptions<V>>,
}

#[derive(Clone, Debug)]
struct SpaceOptions<V> {
    space: SpaceId,
    entries: Vec<Entry<V>>,
    /// The low codes that are set: most look-ups are for options that are not there.
    set: [u64; 4],
}

impl<V> SpaceOptions<V> {
    fn position(&self, code: u32) -> Option<usize> {
        match self.set.get(code as usize / 64) {
            Some(word) if word >> (code % 64) & 1 == 0 => None,
            _ => self.entries.iter().position(|entry| entry.option.code == code),
        }
    }

    fn mark(&mut self, code: u32, is_set: bool) {
        if let Some(word) = self.set.get_mut(code as usize / 64) {
            let bit = 1 << (code % 64);
            *word = if is_set { *word | bit } else { *word & !bit };
        }
    }

    fn clear(&mut self) {
        self.entries.clear();
        self.set = [0; 4];
    }
}

impl<V> Default for OptionState<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V> OptionState<V> {
    /// No options.
    pub const fn new() -> Self {
        Self { spaces: Vec::new() }
    }

    /// Forgets all options, keeping the memory for the next packet.
    pub fn clear(&mut self) {
        for space in &mut self.spaces {
            space.clear();
        }
    }

    /// Whether there is no option at all.
    pub fn is_empty(&self) -> bool {
        self.spaces.iter().all(|space| space.entries.is_empty())
    }

    /// The options of a space in dhcpd's order: buckets 0 to 16 and within a bucket the most recently first-set option
    /// first; in list order for `nwip`, `fqdn`, `isc` and `agent`.
    pub fn entries(&self, space: SpaceId) -> &[Entry<V>] {
        self.find(space).map_or(&[], |at| &self.spaces[at].entries)
    }

    /// The same as [`OptionState::entries`], for changing values.
    pub fn entries_mut(&mut self, space: SpaceId) -> &mut [Entry<V>] {
        match self.find(space) {
            Some(at) => &mut self.spaces[at].entries,
            None => &mut [],
        }
    }

    /// The option of that code.
    pub fn get(&self, space: SpaceId, code: u32) -> Option<&Entry<V>> {
        let space = self.spaces.get(self.find(space)?)?;
        space.entries.get(space.position(code)?)
    }

    /// The option of that code, for changing its value.
    pub fn get_mut(&mut self, space: SpaceId, code: u32) -> Option<&mut Entry<V>> {
        let found = self.find(space)?;
        let space = self.spaces.get_mut(found)?;
        let at = space.position(code)?;
        space.entries.get_mut(at)
    }

    /// The (first) value of the option of that code.
    pub fn value(&self, space: SpaceId, code: u32) -> Option<&V> {
        self.get(space, code).map(|entry| &entry.value)
    }

    /// Whether the option is set.
    pub fn contains(&self, space: SpaceId, code: u32) -> bool {
        self.get(space, code).is_some()
    }

    /// Sets an option: an existing one of the same code keeps its place and gets the new value and definition, a new
    /// one goes to the front of its bucket or to the end of its list (`supersede`).
    pub fn set(&mut self, spaces: &Spaces, option: OptionId, value: V) {
        let keeping = spaces.space(option.space).keeping;
        let here = self.space_options(option.space);
        let entry = Entry { option, value, more: Vec::new() };
        if let Some(old) = here.position(option.code).and_then(|at| here.entries.get_mut(at)) {
            *old = entry;
            return;
        }
        let at = match keeping {
            Keeping::Linked => here.entries.len(),
            Keeping::Hashed => {
                let bucket = bucket(option.code);
                here.entries.partition_point(|entry| self::bucket(entry.option.code) < bucket)
            }
        };
        here.entries.insert(at, entry);
        here.mark(option.code, true);
    }

    /// Sets an option unless it is set already (`default`).
    pub fn set_default(&mut self, spaces: &Spaces, option: OptionId, value: V) {
        if !self.contains(option.space, option.code) {
            self.set(spaces, option, value);
        }
    }

    /// Adds a value after those the option has already (a repeated option in a space that does not concatenate).
    pub fn push(&mut self, spaces: &Spaces, option: OptionId, value: V) {
        match self.get_mut(option.space, option.code) {
            Some(entry) => entry.more.push(value),
            None => self.set(spaces, option, value),
        }
    }

    /// Takes an option out.
    pub fn remove(&mut self, space: SpaceId, code: u32) -> Option<Entry<V>> {
        let found = self.find(space)?;
        let space = self.spaces.get_mut(found)?;
        let at = space.position(code)?;
        space.mark(code, false);
        Some(space.entries.remove(at))
    }

    /// Takes all options of a space out.
    pub fn remove_space(&mut self, space: SpaceId) {
        if let Some(at) = self.find(space) {
            self.spaces[at].clear();
        }
    }

    /// All options, space by space in order of creation.
    pub fn iter(&self) -> impl Iterator<Item = &Entry<V>> {
        self.spaces.iter().flat_map(|space| &space.entries)
    }

    fn find(&self, space: SpaceId) -> Option<usize> {
        self.spaces.iter().position(|s| s.space == space)
    }

    fn space_options(&mut self, space: SpaceId) -> &mut SpaceOptions<V> {
        let at = match self.spaces.binary_search_by_key(&space, |s| s.space) {
            Ok(at) => at,
            Err(at) => {
                self.spaces.insert(at, SpaceOptions { space, entries: Vec::new(), set: [0; 4] });
                at
            }
        };
        &mut self.spaces[at]
    }
}

/// The hash bucket of a code (ISC `includes/dhcpd.h:compute_option_hash`).
fn bucket(code: u32) -> u32 {
    ((code & 31) + ((code >> 5) & 31)) % 17
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(state: &OptionState<u32>, space: SpaceId) -> Vec<u32> {
        state.entries(space).iter().map(|entry| entry.option.code).collect()
    }

    #[test]
    fn hashed_spaces_keep_bucket_order_newest_first_and_linked_ones_list_order() {
        let spaces = Spaces::new();
        let mut state = OptionState::new();
        for code in [17, 2, 19, 66, 67] {
            state.set(&spaces, spaces.by_code(Spaces::DHCP, code), code);
            state.set(&spaces, spaces.by_code(Spaces::AGENT, code), code);
        }
        // 17 is bucket 0; 2, 19 bucket 2; 66 and 67 buckets 4 and 5.
        assert_eq!(codes(&state, Spaces::DHCP), [17, 19, 2, 66, 67]);
        assert_eq!(codes(&state, Spaces::AGENT), [17, 2, 19, 66, 67]);
        state.set(&spaces, spaces.by_code(Spaces::DHCP, 2), 200);
        assert_eq!(codes(&state, Spaces::DHCP), [17, 19, 2, 66, 67], "setting again keeps the place");
        assert_eq!(state.value(Spaces::DHCP, 2), Some(&200));
        state.set_default(&spaces, spaces.by_code(Spaces::DHCP, 2), 7);
        assert_eq!(state.value(Spaces::DHCP, 2), Some(&200));
        assert!(state.remove(Spaces::DHCP, 19).is_some());
        state.set(&spaces, spaces.by_code(Spaces::DHCP, 2), 1);
        assert_eq!(codes(&state, Spaces::DHCP), [17, 2, 66, 67]);
        state.push(&spaces, spaces.by_code(Spaces::AGENT, 17), 5);
        assert_eq!(state.get(Spaces::AGENT, 17).map(|entry| entry.more.clone()), Some(vec![5]));
        state.clear();
        assert!(state.is_empty());
    }

    /// The order a real server sent a configuration of these options in.
    #[test]
    fn hash_order_of_many_options() {
        let spaces = Spaces::new();
        let mut state = OptionState::new();
        let sent =
            [17, 19, 2, 66, 67, 130, 69, 7, 9, 119, 26, 40, 72, 28, 42, 74, 60, 61, 44, 200, 46, 77, 15, 250];
        // Any order of setting that puts 2 before 19 and so on gives the same: try the reverse.
        for code in sent.into_iter().rev() {
            state.set(&spaces, spaces.by_code(Spaces::DHCP, code), code);
        }
        assert_eq!(codes(&state, Spaces::DHCP), sent);
    }
}
