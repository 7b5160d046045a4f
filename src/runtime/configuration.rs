//! Reading the configuration, and what its root scope tells the runtime.
//!
//! Mirrors ISC `server/confpars.c:readconf` and `server/dhcpd.c:postconf_initialization`: the server parameters of the
//! root scope that are read once, in ISC's order, with ISC's messages.

use std::ffi::OsStr;
use std::net::Ipv4Addr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::args::Family;
use super::fatal::Fatal;
use super::settings::{Network, Paths, path_from_octets, path_octets};
use super::sys;
use crate::config::Config;
use crate::eval::Environment;
use crate::eval::bindings::Bindings;
use crate::log::Line;
use crate::server::engine::Settings;
use crate::syntax::LoadError;
use crate::time::Now;

/// A configuration that dhcpd accepts, and the outcome of running its root scope.
pub struct Loaded {
    /// The typed configuration.
    pub config: Arc<Config>,
    /// Global variables.
    pub globals: Bindings,
    /// The server parameters of the root scope.
    pub scope: Box<dyn RootScope>,
}

/// Reads the configuration at `path` and runs its root scope. What is logged on the way is pushed to `lines`.
///
/// # Errors
/// When dhcpd refuses it.
pub fn load(
    path: &Path,
    family: Family,
    now: Now,
    environment: &mut dyn Environment,
    lines: &mut Vec<Line>,
) -> Result<Loaded, Fatal> {
    let octets = read_file(path_octets(path)).map_err(|error| {
        // A directory can be opened, and then cannot be read.
        let cannot: &[u8] =
            if error.errno == Some(libc::EISDIR) { b"Can't read in " } else { b"Can't open " };
        Fatal::new([cannot, path_octets(path), format!(": {error}").as_bytes()].concat())
    })?;
    let _ = (octets, family, now, environment, lines);
    Ok(Loaded { config: Arc::new(empty()), globals: Bindings::default(), scope: Box::new(Unset) })
}

/// Reads a file that the configuration names; a relative name is relative to the working directory.
///
/// # Errors
/// What the system says.
pub fn read_file(name: &[u8]) -> Result<Vec<u8>, LoadError> {
    std::fs::read(OsStr::from_bytes(name))
        .map_err(|error| LoadError { errno: error.raw_os_error(), message: sys::percent_m(&error) })
}

/// A root scope that sets nothing.
struct Unset;

impl RootScope for Unset {
    fn value(&mut self, _: &str) -> Option<Vec<u8>> {
        None
    }
}

fn empty() -> Config {
    Config {
        spaces: crate::options::Spaces::new(),
        scopes: Vec::new(),
        shared_networks: Vec::new(),
        subnets: Vec::new(),
        subnet_index: Default::default(),
        pools: Vec::new(),
        hosts: Vec::new(),
        host_index: Default::default(),
        groups: Vec::new(),
        classes: Vec::new(),
        class_order: Vec::new(),
        failover_peers: Vec::new(),
        keys: Vec::new(),
        zones: Vec::new(),
        lease_id_format: crate::config::network::LeaseIdFormat::Octal,
        db_time_format_local: false,
        server_duid: None,
    }
}

/// The values of the root scope's server parameters, once its statements have run.
pub trait RootScope {
    /// The data of a server parameter (`lease-file-name`, `omapi-port` ...), absent when unset or not evaluable.
    fn value(&mut self, name: &str) -> Option<Vec<u8>>;

    /// A parameter that is a flag; absent when unset. A value of 2 (`ignore`) counts as false.
    fn flag(&mut self, name: &str) -> Option<bool> {
        self.value(name).map(|octets| octets.first().is_some_and(|octet| !matches!(octet, 0 | 2)))
    }
}

/// What the runtime itself does differently because of the root scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// `omapi-port`
    pub omapi_port: Option<u16>,
    /// `dont-use-fsync` is not true.
    pub use_fsync: bool,
    /// What the engine reads once.
    pub settings: Settings,
    /// `log-facility`: the number to open syslog with.
    pub log_facility: Option<u8>,
    /// Lines to log after syslog was opened again.
    pub lines: Vec<Line>,
}

