//! A server on a small network, for the fuzz targets: no sockets, no clock, no disk.

pub mod message;

use relet::config::network::Hardware;
use relet::config::{Config, Family, build};
use relet::eval::bindings::Bindings;
use relet::eval::{Memory, Nothing};
use relet::server::engine::{Engine, Settings, Setup};
use relet::server::globals::{CommandLine, read_globals};
use relet::server::interfaces::{Discovered, match_interfaces};
use relet::server::startup::{Database, open_database};
use relet::server::{Effect, Interface};
use relet::syntax::{LoadError, parse};
use relet::time::Now;
use std::net::Ipv4Addr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// Two networks, hosts, classes and pools: something of everything a packet can meet.
const CONFIG: &[u8] = br#"
authoritative;
option space acme;
option acme.level code 1 = unsigned integer 8;
option acme.where code 2 = text;
class "pxe" { match if substring (option vendor-class-identifier, 0, 9) = "PXEClient"; filename "pxelinux.0"; }
class "port" { spawn with option agent.circuit-id; lease limit 2; }
subnet 10.0.0.0 netmask 255.255.255.0 {
    option routers 10.0.0.1; option domain-name "example.org"; option domain-search "a.example.org", "example.org";
    vendor-option-space acme; option acme.level 3; option acme.where "here";
    pool { range 10.0.0.10 10.0.0.20; deny members of "port"; }
    pool { range 10.0.0.100 10.0.0.110; allow members of "port"; allow dynamic bootp clients; }
    on commit { set seen = binary-to-ascii (16, 8, ":", hardware); }
}
subnet 10.1.0.0 netmask 255.255.0.0 { range 10.1.0.1 10.1.0.9; allow leasequery; min-lease-time 10; }
host fixed { hardware ethernet 2:0:0:0:0:1; fixed-address 10.0.0.5; option host-name "fixed"; }
host known { option dhcp-client-identifier "known"; }
"#;

/// The moment everything happens at.
pub const NOW: Now = Now { wall: 1_700_000_000, tick: Duration::from_secs(1) };

static BUILT: LazyLock<Arc<Config>> = LazyLock::new(|| {
    let mut no_files = |_: &[u8]| Err(LoadError { errno: None, message: String::new() });
    let built = build(&parse(b"dhcpd.conf", CONFIG.to_vec(), &mut no_files), Family::V4);
    assert!(built.accepted(), "{:?}", built.diagnostics);
    Arc::new(built.config)
});

/// The configuration.
pub fn configuration() -> Arc<Config> {
    Arc::clone(&BUILT)
}

/// The leases of a lease file, and what reading it brought about.
pub fn database(config: &Arc<Config>, leases: &[u8]) -> (Database, Vec<Effect>) {
    let mut effects = Vec::new();
    let database = open_database(config, "dhcpd.leases", leases, NOW, &mut Nothing, &mut effects);
    (database, effects)
}

/// A server that has just started.
pub fn engine(config: &Arc<Config>) -> Engine {
    let (mut bindings, mut memory, mut lines) = (Bindings::default(), Memory::default(), Vec::new());
    let command_line = CommandLine {
        family: Family::V4,
        config_file: Vec::new(),
        lease_file: Vec::new(),
        pid_file: Vec::new(),
        quiet: true,
    };
    let globals =
        read_globals(config, &command_line, NOW, &mut bindings, &mut memory, &mut Nothing, &mut lines)
            .expect("the configuration above has good parameters");
    let address = Ipv4Addr::new(10, 0, 0, 1);
    let interface = Interface {
        name: "eth0".into(),
        index: 2,
        hardware: Hardware { htype: 1, address: vec![2, 0, 0, 0, 0, 9] },
        addresses: vec![address],
    };
    let discovered = Discovered { interfaces: vec![interface], addresses: vec![(0, address)] };
    Engine::new(Setup {
        database: database(config, b"").0,
        globals: bindings,
        memory,
        settings: Settings::new(&globals, 67, 68, Ipv4Addr::BROADCAST),
        interfaces: match_interfaces(config, &discovered, &[]).served,
    })
}
