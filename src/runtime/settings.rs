//! What a run of dhcpd is told from outside the configuration: paths, ports, users, the broadcast address.
//!
//! Precedence, highest first: command line, environment, compiled default; the root scope of the configuration then
//! overrides all of them ([`crate::server::globals`]). Mirrors ISC `server/dhcpd.c:main`, `postconf_initialization`.

use std::ffi::{CStr, OsStr, OsString};
use std::net::Ipv4Addr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::args::{Cli, validate_port};
use super::fatal::Fatal;
use super::sys;
use crate::config::Family;
use crate::log::Line;

/// Paths, from the command line and the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The configuration file, as given.
    pub config: PathBuf,
    /// The lease file; absolute unless it came from `PATH_DHCPD6_DB` or the configuration.
    pub leases: PathBuf,
    /// The pid file, as given.
    pub pid: PathBuf,
    /// Whether the lease file was named on the command line or in `PATH_DHCPD_DB`.
    pub leases_named: bool,
}

impl Paths {
    /// The paths for this command line; `environment` looks a variable up.
    ///
    /// # Errors
    /// When a relative lease file does not exist.
    pub fn resolve(cli: &Cli, environment: impl Fn(&str) -> Option<OsString>) -> Result<Self, Fatal> {
        let path = |given: &Option<PathBuf>, variable: &str, default: &str| {
            given
                .clone()
                .or_else(|| environment(variable).map(PathBuf::from))
                .unwrap_or_else(|| default.into())
        };
        let config = path(&cli.config_file, "PATH_DHCPD_CONF", "/etc/dhcp/dhcpd.conf");
        let mut leases_named = cli.lease_file.is_some();
        let (mut leases, pid) = match cli.family() {
            Family::V4 => {
                leases_named |= environment("PATH_DHCPD_DB").is_some();
                (
                    path(&cli.lease_file, "PATH_DHCPD_DB", "/var/lib/dhcp/dhcpd.leases"),
                    path(&cli.pid_file, "PATH_DHCPD_PID", "/var/run/dhcpd.pid"),
                )
            }
            Family::V6 => (
                path(&cli.lease_file, "PATH_DHCPD6_DB", "/var/lib/dhcp/dhcpd6.leases"),
                path(&cli.pid_file, "PATH_DHCPD6_PID", "/var/run/dhcpd6.pid"),
            ),
        };
        if leases_named && !leases.has_root() {
            leases = std::fs::canonicalize(&leases).map_err(|error| {
                let mut text = b"Failed to get realpath for ".to_vec();
                text.extend_from_slice(leases.as_os_str().as_bytes());
                text.extend_from_slice(format!(": {}", sys::percent_m(&error)).as_bytes());
                Fatal::new(text)
            })?;
        }
        Ok(Self { config, leases, pid, leases_named })
    }
}

/// Ports and addresses, before the configuration had its say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// The port we listen on.
    pub local_port: u16,
    /// The port clients listen on.
    pub remote_port: u16,
    /// Destination of broadcast replies.
    pub limited_broadcast: Ipv4Addr,
    /// The address the fallback socket is bound to.
    pub local_address: Ipv4Addr,
}

impl Network {
    /// Ports and addresses for this command line; `environment` looks a variable up. Lines logged on the way are
    /// pushed to `lines`.
    ///
    /// # Errors
    /// A bad port in `DHCPD_PORT`; `-s` together with `-6`.
    pub fn resolve(
        cli: &Cli,
        environment: impl Fn(&str) -> Option<OsString>,
        lines: &mut Vec<Line>,
    ) -> Result<Self, Fatal> {
        let service = |name: &CStr, default| sys::names::udp_service(name).unwrap_or(default);
        let family = cli.family();
        let local_port = match (cli.port, environment("DHCPD_PORT")) {
            (Some(port), _) => port,
            (None, Some(text)) => {
                let port = validate_port(text.as_bytes()).map_err(Fatal::new)?;
                lines.push(Line::debug(format!("binding to environment-specified port {port}")));
                port
            }
            (None, None) => match family {
                Family::V4 => service(c"dhcp", 67),
                Family::V6 => service(c"dhcpv6-server", 547),
            },
        };
        let remote_port = match family {
            Family::V4 => local_port.wrapping_add(1),
            Family::V6 => service(c"dhcpv6-client", 546),
        };
        let limited_broadcast = match &cli.server {
            None => Ipv4Addr::BROADCAST,
            Some(_) if family == Family::V6 => {
                return Err(Fatal::new(
                    "You can only specify address to send replies to when running an IPv4 server.",
                ));
            }
            Some(server) => resolve_server(server),
        };
        Ok(Self { local_port, remote_port, limited_broadcast, local_address: Ipv4Addr::UNSPECIFIED })
    }
}