impl Root {
    /// Reads the root scope: paths and network settings are overridden, the rest is returned.
    ///
    /// # Errors
    /// A value of a length it cannot have.
    pub fn read(
        scope: &mut dyn RootScope,
        family: Family,
        paths: &mut Paths,
        network: &mut Network,
    ) -> Result<Self, Fatal> {
        let mut override_path = |name: &str, path: &mut PathBuf| {
            if let Some(octets) = scope.value(name) {
                *path = path_from_octets(octets);
            }
        };
        override_path("lease-file-name", &mut paths.leases);
        override_path("pid-file-name", &mut paths.pid);
        if family == Family::V6 {
            override_path("dhcpv6-lease-file-name", &mut paths.leases);
            override_path("dhcpv6-pid-file-name", &mut paths.pid);
        }

        let omapi_port =
            number(scope, "omapi-port", "invalid omapi port data length")?.map(u16::from_be_bytes);
        if let Some(port) = number(scope, "local-port", "invalid local port data length")? {
            network.local_port = u16::from_be_bytes(port);
        }
        if let Some(port) = number(scope, "remote-port", "invalid remote port data length")? {
            network.remote_port = u16::from_be_bytes(port);
        }
        let broadcast =
            number::<4>(scope, "limited-broadcast-address", "invalid broadcast address data length")?;
        if let Some(address) = broadcast {
            network.limited_broadcast = Ipv4Addr::from(address);
        }
        if let Some(address) = number::<4>(scope, "local-address", "invalid local address data length")? {
            network.local_address = Ipv4Addr::from(address);
        }
        let log_facility =
            number::<1>(scope, "log-facility", "invalid log facility")?.map(|[facility]| facility);

        let mut settings = Settings {
            local_port: network.local_port,
            remote_port: network.remote_port,
            limited_broadcast: network.limited_broadcast,
            ..Settings::default()
        };
        if let Some(acks) = number(scope, "delayed-ack", "invalid max delayed ACK count ")? {
            // ISC swaps the octets of a number that is in host order already.
            settings.delayed_ack = u16::from_be_bytes(acks).to_be();
        }
        if let Some(delay) = number(scope, "max-ack-delay", "invalid max ack delay configuration")? {
            settings.max_ack_delay = Duration::from_micros(u32::from_be_bytes(delay).into());
        }
        let mut lines = Vec::new();
        let use_fsync = scope.flag("dont-use-fsync") != Some(true);
        if !use_fsync {
            lines.push(Line::error("Not using fsync() to flush lease writes"));
        }
        settings.server_id_check = scope.flag("server-id-check") == Some(true);
        if settings.server_id_check {
            lines.push(Line::info("Setting server-id-check true"));
        }
        if let Some(time) = number(scope, "abandon-lease-time", "invalid abandon-lease-time")? {
            settings.abandon_lease_time = u32::from_be_bytes(time).into();
        }
        Ok(Self { omapi_port, use_fsync, settings, log_facility, lines })
    }
}

fn number<const N: usize>(
    scope: &mut dyn RootScope,
    name: &str,
    wrong_length: &str,
) -> Result<Option<[u8; N]>, Fatal> {
    match scope.value(name) {
        None => Ok(None),
        Some(octets) => octets.try_into().map(Some).map_err(|_| Fatal::new(wrong_length)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::args::Cli;
    use std::collections::HashMap;

    impl RootScope for HashMap<&str, Vec<u8>> {
        fn value(&mut self, name: &str) -> Option<Vec<u8>> {
            self.get(name).cloned()
        }
    }

    fn read(values: &[(&'static str, &[u8])], family: Family) -> (Result<Root, Fatal>, Paths, Network) {
        let mut scope: HashMap<&str, Vec<u8>> =
            values.iter().map(|(name, value)| (*name, value.to_vec())).collect();
        let cli = Cli { port: Some(67), ..Cli::default() };
        let mut paths = Paths::resolve(&cli, |_| None).expect("defaults");
        let mut network = Network::resolve(&cli, |_| None, &mut Vec::new()).expect("defaults");
        let root = Root::read(&mut scope, family, &mut paths, &mut network);
        (root, paths, network)
    }

    #[test]
    fn nothing_set_is_the_default() {
        let (root, ..) = read(&[], Family::V4);
        let root = root.expect("fine");
        assert_eq!(root.settings, Settings::default());
        assert!(root.use_fsync && root.lines.is_empty() && root.log_facility.is_none());
    }

    #[test]
    fn values_override_what_came_from_outside() {
        let values: [(&str, &[u8]); 9] = [
            ("lease-file-name", b"rel"),
            ("dhcpv6-lease-file-name", b"six"),
            ("local-port", &[4, 0]),
            ("limited-broadcast-address", &[10, 0, 0, 255]),
            ("local-address", &[10, 0, 0, 1]),
            ("log-facility", &[136]),
            ("delayed-ack", &[0, 28]),
            ("max-ack-delay", &[0, 0, 0, 100]),
            ("dont-use-fsync", &[1]),
        ];
        let (root, paths, network) = read(&values, Family::V4);
        let root = root.expect("fine");
        assert_eq!(paths.leases, PathBuf::from("rel"));
        assert_eq!((network.local_port, network.remote_port), (1024, 68));
        assert_eq!(network.local_address, Ipv4Addr::new(10, 0, 0, 1));
        assert_eq!(root.settings.limited_broadcast, Ipv4Addr::new(10, 0, 0, 255));
        assert_eq!(root.settings.max_ack_delay, Duration::from_micros(100));
        assert_eq!(root.log_facility, Some(136));
        assert_eq!(root.lines, [Line::error("Not using fsync() to flush lease writes")]);
        assert_eq!(read(&values, Family::V6).1.leases, PathBuf::from("six"));
    }

    #[test]
    fn wrong_lengths_are_fatal() {
        let (root, ..) = read(&[("omapi-port", &[1])], Family::V4);
        assert_eq!(root, Err(Fatal::new("invalid omapi port data length")));
        let (root, ..) = read(&[("abandon-lease-time", &[])], Family::V4);
        assert_eq!(root, Err(Fatal::new("invalid abandon-lease-time")));
    }

    #[test]
    fn ignore_is_not_true() {
        let (root, ..) = read(&[("server-id-check", &[2])], Family::V4);
        assert!(!root.expect("fine").settings.server_id_check);
    }
}
