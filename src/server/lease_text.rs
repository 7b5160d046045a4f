//! The text of the lease file as the engine asks for it: an entry, the whole file in pieces, and reading it at start-up.
//!
//! What the `lease` layer must be told about classes, hosts and statements comes from here.

use super::turn::{Core, Turn};
use crate::config::Config;
use crate::config::network::{Host, HostId};
use crate::config::tree::Expr;
use crate::eval::Environment;
use crate::eval::classes::Spawned;
use crate::lease::{LeaseId, Loading, Piece, Rewrite, Words, is_worth_writing, typed_handlers, write_lease};
use crate::log::Line;
use crate::options::Octets;
use crate::time::Seconds;
use std::collections::HashMap;

/// The fixed addresses of hosts that name a name.
pub(super) type LookedUp = HashMap<HostId, Octets>;

/// Names and words for what leases refer to.
struct Names<'a> {
    config: &'a Config,
    spawned: &'a Spawned,
    environment: &'a dyn Environment,
    looked_up: Option<&'a LookedUp>,
}

impl Words for Names<'_> {
    fn config(&self) -> &Config {
        self.config
    }

    fn local_offset(&self, time: Seconds) -> Seconds {
        self.environment.local_offset(time)
    }

    fn spawned(&self) -> Option<&Spawned> {
        Some(self.spawned)
    }

    fn fixed_addresses(&self, id: HostId, host: &Host) -> Option<Octets> {
        match host.fixed_address.as_deref()? {
            Expr::Data(octets) => Some(octets.clone()),
            _ => self.looked_up?.get(&id).cloned(),
        }
    }
}

/// Some leases, to be appended to the file.
pub(super) fn entries(
    core: &Core,
    leases: &[LeaseId],
    now: Seconds,
    environment: &dyn Environment,
    lines: &mut Vec<Line>,
) -> Vec<u8> {
    let names = Names { config: &core.config, spawned: &core.memory.spawned, environment, looked_up: None };
    let mut text = Vec::with_capacity(512);
    for &id in leases {
        write_lease(&mut text, &core.leases.lease(id), now, &names, lines);
    }
    text
}

/// Those of some leases that a rewrite would write.
pub(super) fn worth_writing(core: &Core, mut leases: Vec<LeaseId>) -> Vec<LeaseId> {
    leases.retain(|&id| is_worth_writing(&core.leases.lease(id)));
    leases
}

/// The next piece of the whole file.
pub(super) fn piece(
    core: &mut Core,
    rewrite: &mut Rewrite,
    looked_up: &LookedUp,
    now: Seconds,
    environment: &dyn Environment,
) -> Piece {
    let Core { config, memory, leases, others, .. } = core;
    let names = Names { config, spawned: &memory.spawned, environment, looked_up: Some(looked_up) };
    rewrite.next_piece(leases, others, now, &names)
}

/// Reads a lease file into a database that was not started yet. The lines are dhcpd's.
pub(super) fn load(core: &mut Core, file_name: &str, text: &[u8], now: Seconds) -> Vec<Line> {
    let mut loading = Loading {
        config: &mut core.config,
        db: &mut core.leases,
        others: &mut core.others,
        spawned: &mut core.memory.spawned,
    };
    loading.load(text, file_name.as_bytes(), now, &mut *typed_handlers())
}

impl Turn<'_> {
    /// Looks up the names that hosts of the lease file have for addresses, as dhcpd does when it writes them.
    pub(super) fn look_up_hosts(&mut self) -> LookedUp {
        let named = |host: &Host| {
            host.dynamic
                && !host.deleted
                && host.fixed_address.as_deref().is_some_and(|address| !matches!(address, Expr::Data(_)))
        };
        let hosts = self.core.config.hosts.iter().enumerate().filter(|(_, host)| named(host));
        // As many as statements: fits.
        let hosts: Vec<HostId> = hosts.map(|(at, _)| HostId(at as u32)).collect();
        let mut found = LookedUp::new();
        for id in hosts {
            let addresses = self.fixed_addresses(id);
            if !addresses.is_empty() {
                let octets: Vec<u8> = addresses.iter().flat_map(|address| address.octets()).collect();
                found.insert(id, Octets::from(octets));
            }
        }
        found
    }
}
