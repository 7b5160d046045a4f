//! Tests of the layer as a whole: start-up order, chains, transitions, files. Each rule was seen on a real dhcpd.

use super::*;
use crate::config::Config;
use crate::config::network::{AddressRange, Pool, Scope, ScopeId, SharedNetwork, Subnet, SubnetPrefix};
use crate::config::network::{Class, NetworkId};
use crate::eval::Handler;
use crate::eval::bindings::Value;
use crate::eval::classes::Spawned;
use crate::log::Line;
use crate::time::NEVER;
use proptest::prelude::*;
use std::sync::Arc;

/// A configuration of shared networks; each is a list of pools, each a list of ranges. Every network gets one subnet
/// `10.0.0.0/8`.
fn config(networks: &[&[&[(&str, &str)]]]) -> Config {
    let mut config = Config::default();
    config.scopes.push(Scope { parent: None, statements: Arc::new([]), authoritative: false });
    for pools in networks {
        let network = NetworkId(config.shared_networks.len() as u32);
        let subnet = SubnetId(config.subnets.len() as u32);
        let prefix =
            SubnetPrefix::V4 { address: Ipv4Addr::new(10, 0, 0, 0), mask: Ipv4Addr::new(255, 0, 0, 0) };
        config.subnets.push(Subnet { network, prefix, scope: ScopeId::ROOT, interface: None });
        let mut ids = Vec::new();
        for ranges in *pools {
            ids.push(PoolId(config.pools.len() as u32));
            let range = |&(first, last): &(&str, &str)| AddressRange {
                first: first.parse().unwrap(),
                last: last.parse().unwrap(),
                subnet,
            };
            config.pools.push(Pool {
                network,
                scope: ScopeId::ROOT,
                ranges: ranges.iter().map(range).collect(),
                ranges6: Vec::new(),
                permits: Vec::new(),
                prohibits: Vec::new(),
                valid_from: 0,
                valid_until: 0,
                failover_peer: None,
            });
        }
        config.shared_networks.push(SharedNetwork {
            name: "10.0.0.0/8".into(),
            implicit: true,
            scope: ScopeId::ROOT,
            subnets: vec![subnet],
            pools: ids,
            interface: None,
            failover_peer: None,
        });
    }
    config
}

/// The last octets of a pool's free queue.
fn free(db: &LeaseDb, pool: u32) -> Vec<u8> {
    db.queue(PoolId(pool), Queue::Free).map(|id| db.lease(id).address.octets()[3]).collect()
}

fn started(config: &Config) -> LeaseDb {
    let mut db = LeaseDb::new(config).unwrap();
    db.start();
    db
}

fn id(db: &LeaseDb, address: &str) -> LeaseId {
    db.find(address.parse().unwrap()).unwrap()
}

fn ethernet(last: u8) -> Option<Hardware> {
    Some(Hardware { htype: 1, address: vec![2, 0, 0, 0, 0, last] })
}

const NOW: Seconds = 1_800_000_000;

/// Reads a file into a new database and starts it.
fn loaded(config: &Config, source: &[u8]) -> (LeaseDb, Others, Vec<Line>) {
    loaded_into(&mut Arc::new(config.clone()), source)
}

/// The same; what the file declares is added to the configuration.
fn loaded_into(config: &mut Arc<Config>, source: &[u8]) -> (LeaseDb, Others, Vec<Line>) {
    let mut db = LeaseDb::new(config).unwrap();
    let (mut others, mut spawned) = (Others::default(), Spawned::default());
    let mut loading = Loading { config, db: &mut db, others: &mut others, spawned: &mut spawned };
    let lines = loading.load(source, b"f", NOW, &mut |_, _, _| Ok(None));
    db.start();
    (db, others, lines)
}

fn rewritten(config: &Config, db: &mut LeaseDb, others: &Others) -> (String, Vec<String>) {
    let (file, lines) = Rewrite::whole(db, others, NOW, config);
    let lines = lines.into_iter().map(|line| String::from_utf8(line.text).unwrap()).collect();
    (String::from_utf8_lossy(&file).into_owned(), lines)
}

fn messages(lines: &[Line]) -> Vec<String> {
    lines.iter().map(|line| String::from_utf8_lossy(&line.text).into_owned()).collect()
}

/// A configuration and what was spawned.
struct Both<'a>(&'a Config, &'a Spawned);
impl Words for Both<'_> {
    fn config(&self) -> &Config {
        self.0
    }
    fn spawned(&self) -> Option<&Spawned> {
        Some(self.1)
    }
}

mod start_up;

mod transitions;

mod chains;

mod file;

mod recorded;
