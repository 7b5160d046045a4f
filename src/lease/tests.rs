//! Tests of the layer as a whole: start-up order, chains, transitions, files. Each rule was seen on a real dhcpd.

use super::*;
use crate::config::Config;
use crate::config::network::{AddressRange, Pool, Scope, ScopeId, SharedNetwork, Subnet, SubnetPrefix};
use crate::config::network::{NetworkId, SubnetId};
use crate::eval::Handler;
use crate::eval::bindings::Value;
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
        let prefix = SubnetPrefix::V4 { address: Ipv4Addr::new(10, 0, 0, 0), mask: Ipv4Addr::new(255, 0, 0, 0) };
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