/// `-s`: an address in any form inet_aton(3) takes, else a name, else 255.255.255.255.
fn resolve_server(server: &OsStr) -> Ipv4Addr {
    if let Some(address) = sys::names::inet_aton(server.as_bytes()) {
        return address;
    }
    let addresses = server.to_str().and_then(|name| sys::names::addresses_of(name).ok());
    addresses.and_then(|addresses| addresses.first().copied()).unwrap_or(Ipv4Addr::BROADCAST)
}

/// Octets of a path, for log lines.
pub fn path_octets(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

/// A path from octets of the configuration.
pub fn path_from_octets(octets: Vec<u8>) -> PathBuf {
    PathBuf::from(OsString::from_vec(octets))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<OsString> + 'a {
        move |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
    }

    #[test]
    fn default_paths() {
        let paths = Paths::resolve(&Cli::default(), environment(&[])).expect("fine");
        assert_eq!(paths.config, Path::new("/etc/dhcp/dhcpd.conf"));
        assert_eq!(paths.leases, Path::new("/var/lib/dhcp/dhcpd.leases"));
        assert_eq!(paths.pid, Path::new("/var/run/dhcpd.pid"));
        let paths = Paths::resolve(&Cli { ipv6: true, ..Cli::default() }, environment(&[])).expect("fine");
        assert_eq!(paths.config, Path::new("/etc/dhcp/dhcpd.conf"));
        assert_eq!(paths.leases, Path::new("/var/lib/dhcp/dhcpd6.leases"));
        assert_eq!(paths.pid, Path::new("/var/run/dhcpd6.pid"));
    }

    #[test]
    fn command_line_before_environment_before_default() {
        let variables = [
            ("PATH_DHCPD_CONF", "c"),
            ("PATH_DHCPD_DB", "/d"),
            ("PATH_DHCPD6_DB", "rel6"),
            ("PATH_DHCPD_PID", "p"),
        ];
        let cli = Cli { pid_file: Some("q".into()), ..Cli::default() };
        let paths = Paths::resolve(&cli, environment(&variables)).expect("fine");
        assert_eq!((paths.config, paths.leases), ("c".into(), "/d".into()));
        assert_eq!(paths.pid, Path::new("q"));
        let cli = Cli { ipv6: true, ..Cli::default() };
        let paths = Paths::resolve(&cli, environment(&variables)).expect("a relative v6 path stays");
        assert_eq!(paths.leases, Path::new("rel6"));
    }

    #[test]
    fn a_relative_lease_file_must_exist() {
        let cli = Cli { lease_file: Some("no-such-file".into()), ..Cli::default() };
        let fatal = Paths::resolve(&cli, environment(&[])).expect_err("missing");
        assert_eq!(fatal.text(), b"Failed to get realpath for no-such-file: No such file or directory");
        let cli = Cli { lease_file: Some("Cargo.toml".into()), ..Cli::default() };
        assert!(Paths::resolve(&cli, environment(&[])).expect("there").leases.is_absolute());
    }

    #[test]
    fn ports_and_broadcast_address() {
        let mut lines = Vec::new();
        let cli = Cli { server: Some("10.1".into()), ..Cli::default() };
        let network =
            Network::resolve(&cli, environment(&[("DHCPD_PORT", "1067")]), &mut lines).expect("fine");
        assert_eq!((network.local_port, network.remote_port), (1067, 1068));
        assert_eq!(network.limited_broadcast, Ipv4Addr::new(10, 0, 0, 1));
        assert_eq!(lines, [Line::debug("binding to environment-specified port 1067")]);
        let cli = Cli { server: Some("10.1".into()), ipv6: true, port: Some(1547), ..Cli::default() };
        assert!(Network::resolve(&cli, environment(&[]), &mut lines).is_err());
        let network = Network::resolve(&Cli::default(), environment(&[]), &mut lines).expect("fine");
        assert_eq!(network.local_port, 67);
    }
}
