//! Which classes a packet is a member of, and what leases are billed to.
//!
//! Mirrors ISC `server/class.c`. The matching itself is in [`crate::eval::classes`], as expressions can ask for it.

use crate::config::Config;
use crate::config::network::ClassId;
use crate::eval::classes::{self, Spawned};
use crate::eval::{Context, Fatal};
use std::collections::HashMap;

/// Matches a packet against all classes, in order of declaration, before anything else is done with it. Members go to
/// [`Context::classes`].
///
/// The context has the packet, the global variables and no lease.
pub fn classify(context: &mut Context<'_>) -> Result<(), Fatal> {
    classes::check(context);
    context.fatal().map_or(Ok(()), Err)
}

/// How many leases are billed to each class that has a lease limit.
#[derive(Clone, Debug, Default)]
pub struct Billing {
    billed: HashMap<ClassId, u32>,
}

/// No class of the packet that has a lease limit has room.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no available billing: lease limit reached in all matching classes (last: '{last}')")]
pub struct LimitReached {
    /// The last class asked; of a subclass, the name of its class.
    pub last: String,
}

impl Billing {
    /// Bills a lease to the first of the packet's classes that has a lease limit and room. `None` if no class has a
    /// limit.
    pub fn bill_first(
        &mut self,
        members: &[ClassId],
        spawned: &Spawned,
        config: &Config,
    ) -> Result<Option<ClassId>, LimitReached> {
        let mut last = None;
        for &class in members {
            let Some(declaration) = spawned.declaration(config, class) else { continue };
            let Some(limit) = declaration.lease_limit.filter(|&limit| limit > 0) else { continue };
            if self.bill(class, limit) {
                return Ok(Some(class));
            }
            last = Some(&declaration.name);
        }
        last.map_or(Ok(None), |last| Err(LimitReached { last: last.to_string() }))
    }

    /// Bills one lease to a class (when the lease file says so, too); false if its limit is reached.
    pub fn bill(&mut self, class: ClassId, limit: u32) -> bool {
        let billed = self.billed.entry(class).or_default();
        let room = *billed < limit;
        if room {
            *billed += 1;
        }
        room
    }

    /// Takes the bill for one lease back. False if nothing was billed; dhcpd logs `lease %s unbilled with no billing
    /// arrangement.` then.
    pub fn unbill(&mut self, class: ClassId) -> bool {
        match self.billed.get_mut(&class) {
            Some(billed @ 1..) => {
                *billed -= 1;
                true
            }
            _ => false,
        }
    }

    /// How many leases are billed to a class.
    pub fn billed(&self, class: ClassId) -> u32 {
        self.billed.get(&class).copied().unwrap_or(0)
    }
}

/// Whether any class has a lease limit, without which nothing is billed.
pub fn any_lease_limit(config: &Config) -> bool {
    config.classes.iter().any(|class| class.lease_limit.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Family, build};
    use crate::options::Octets;
    use crate::syntax::{LoadError, parse};

    #[test]
    fn leases_are_billed_to_the_first_class_with_room() {
        let text = br#"
class "plain" { match if known; }
class "small" { match if known; lease limit 1; }
class "each" { spawn with hardware; lease limit 2; }
"#;
        let mut loader = |_: &[u8]| Err(LoadError { errno: None, message: String::new() });
        let config = build(&parse(b"t", text.to_vec(), &mut loader), Family::V4).config;
        assert!(any_lease_limit(&config));
        let mut spawned = Spawned::default();
        let (plain, small, each) = (config.class_order[0], config.class_order[1], config.class_order[2]);
        let mine = spawned.subclass_for(each, &Octets::new(b"mine"));
        let yours = spawned.subclass_for(each, &Octets::new(b"yours"));
        assert_eq!(spawned.subclass_for(each, &Octets::new(b"mine")), mine);
        let mut billing = Billing::default();
        let members = [plain, small, mine];
        let mut bill = |members: &[ClassId]| billing.bill_first(members, &spawned, &config);
        assert_eq!(bill(&[plain]), Ok(None));
        assert_eq!(bill(&members), Ok(Some(small)));
        assert_eq!(bill(&members), Ok(Some(mine)));
        assert_eq!(bill(&members), Ok(Some(mine)));
        let full = bill(&members).unwrap_err();
        assert_eq!(
            full.to_string(),
            "no available billing: lease limit reached in all matching classes (last: 'each')"
        );
        assert_eq!(bill(&[yours]), Ok(Some(yours)), "each subclass has a limit of its own");
        assert!(billing.unbill(small));
        assert!(!billing.unbill(small));
        assert_eq!(billing.billed(mine), 2);
        assert_eq!(billing.bill_first(&members, &spawned, &config), Ok(Some(small)));
    }
}
