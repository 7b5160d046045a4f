//! `lease limit`: billing a lease to one of the client's classes.
//!
//! Mirrors the billing part of ISC `server/dhcp.c:ack_lease`, and `server/class.c:bill_class`.

use super::ack::{Granting, Work};
use super::reply::Answer;
use super::turn::Turn;
use crate::lease::BindingState;

impl Turn<'_> {
    /// Bills the lease. False, with a line, when all limits are reached. Fixed addresses are never billed.
    pub(super) fn bill_lease(&mut self, work: &mut Work, granting: &Granting) -> bool {
        let Some(id) = work.grant.id else { return true };
        let active = work.grant.lease.state == BindingState::Active;
        if let Some(class) = work.grant.lease.billing_class
            && !work.incoming.classes.contains(&class)
        {
            self.core.leases.unbill(id);
            work.grant.lease.billing_class = None;
            if active {
                work.grant.lease.cannot_reuse = true;
            }
        }
        if work.grant.lease.billing_class.is_some() {
            return true;
        }
        let mut last = None;
        let mut billed = None;
        for &class in &work.incoming.classes {
            let declared = self.core.memory.spawned.declaration(&self.core.config, class);
            let Some(limit) = declared.and_then(|c| c.lease_limit).filter(|&limit| limit > 0) else {
                continue;
            };
            self.core.leases.limit(class, limit);
            if self.core.leases.bill(id, class) {
                billed = Some(class);
                break;
            }
            last = Some(class);
        }
        match (billed, last) {
            (Some(class), _) => {
                // An offer only tries whether there is room.
                let undo = granting.answer == Answer::Offer && !active;
                if undo {
                    self.core.leases.unbill(id);
                } else {
                    work.grant.lease.billing_class = Some(class);
                    work.grant.lease.cannot_reuse = true;
                }
                true
            }
            (None, Some(class)) => {
                let declared = self.core.memory.spawned.declaration(&self.core.config, class);
                let name = declared.map_or("", |c| &*c.name).to_owned();
                self.info(format!(
                    "{}: no available billing: lease limit reached in all matching classes (last: '{name}')",
                    granting.prefix
                ));
                false
            }
            (None, None) => true,
        }
    }
}
