//! The text of the lease file as the engine asks for it: an entry, the whole file, and reading it at start-up.
//!
//! What the `lease` layer must be told about classes and statements comes from here.

use super::turn::Core;
use crate::config::Config;
use crate::config::network::ClassId;
use crate::eval::classes::Spawned;
use crate::lease::{
    ClassName, Lease, LeaseDb, LeaseId, OtherBlock, Others, Rewrite, Sink, Words, read, write_lease,
};
use crate::log::Line;
use crate::time::Seconds;

/// Names for what leases refer to.
struct Names<'a> {
    config: &'a Config,
    spawned: &'a Spawned,
}

impl Words for Names<'_> {
    fn config(&self) -> &Config {
        self.config
    }

    fn class(&self, class: ClassId) -> Option<ClassName> {
        let declared = self.spawned.declaration(self.config, class)?;
        let value = self.spawned.value(self.config, class).map(|value| value.to_vec());
        Some(ClassName { name: declared.name.as_bytes().to_vec(), value })
    }
}

/// One lease, to be appended to the file.
pub(super) fn entry(core: &Core, id: LeaseId, now: Seconds, lines: &mut Vec<Line>) -> Vec<u8> {
    let names = Names { config: &core.config, spawned: &core.memory.spawned };
    let mut text = Vec::with_capacity(512);
    write_lease(&mut text, &core.leases.lease(id), now, &names, lines);
    text
}

/// The whole file, and the lines about it.
pub(super) fn file(core: &Core, now: Seconds, lines: &mut Vec<Line>) -> Vec<u8> {
    let names = Names { config: &core.config, spawned: &core.memory.spawned };
    let mut rewrite = Rewrite::new(&core.leases);
    let mut text = Vec::new();
    while let Some(chunk) = rewrite.next_chunk(&core.leases, &core.others, now, &names) {
        text.extend_from_slice(&chunk);
    }
    lines.extend(rewrite.take_lines());
    text
}

/// Reads a lease file into a database that was not started yet.
pub(super) fn load(
    leases: &mut LeaseDb,
    others: &mut Others,
    config: &Config,
    file_name: &str,
    text: &[u8],
    now: Seconds,
    lines: &mut Vec<Line>,
) {
    read(text, file_name.as_bytes(), config, now, &mut Loader { leases, others, lines });
}

struct Loader<'a> {
    leases: &'a mut LeaseDb,
    others: &'a mut Others,
    lines: &'a mut Vec<Line>,
}

impl Sink for Loader<'_> {
    fn lease(&mut self, lease: Lease) -> Option<Line> {
        self.leases.enter(lease).err()
    }

    fn other(&mut self, block: OtherBlock) {
        self.others.add(block);
    }

    fn line(&mut self, line: Line) {
        self.lines.push(line);
    }
}
