//! What a flood of made-up clients costs.
//!
//! `cargo bench --bench flood -- [CLIENTS]` sends that many DHCPDISCOVERs (a million by default), each with a hardware
//! address, a client identifier and an agent circuit of its own, to a server of 250 addresses whose classes spawn one
//! subclass a circuit; then as many DHCPREQUESTs for addresses that are not theirs. Memory must not grow with them.

#![allow(clippy::disallowed_methods)] // a benchmark reads the clock

use relet::config::network::Hardware;
use relet::config::{Family, build};
use relet::eval::bindings::Bindings;
use relet::eval::{Memory, Nothing};
use relet::server::engine::{Engine, Settings, Setup};
use relet::server::globals::{CommandLine, read_globals};
use relet::server::interfaces::{Discovered, match_interfaces};
use relet::server::startup::open_database;
use relet::server::{Effect, Event, Interface, InterfaceId};
use relet::syntax::{LoadError, parse};
use relet::time::Now;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::{Duration, Instant};

const CONFIG: &[u8] = b"
    authoritative; ping-check false;
    class \"port\" { spawn with option agent.circuit-id; lease limit 2; }
    subnet 10.0.0.0 netmask 255.255.255.0 { range 10.0.0.2 10.0.0.251; option routers 10.0.0.1; }
";

fn engine() -> Engine {
    let now = at(0);
    let mut no_files = |_: &[u8]| Err(LoadError { errno: None, message: String::new() });
    let built = build(&parse(b"bench", CONFIG.to_vec(), &mut no_files), Family::V4);
    assert!(built.accepted(), "{:?}", built.diagnostics);
    let config = Arc::new(built.config);
    let (mut bindings, mut memory, mut lines) = (Bindings::default(), Memory::default(), Vec::new());
    let command_line = CommandLine {
        family: Family::V4,
        config_file: Vec::new(),
        lease_file: Vec::new(),
        pid_file: Vec::new(),
        quiet: true,
    };
    let globals =
        read_globals(&config, &command_line, now, &mut bindings, &mut memory, &mut Nothing, &mut lines)
            .expect("the parameters are good");
    let database = open_database(&config, "dhcpd.leases", b"", now, &mut Nothing, &mut Vec::new());
    let address = Ipv4Addr::new(10, 0, 0, 1);
    let interface = Interface {
        name: "eth0".into(),
        index: 2,
        hardware: Hardware { htype: 1, address: vec![2, 0, 0, 0, 0, 9] },
        addresses: vec![address],
    };
    let discovered = Discovered { interfaces: vec![interface], addresses: vec![(0, address)] };
    Engine::new(Setup {
        database,
        globals: bindings,
        memory,
        settings: Settings::new(&globals, 67, 68, Ipv4Addr::BROADCAST),
        interfaces: match_interfaces(&config, &discovered, &[]).served,
    })
}

/// A thousand messages a second.
fn at(message: u32) -> Now {
    Now {
        wall: 1_800_000_000 + i64::from(message / 1000),
        tick: Duration::from_millis(u64::from(message) + 1000),
    }
}

fn message(kind: u8, client: u32) -> Vec<u8> {
    let number = client.to_be_bytes();
    let mut octets = vec![0; 236];
    octets[..3].copy_from_slice(&[1, 1, 6]);
    octets[4..8].copy_from_slice(&number);
    octets[28] = 2;
    octets[30..34].copy_from_slice(&number);
    octets.extend([0x63, 0x82, 0x53, 0x63, 53, 1, kind]);
    if kind == 3 {
        octets.extend([50, 4, 10, 0, 0, 2 + (client % 250) as u8]);
    }
    octets.extend([61, 5, 0]);
    octets.extend(number);
    octets.extend([82, 6, 1, 4]);
    octets.extend(number);
    octets.push(255);
    octets
}

/// Resident memory in MB, where the system tells.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

fn main() {
    let clients = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(1_000_000);
    let mut engine = engine();
    let source = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68);
    let mut effects = Vec::new();
    let mut sent = 0u32;
    for (kind, name) in [(1, "DHCPDISCOVER"), (3, "DHCPREQUEST")] {
        let (before, begun, mut replies) = (resident(), Instant::now(), 0u32);
        for client in 0..clients {
            sent += 1;
            let (payload, now) = (message(kind, client), at(sent));
            let event = Event::Datagram { interface: InterfaceId(0), source, payload: &payload };
            engine.handle(event, now, &mut Nothing, &mut effects);
            engine.handle(Event::Timer, now, &mut Nothing, &mut effects);
            let asked: Vec<_> = effects
                .drain(..)
                .filter_map(|effect| match effect {
                    Effect::Commit(commit) | Effect::Rewrite { last: Some(commit), .. } => Some(commit),
                    Effect::Send(_) => {
                        replies += 1;
                        None
                    }
                    _ => None,
                })
                .collect();
            for commit in asked {
                engine.handle(Event::Committed(commit), now, &mut Nothing, &mut effects);
            }
        }
        println!(
            "{clients} x {name}: {:.2?}, {replies} replies, {} subclasses, {} waiting, {:.1} MB and {:+.1}",
            begun.elapsed(),
            engine.spawned(),
            engine.waiting(),
            before,
            resident() - before
        );
    }
}
