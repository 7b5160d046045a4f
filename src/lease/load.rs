//! From a lease file to a database: what [`super::read`] finds, entered.

use super::reader::Sink;
use super::{Lease, LeaseDb, OtherBlock, Others};
use crate::config::Config;
use crate::config::lease_file::{Declaration, LeaseFileDeclarations};
use crate::config::network::ClassId;
use crate::config::tree::{Block, Events};
use crate::config::words::Declared;
use crate::eval::classes::Spawned;
use crate::log::Line;
use crate::log::echo::Echo;
use crate::options::Octets;
use crate::time::Seconds;
use std::sync::Arc;

/// Types the statements of an `on` block by a configuration; see [`Sink::handler`].
pub type TypeHandler<'h> = dyn FnMut(&Config, Events, &[u8]) -> Result<Option<Block>, Vec<Vec<u8>>> + 'h;

/// What a lease file is read into.
pub struct Loading<'a> {
    /// The configuration, to which the declarations of the file are added.
    pub config: &'a mut Arc<Config>,
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
        now: Seconds,
        handler: &mut TypeHandler<'_>,
    ) -> Vec<Line> {
        let config = Arc::clone(self.config);
        let mut loader = Loader { into: self, file, source, declared: None, handler, lines: Vec::new() };
        super::read(source, file, &config, now, &mut loader);
        let Loader { declared, lines, .. } = loader;
        if let Some(declared) = declared {
            let grown = declared.finish();
            for (at, class) in grown.classes.iter().enumerate() {
                // As many as statements: fits.
                self.db.limit(ClassId(at as u32), class.lease_limit.unwrap_or(0));
            }
            *self.config = Arc::new(grown);
        }
        lines
    }
}

struct Loader<'l, 'a, 'h> {
    into: &'l mut Loading<'a>,
    file: &'l [u8],
    source: &'l [u8],
    /// From the first declaration on.
    declared: Option<LeaseFileDeclarations>,
    handler: &'l mut TypeHandler<'h>,
    lines: Vec<Line>,
}

impl Loader<'_, '_, '_> {
    fn declarations(&mut self) -> &mut LeaseFileDeclarations {
        let Self { into, file, source, declared, .. } = self;
        declared.get_or_insert_with(|| LeaseFileDeclarations::new(into.config, file, source))
    }

    /// With what was declared so far.
    fn config(&self) -> &Config {
        self.declared.as_ref().map_or(self.into.config, LeaseFileDeclarations::config)
    }
}

impl Sink for Loader<'_, '_, '_> {
    fn lease(&mut self, lease: Lease) -> Option<Line> {
        if lease.uid.as_ref().is_some_and(|uid| uid.is_empty()) {
            // dhcpd's hash table cannot tell how long such a key is (ISC `omapip/hash.c:find_length`).
            self.lines.push(Line::debug("Unexpected hash function at hash.c:46."));
        }
        self.into.db.enter(lease).err()
    }

    fn class(&mut self, _: &Config, name: &[u8]) -> Option<ClassId> {
        let config = self.config();
        let named = |id: &ClassId| config.classes.get(id.index()).is_some_and(|c| c.name.as_bytes() == name);
        config.class_order.iter().copied().find(named)
    }

    fn subclass(&mut self, _: &Config, superclass: ClassId, value: &[u8]) -> Option<ClassId> {
        let octets = Octets::new(value);
        let declared = self.config().classes.get(superclass.index())?;
        if let Some(&known) = declared.subclasses.get(&octets) {
            return Some(known);
        }
        let limit = declared.lease_limit.unwrap_or(0);
        if !declared.spawning {
            return self.declarations().subclass(superclass, value);
        }
        let class = self.into.spawned.subclass_for(superclass, &octets);
        self.into.db.limit(class, limit);
        Some(class)
    }

    fn declaration(
        &mut self,
        declaration: Declaration,
        keyword: usize,
        at: usize,
        echo: &Echo<&[u8]>,
    ) -> Option<Declared> {
        self.declarations().read(declaration, keyword, at, echo)
    }

    fn explain(&mut self, at: usize, echo: &Echo<&[u8]>) -> Option<Declared> {
        self.declarations().handler(at, echo)
    }

    fn other(&mut self, block: OtherBlock) {
        self.into.others.add(block);
    }

    fn line(&mut self, line: Line) {
        self.lines.push(line);
    }

    fn handler(&mut self, events: Events, body: &[u8]) -> Result<Option<Block>, Vec<Vec<u8>>> {
        let config = self.declared.as_ref().map_or(&**self.into.config, LeaseFileDeclarations::config);
        (self.handler)(config, events, body)
    }
}
