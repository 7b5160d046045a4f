//! From a lease file to a database: what [`super::read`] finds, entered.

use super::reader::Sink;
use super::writer::Others;
use super::{Lease, LeaseDb, OtherBlock};
use crate::config::Config;
use crate::config::network::ClassId;
use crate::config::tree::{Block, Events};
use crate::eval::classes::Spawned;
use crate::log::Line;
use crate::options::Octets;
use crate::time::Seconds;

/// Types the statements of an `on` block; see [`Sink::handler`].
pub type TypeHandler<'h> = dyn FnMut(Events, &[u8]) -> Result<Option<Block>, Vec<Vec<u8>>> + 'h;

/// What a lease file is read into.
pub struct Loading<'a> {
    /// Takes the leases; not started yet.
    pub db: &'a mut LeaseDb,
    /// Takes everything else.
    pub others: &'a mut Others,
    /// Takes the subclasses leases are billed to.
    pub spawned: &'a mut Spawned,
}

impl Loading<'_> {
    /// Reads a lease file. `file` is the name messages give it. Returns the log lines in order.
    pub fn load(
        &mut self,
        source: &[u8],
        file: &[u8],
        config: &Config,
        now: Seconds,
        handler: &mut TypeHandler<'_>,
    ) -> Vec<Line> {
        let mut loader = Loader { into: self, handler, lines: Vec::new() };
        super::read(source, file, config, now, &mut loader);
        loader.lines
    }
}

struct Loader<'l, 'a, 'h> {
    into: &'l mut Loading<'a>,
    handler: &'l mut TypeHandler<'h>,
    lines: Vec<Line>,
}

impl Sink for Loader<'_, '_, '_> {
    fn lease(&mut self, lease: Lease) -> Option<Line> {
        self.into.db.enter(lease).err()
    }

    fn subclass(&mut self, config: &Config, superclass: ClassId, value: &[u8]) -> Option<ClassId> {
        let value = Octets::new(value);
        let declared = config.classes.get(superclass.index())?;
        if let Some(&known) = declared.subclasses.get(&value) {
            return Some(known);
        }
        let class = self.into.spawned.subclass_for(config, superclass, &value);
        self.into.db.limit(class, declared.lease_limit.unwrap_or(0));
        Some(class)
    }

    fn other(&mut self, block: OtherBlock) {
        self.into.others.add(block);
    }

    fn line(&mut self, line: Line) {
        self.lines.push(line);
    }

    fn handler(&mut self, events: Events, body: &[u8]) -> Result<Option<Block>, Vec<Vec<u8>>> {
        (self.handler)(events, body)
    }
}
