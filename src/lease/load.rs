//! From a lease file to a database: what [`super::read`] finds, entered.

use super::reader::Sink;
use super::writer::Others;
use super::{Lease, LeaseDb, OtherBlock};
use crate::config::Config;
use crate::config::tree::{Block, Events};
use crate::log::Line;
use crate::time::Seconds;

/// Types the statements of an `on` block; see [`Sink::handler`].
pub type TypeHandler<'h> = dyn FnMut(Events, &[u8]) -> Result<Option<Block>, Vec<Line>> + 'h;

/// Reads a lease file into a database that was not started yet. `file` is the name messages give it. Returns the log
/// lines in order.
pub fn load(
    source: &[u8],
    file: &[u8],
    config: &Config,
    now: Seconds,
    db: &mut LeaseDb,
    others: &mut Others,
    handler: &mut TypeHandler<'_>,
) -> Vec<Line> {
    let mut loader = Loader { db, others, handler, lines: Vec::new() };
    super::read(source, file, config, now, &mut loader);
    loader.lines
}

struct Loader<'a, 'h> {
    db: &'a mut LeaseDb,
    others: &'a mut Others,
    handler: &'a mut TypeHandler<'h>,
    lines: Vec<Line>,
}

impl Sink for Loader<'_, '_> {
    fn lease(&mut self, lease: Lease) -> Option<Line> {
        self.db.enter(lease).err()
    }

    fn other(&mut self, block: OtherBlock) {
        self.others.add(block);
    }

    fn line(&mut self, line: Line) {
        self.lines.push(line);
    }

    fn handler(&mut self, events: Events, body: &[u8]) -> Result<Option<Block>, Vec<Line>> {
        (self.handler)(events, body)
    }
}
