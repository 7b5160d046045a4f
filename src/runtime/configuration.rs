//! Reading the configuration, and running its root scope.
//!
//! Mirrors ISC `server/confpars.c:readconf` and the part of `server/dhcpd.c:main` that follows it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use super::fatal::Fatal;
use super::settings::path_octets;
use super::sys;
use crate::check;
use crate::config::build::failover_sanity;
use crate::config::{self, Built, Config, Family};
use crate::eval::bindings::Bindings;
use crate::eval::{Environment, Memory};
use crate::log::Line;
use crate::server::globals::{CommandLine, Globals, read_globals};
use crate::syntax::{LoadError, SourceMap};
use crate::time::Now;

/// A configuration that dhcpd accepts, and the outcome of running its root scope.
pub struct Loaded {
    /// The typed configuration.
    pub config: Arc<Config>,
    /// Global variables.
    pub bindings: Bindings,
    /// What evaluation remembers.
    pub memory: Memory,
    /// The parameters that are read once.
    pub globals: Globals,
    /// What has a meaning that is not served yet.
    pub unsupported: Vec<String>,
}

/// Reads and builds the configuration at `path`, accepted or not.
///
/// # Errors
/// When the file cannot be read.
pub fn read(path: &Path, family: Family) -> Result<(SourceMap, Built), Fatal> {
    let octets = read_file(path_octets(path)).map_err(|error| {
        // A directory can be opened, and then cannot be read.
        let cannot: &[u8] =
            if error.errno == Some(libc::EISDIR) { b"Can't read in " } else { b"Can't open " };
        Fatal::new([cannot, path_octets(path), format!(": {error}").as_bytes()].concat())
    })?;
    Ok(config::read(path_octets(path), octets, &mut read_file, family))
}

/// Reads the configuration and runs its root scope. What is logged on the way is pushed to `lines`.
///
/// # Errors
/// When dhcpd refuses it.
pub fn load(
    path: &Path,
    command_line: &CommandLine,
    now: Now,
    environment: &mut dyn Environment,
    lines: &mut Vec<Line>,
) -> Result<Loaded, Fatal> {
    let (source_map, built) = read(path, command_line.family)?;
    if !built.accepted() {
        let (said, last) = check::isc::refusal(&source_map, &built, command_line.family, &mut read_file);
        lines.extend(said);
        return Err(Fatal::new(last.text));
    }
    lines.extend(check::isc::report(&source_map, &built));
    let unsupported = built.unsupported.iter().map(|it| check::isc::place(&source_map, it)).collect();
    let config = Arc::new(built.config);
    let (mut bindings, mut memory) = (Bindings::default(), Memory::default());
    let globals = read_globals(&config, command_line, now, &mut bindings, &mut memory, environment, lines)
        .map_err(|fatal| Fatal::new(fatal.0.text))?;
    Ok(Loaded { config, bindings, memory, globals, unsupported })
}

/// What dhcpd says about failover peers once the configuration was read.
///
/// # Errors
/// A peer that no pool refers to.
pub fn check_failover(config: &Config, lines: &mut Vec<Line>) -> Result<(), Fatal> {
    let (mut said, failed) = failover_sanity(config);
    let last = if failed { said.pop() } else { None };
    lines.append(&mut said);
    last.map_or(Ok(()), |line| Err(Fatal::new(line.text)))
}

/// Reads a file that the configuration names; a relative name is relative to the working directory.
///
/// # Errors
/// What the system says.
pub fn read_file(name: &[u8]) -> Result<Vec<u8>, LoadError> {
    std::fs::read(OsStr::from_bytes(name))
        .map_err(|error| LoadError { errno: error.raw_os_error(), message: sys::percent_m(&error) })
}
