//! Start-up of the lease database: read the lease file, expire what is due, write the file anew.
//!
//! Mirrors ISC `server/db.c:db_startup` and `server/mdb.c:expire_all_pools`.

use super::turn::{Core, Turn};
use super::{CommitId, Effect, lease_text};
use crate::config::Config;
use crate::eval::Environment;
use crate::lease::LeaseDb;
use crate::log::Line;
use crate::time::Now;
use std::sync::Arc;

/// The commit reported back for the rewrite of start-up; the engine's own commits start above it.
pub const STARTUP_COMMIT: CommitId = CommitId(0);

/// Configuration and leases, ready to serve.
#[derive(Debug)]
pub struct Database {
    core: Core,
}

impl Database {
    pub(super) fn into_core(self) -> Core {
        self.core
    }

    /// `server-duid`, as the lease file has it.
    pub fn server_duid(&self) -> Option<&[u8]> {
        self.core.others.server_duid.as_deref()
    }

    /// The leases.
    pub fn leases(&self) -> &LeaseDb {
        &self.core.leases
    }
}

/// Reads the lease file's text and brings the database up to date.
///
/// `file_name` is what parse errors name. Effects, in order: the lines of reading; the expiry of what is due
/// ([`Effect::Write`] to the old file, never synced, and what `on expiry` logs); [`Effect::Rewrite`] with
/// [`STARTUP_COMMIT`]; the `Wrote ...` lines. With `-T` the writes go nowhere and the rewrite is only tried. An
/// [`Effect::Fatal`] ends the server.
pub fn open_database(
    config: &Arc<Config>,
    file_name: &str,
    text: &[u8],
    now: Now,
    environment: &mut dyn Environment,
    effects: &mut Vec<Effect>,
) -> Database {
    let leases = match LeaseDb::new(config) {
        Ok(leases) => leases,
        Err(error) => {
            effects.push(Effect::Fatal(Line::error(error.to_string())));
            return Database { core: Core::new(Arc::clone(config), LeaseDb::default()) };
        }
    };
    let mut core = Core::new(Arc::clone(config), leases);
    let lines = lease_text::load(&mut core, file_name, text, now.wall);
    effects.extend(lines.into_iter().map(Effect::Log));
    core.leases.start();
    let mut turn = Turn { core: &mut core, now, environment, effects };
    turn.expire_at_startup();
    turn.rewrite_at_startup(STARTUP_COMMIT);
    Database { core }
}

impl Turn<'_> {
    fn expire_at_startup(&mut self) {
        for pool in self.core.leases.pool_order().to_vec() {
            while let Some(id) = self.core.leases.due_in(pool, self.now.wall) {
                self.settle(id, true);
                self.write_lease(id);
                if self.is_over() {
                    return;
                }
            }
            self.core.leases.recount(pool, self.now.wall);
        }
    }
}
