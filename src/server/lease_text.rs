//! The text of the lease file as the engine asks for it: an entry, the whole file, and reading it at start-up.
//!
//! What the `lease` layer must be told about classes and statements comes from here.

use super::turn::Core;
use crate::config::Config;
use crate::eval::Environment;
use crate::eval::classes::Spawned;
use crate::lease::{LeaseId, Loading, Rewrite, Words, typed_handlers, write_lease};
use crate::log::Line;
use crate::time::Seconds;
use std::sync::Arc;

/// Names and words for what leases refer to.
struct Names<'a> {
    config: &'a Config,
    spawned: &'a Spawned,
    environment: &'a dyn Environment,
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
}

/// One lease, to be appended to the file.
pub(super) fn entry(
    core: &Core,
    id: LeaseId,
    now: Seconds,
    environment: &dyn Environment,
    lines: &mut Vec<Line>,
) -> Vec<u8> {
    let names = Names { config: &core.config, spawned: &core.memory.spawned, environment };
    let mut text = Vec::with_capacity(512);
    write_lease(&mut text, &core.leases.lease(id), now, &names, lines);
    text
}

/// The whole file, and the lines about it.
pub(super) fn file(
    core: &Core,
    now: Seconds,
    environment: &dyn Environment,
    lines: &mut Vec<Line>,
) -> Vec<u8> {
    let names = Names { config: &core.config, spawned: &core.memory.spawned, environment };
    let mut rewrite = Rewrite::new(&core.leases);
    let mut text = Vec::new();
    while let Some(chunk) = rewrite.next_chunk(&core.leases, &core.others, now, &names) {
        text.extend_from_slice(&chunk);
    }
    lines.extend(rewrite.take_lines());
    text
}

/// Reads a lease file into a database that was not started yet. The lines are dhcpd's.
pub(super) fn load(core: &mut Core, file_name: &str, text: &[u8], now: Seconds) -> Vec<Line> {
    let config = Arc::clone(&core.config);
    let mut loading =
        Loading { db: &mut core.leases, others: &mut core.others, spawned: &mut core.memory.spawned };
    loading.load(text, file_name.as_bytes(), &config, now, &mut *typed_handlers(&config))
}
