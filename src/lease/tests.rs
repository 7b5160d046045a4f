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

mod start_up {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_address_hash() {
        let db = started(&config(&[&[&[("10.92.14.155", "10.92.14.161")]]]));
        assert_eq!(free(&db, 0), [158, 159, 160, 161, 155, 156, 157]);
    }

    #[test]
    fn ranges_of_a_pool_come_in_address_order() {
        let db = started(&config(&[&[&[("10.0.0.40", "10.0.0.42"), ("10.0.0.10", "10.0.0.12")]]]));
        assert_eq!(free(&db, 0), [10, 11, 12, 40, 41, 42]);
    }

    #[test]
    fn a_run_interrupted_by_another_pool_goes_in_front() {
        let pools: &[&[(&str, &str)]] =
            &[&[("10.0.0.40", "10.0.0.42"), ("10.0.0.10", "10.0.0.12")], &[("10.0.0.20", "10.0.0.20")]];
        let db = started(&config(&[pools]));
        assert_eq!(free(&db, 0), [40, 41, 42, 10, 11, 12]);
    }

    #[test]
    fn entries_of_the_file_break_runs() {
        let config = config(&[&[&[("10.0.0.10", "10.0.0.16")]]]);
        let mut file = Vec::new();
        for (last, end) in [(10, 1), (11, 3), (12, 3), (14, 2)] {
            file.extend(
                format!(
                    "lease 10.0.0.{last} {{\n  ends 4 2026/01/0{end} 00:00:00;\n  binding state free;\n}}\n"
                )
                .bytes(),
            );
        }
        let (db, _, lines) = loaded(&config, &file);
        assert!(lines.is_empty());
        assert_eq!(free(&db, 0), [15, 16, 13, 10, 14, 11, 12]);
    }

    #[test]
    fn within_a_bucket_the_address_entered_last_comes_first() {
        // 100003 apart: the same bucket.
        let first = u32::from(Ipv4Addr::new(10, 0, 0, 1));
        let second = Ipv4Addr::from(first + 100_003).to_string();
        let config = config(&[&[&[("10.0.0.1", "10.0.0.1"), (&second, &second)]]]);
        let order = |db: &LeaseDb| {
            db.queue(PoolId(0), Queue::Free).map(|id| db.lease(id).address.octets()[3]).collect::<Vec<_>>()
        };
        assert_eq!(order(&started(&config)), [164, 1]);
        let (db, _, _) = loaded(&config, b"lease 10.0.0.1 { binding state free; }");
        assert_eq!(order(&db), [1, 164]);
    }

    #[test]
    fn an_address_declared_twice_belongs_to_the_first_range() {
        let pools: &[&[(&str, &str)]] = &[&[("10.0.0.10", "10.0.0.12")], &[("10.0.0.5", "10.0.0.20")]];
        let db = started(&config(&[pools]));
        assert_eq!((db.len(), free(&db, 0).len(), free(&db, 1).len()), (16, 3, 13));
        assert_eq!(db.place(id(&db, "10.0.0.11")).1, PoolId(0));
        assert!(db.find(Ipv4Addr::new(10, 0, 0, 21)).is_none());
    }

    #[test]
    fn counting_leaves_out_free_leases_whose_end_has_not_passed() {
        let config = config(&[&[&[("10.0.0.10", "10.0.0.19")]]]);
        let (mut db, _, _) = loaded(&config, b"lease 10.0.0.11 { ends never; binding state free; }");
        assert_eq!(db.due_in(PoolId(0), NOW), None);
        db.recount(PoolId(0), NOW);
        assert_eq!(db.counts(PoolId(0)), Counts { total: 10, free: 9, backup: 0 });
    }

    #[test]
    fn a_backup_lease_of_a_pool_without_peer_is_free() {
        let config = config(&[&[&[("10.0.0.10", "10.0.0.10")]]]);
        let (db, _, _) =
            loaded(&config, b"lease 10.0.0.10 { binding state backup; tsfp 4 2026/01/01 00:00:00; }");
        assert_eq!(db.lease(id(&db, "10.0.0.10")).state, BindingState::Free);
        assert_eq!(db.queue_len(PoolId(0), Queue::Free), 1);
    }

    #[test]
    fn what_is_due_expires_before_the_server_serves() {
        let config = config(&[&[&[("10.0.0.10", "10.0.0.12")]]]);
        let file = b"lease 10.0.0.11 { ends 4 2026/01/01 00:00:00; binding state active; next binding state free; \
            hardware ethernet 2:0:0:0:0:1; client-hostname \"x\"; option agent.circuit-id \"c\"; set a = \"b\"; }";
        let (mut db, _, lines) = loaded(&config, file);
        assert!(lines.is_empty());
        let lease = db.due_in(PoolId(0), NOW).unwrap();
        assert_eq!(db.ending(lease), Some(Ending::Expiry));
        db.settle(lease, NOW, true);
        assert_eq!(db.due_in(PoolId(0), NOW), None);
        let lease = db.lease(lease);
        assert_eq!(
            (lease.state, lease.next_state, lease.tstp),
            (BindingState::Free, BindingState::Free, lease.ends)
        );
        assert!(lease.client_hostname.is_none() && lease.agent_options.is_empty());
        assert!(lease.hardware.is_some() && lease.bindings.value("A").is_some());
        // The active lease interrupted the run.
        assert_eq!(free(&db, 0), [12, 10, 11]);
    }
}

mod transitions {
    use super::*;

    fn grant(db: &mut LeaseDb, lease: LeaseId, last: u8, end: Seconds) {
        let mut new = db.lease(lease).into_owned();
        new.hardware = ethernet(last);
        new.uid = Some(Octets::new(&[1, last]));
        (new.starts, new.cltt, new.ends) = (NOW, NOW, end);
        new.next_state = BindingState::Active;
        assert!(!db.supersede(lease, new).conflict);
        assert_eq!(db.ending(lease), None);
        db.settle(lease, NOW, true);
    }

    #[test]
    fn a_freed_lease_goes_behind_older_ends_and_in_front_of_equal_ones() {
        let mut db = started(&config(&[&[&[("10.0.0.10", "10.0.0.13")]]]));
        for last in 10..13 {
            let lease = id(&db, &format!("10.0.0.{last}"));
            grant(&mut db, lease, last, NOW + 60);
        }
        assert_eq!(db.counts(PoolId(0)).free, 1);
        assert_eq!(db.next_timer(), Some(NOW + 60));
        let lease = id(&db, "10.0.0.10");
        assert!(db.release(lease, NOW + 1));
        let lease = id(&db, "10.0.0.11");
        assert!(db.release(lease, NOW + 1));
        assert!(!db.release(lease, NOW + 2), "it is free already");
        assert_eq!(free(&db, 0), [13, 11, 10]);
        let released = db.lease(lease);
        assert_eq!(
            (released.ends, released.tstp, released.next_state),
            (NOW + 1, NOW + 1, BindingState::Free)
        );
        assert_eq!(db.due(NOW + 59), None);
        let expired = db.due(NOW + 60).unwrap();
        db.settle(expired, NOW + 60, true);
        assert_eq!(db.due(NOW + 60), None);
        assert_eq!(free(&db, 0), [13, 11, 10, 12]);
        assert_eq!((db.next_timer(), db.counts(PoolId(0)).free), (None, 4));
    }

    #[test]
    fn an_offer_moves_the_lease_behind_and_stays_free() {
        let mut db = started(&config(&[&[&[("10.0.0.10", "10.0.0.12")]]]));
        let lease = db.first(PoolId(0), Queue::Free).unwrap();
        let mut new = db.lease(lease).into_owned();
        new.ends = NOW + 120;
        new.hardware = ethernet(1);
        let _ = db.supersede(lease, new);
        db.settle(lease, NOW, false);
        assert_eq!(free(&db, 0), [11, 12, 10]);
        assert_eq!((db.lease(lease).state, db.next_event(PoolId(0))), (BindingState::Free, Some(NOW + 120)));
        assert_eq!(db.due(NOW + 120), None, "nothing happens to it");
        assert_eq!(db.next_timer(), None);
    }

    #[test]
    fn abandoning_erases_identity_and_bindings() {
        let mut db = started(&config(&[&[&[("10.0.0.10", "10.0.0.10")]]]));
        let lease = db.first(PoolId(0), Queue::Free).unwrap();
        grant(&mut db, lease, 1, NOW + 600);
        db.update(lease, |lease| {
            lease.bindings.entries.push(("a".into(), Some(Value::Number(1))));
            lease.client_hostname = Some(Octets::new(b"x"));
        });
        db.abandon(lease, NOW, 86_400);
        assert_eq!(db.ending(lease), Some(Ending::Expiry));
        db.settle(lease, NOW, true);
        let abandoned = db.lease(lease);
        assert_eq!((abandoned.state, abandoned.next_state), (BindingState::Abandoned, BindingState::Free));
        assert_eq!((abandoned.ends, abandoned.tstp), (NOW + 86_400, NOW + 86_400));
        assert!(
            abandoned.uid.is_none() && abandoned.hardware.is_none() && abandoned.client_hostname.is_none()
        );
        assert!(abandoned.bindings.entries.is_empty());
        assert_eq!(db.uid_chain(&[1, 1]).count() + db.hardware_chain(&ethernet(1).unwrap()).count(), 0);
        assert_eq!(db.first(PoolId(0), Queue::Abandoned), Some(lease));
        let lease = db.due(NOW + 86_400).unwrap();
        db.settle(lease, NOW + 86_400, true);
        assert_eq!(db.lease(lease).state, BindingState::Free);
        // The end of the century does not overflow.
        db.abandon(lease, i64::MAX - 1, i64::MAX);
        assert_eq!(db.lease(lease).ends, NEVER);
    }

    #[test]
    fn another_client_on_an_active_lease_is_a_conflict() {
        let mut db = started(&config(&[&[&[("10.0.0.10", "10.0.0.10")]]]));
        let lease = db.first(PoolId(0), Queue::Free).unwrap();
        grant(&mut db, lease, 1, NOW + 600);
        let mut new = db.lease(lease).into_owned();
        new.hardware = ethernet(2);
        assert!(!db.supersede(lease, new.clone()).conflict, "the client identifier is the same");
        new.uid = Some(Octets::new(b"other"));
        assert!(db.supersede(lease, new).conflict);
    }

    #[test]
    fn supersede_keeps_handlers_and_drops_agent_options_of_an_offer() {
        let mut db = started(&config(&[&[&[("10.0.0.10", "10.0.0.10")]]]));
        let lease = db.first(PoolId(0), Queue::Free).unwrap();
        let handler = Handler { events: Events { expiry: true, ..Events::default() }, body: Arc::new([]) };
        db.update(lease, |lease| lease.handlers.expiry = Some(handler.clone()));
        let mut new = db.lease(lease).into_owned();
        new.handlers = Handlers::default();
        let value = Octets::new(b"x");
        new.agent_options = vec![AgentOption { code: 1, value, configured: false }];
        new.reserved = true;
        let _ = db.supersede(lease, new.clone());
        db.settle(lease, NOW, false);
        assert_eq!(db.lease(lease).handlers.expiry, Some(handler));
        assert!(db.lease(lease).agent_options.is_empty());
        assert_eq!(db.first(PoolId(0), Queue::Reserved), Some(lease));
        assert_eq!(db.counts(PoolId(0)).free, 0);
        new.next_state = BindingState::Active;
        let _ = db.supersede(lease, new);
        assert_eq!(db.lease(lease).agent_options.len(), 1);
    }

    #[test]
    fn leases_are_billed_up_to_the_limit() {
        let mut db = started(&config(&[&[&[("10.0.0.10", "10.0.0.12")]]]));
        let class = ClassId(0);
        let leases: Vec<LeaseId> = db.queue(PoolId(0), Queue::Free).collect();
        assert!(!db.bill(leases[0], class), "no limit, no slot");
        db.limit(class, 2);
        assert!(db.bill(leases[0], class) && db.bill(leases[1], class) && !db.bill(leases[2], class));
        assert_eq!(db.lease(leases[2]).billing_class, None);
        db.unbill(leases[0]);
        db.unbill(leases[0]);
        assert_eq!(db.billed(class), 1);
        let mut new = db.lease(leases[2]).into_owned();
        new.billing_class = Some(class);
        let _ = db.supersede(leases[2], new);
        assert_eq!((db.billed(class), db.lease(leases[2]).billing_class), (2, Some(class)));
    }

    #[test]
    fn with_a_peer_an_active_lease_expires_and_waits() {
        let mut db = started(&config(&[&[&[("10.0.0.10", "10.0.0.10")]]]));
        let standing =
            Standing { role: Role::Primary, normal: true, not_cooperating: false, partner_down: None };
        db.set_standing(PoolId(0), Some(standing));
        let lease = db.first(PoolId(0), Queue::Free).unwrap();
        grant(&mut db, lease, 1, NOW + 60);
        assert_eq!(db.lease(lease).next_state, BindingState::Expired);
        assert_eq!(db.due(NOW + 60), Some(lease));
        assert_eq!(db.ending(lease), None, "the binding ends when it becomes free");
        db.settle(lease, NOW + 60, true);
        assert_eq!((db.lease(lease).state, db.due(NOW + 90)), (BindingState::Expired, None));
        let down = Standing { normal: false, partner_down: Some(NOW + 100), ..standing };
        db.set_standing(PoolId(0), Some(down));
        assert_eq!(db.due_in(PoolId(0), NOW + 200), Some(lease));
        assert_eq!(db.ending(lease), Some(Ending::Expiry));
        db.settle(lease, NOW + 200, true);
        assert_eq!(db.lease(lease).state, BindingState::Free);
        // Out of touch, a lease of ours goes back to what the peer knows.
        let apart = Standing { not_cooperating: true, normal: false, ..standing };
        db.set_standing(PoolId(0), Some(apart));
        grant(&mut db, lease, 1, NOW + 300);
        assert_eq!(db.due_in(PoolId(0), NOW + 300), Some(lease));
        assert_eq!(db.lease(lease).next_state, BindingState::Free);
        // A secondary in normal leaves expiry to the primary.
        let second = Standing { role: Role::Secondary, ..standing };
        db.set_standing(PoolId(0), Some(second));
        assert_eq!(db.due_in(PoolId(0), NOW + 300), None);
    }

    proptest! {
        /// Whatever happens, every lease is on exactly the queue of its state, queues are sorted, counters agree, and
        /// every client's leases are in its chains.
        #[test]
        fn the_books_balance(steps in proptest::collection::vec((0u8..6, 0u8..8, 0u8..4, 0i64..50), 1..120)) {
            let pools: &[&[(&str, &str)]] = &[&[("10.0.0.0", "10.0.0.4")], &[("10.0.0.5", "10.0.0.7")]];
            let mut db = started(&config(&[pools]));
            let mut now = NOW;
            for (what, last, client, seconds) in steps {
                let lease = id(&db, &format!("10.0.0.{last}"));
                match what {
                    0 | 1 => {
                        let mut new = db.lease(lease).into_owned();
                        new.hardware = ethernet(client);
                        new.uid = Some(Octets::new(&[client]));
                        new.ends = now + seconds;
                        new.reserved = client == 3;
                        new.next_state = if what == 0 { BindingState::Active } else { new.state };
                        let _ = db.supersede(lease, new);
                        db.settle(lease, now, true);
                    }
                    2 => { db.release(lease, now); }
                    3 => {
                        db.abandon(lease, now, seconds);
                        db.settle(lease, now, true);
                    }
                    4 => now += seconds,
                    _ => while let Some(due) = db.due(now) {
                        prop_assert!(db.lease(due).ends <= now);
                        db.settle(due, now, true);
                    },
                }
            }
            let mut seen = 0;
            for pool in [PoolId(0), PoolId(1)] {
                for queue in Queue::ALL {
                    let ids: Vec<LeaseId> = db.queue(pool, queue).collect();
                    prop_assert_eq!(ids.len(), db.queue_len(pool, queue));
                    seen += ids.len();
                    prop_assert!(ids.is_sorted_by_key(|&id| db.lease(id).ends));
                    for &id in &ids {
                        let lease = db.lease(id);
                        prop_assert_eq!((lease.pool, Queue::of(lease.state, lease.reserved)), (pool, queue));
                        if let Some(uid) = &lease.uid {
                            prop_assert_eq!(db.uid_chain(uid).filter(|&other| other == id).count(), 1);
                            let hardware = lease.hardware.as_ref().unwrap();
                            prop_assert_eq!(db.hardware_chain(hardware).filter(|&other| other == id).count(), 1);
                        }
                    }
                }
                prop_assert_eq!(db.counts(pool).free, db.queue_len(pool, Queue::Free) as i64);
            }
            prop_assert_eq!(seen, 8);
            let mut used = Vec::new();
            db.begin_walk();
            loop {
                match db.step() {
                    super::walk::Step::Lease(id) => used.push(id),
                    super::walk::Step::Virgin => {}
                    super::walk::Step::End => break,
                }
            }
            let pools = db.pool_order().iter();
            let queues = pools.flat_map(|&pool| Queue::ALL.into_iter().map(move |queue| (pool, queue)));
            let all = queues.flat_map(|(pool, queue)| db.queue(pool, queue));
            prop_assert_eq!(used, all.filter(|&id| db.was_used(id)).collect::<Vec<_>>());
        }
    }
}

mod chains {
    use super::*;

    fn order(db: &LeaseDb) -> Vec<u8> {
        let by_uid: Vec<u8> = db.uid_chain(b"u").map(|id| db.lease(id).address.octets()[3]).collect();
        let hardware = ethernet(1).unwrap();
        let by_hardware: Vec<u8> =
            db.hardware_chain(&hardware).map(|id| db.lease(id).address.octets()[3]).collect();
        assert_eq!(by_uid, by_hardware);
        by_uid
    }

    /// Addresses 10 to 19 and what the file says of them, besides the client, which is always the same.
    fn with(entries: &[(u8, &str)]) -> LeaseDb {
        let config = config(&[&[&[("10.0.0.10", "10.0.0.19")]]]);
        let mut file = String::new();
        for (last, rest) in entries {
            file += &format!("lease 10.0.0.{last} {{ {rest} hardware ethernet 2:0:0:0:0:1; uid \"u\"; }}\n");
        }
        let (db, _, lines) = loaded(&config, file.as_bytes());
        assert_eq!(messages(&lines), Vec::<String>::new());
        db
    }

    #[test]
    fn active_then_expired_then_free_then_abandoned() {
        let db = with(&[
            (10, "binding state abandoned;"),
            (11, "binding state free; cltt 4 2026/01/01 00:00:00;"),
            (12, "binding state free; cltt 4 2026/01/02 00:00:00;"),
            (13, "binding state released; cltt 4 2026/01/01 00:00:00;"),
            (14, "binding state expired; cltt 4 2026/01/02 00:00:00;"),
            (15, "binding state active; ends 4 2030/01/01 00:00:00;"),
            (16, "binding state active; ends never;"),
            (17, "binding state active; ends 4 2030/01/01 00:00:00;"),
        ]);
        // Among equals the one put in last is in front.
        assert_eq!(order(&db), [16, 17, 15, 14, 13, 12, 11, 10]);
    }

    #[test]
    fn a_lease_is_placed_by_what_it_was_and_does_not_move_when_freed() {
        let mut db = with(&[(10, "binding state active; ends 4 2030/01/01 00:00:00;")]);
        let first = id(&db, "10.0.0.10");
        assert!(db.release(first, NOW));
        // Granted later, but free when it is put in: the released one has the same rank and an older last transaction.
        db.update(first, |lease| lease.cltt = NOW);
        let second = id(&db, "10.0.0.11");
        let mut new = db.lease(second).into_owned();
        new.hardware = ethernet(1);
        new.uid = Some(Octets::new(b"u"));
        (new.ends, new.cltt, new.next_state) = (NOW + 600, NOW, BindingState::Active);
        let _ = db.supersede(second, new);
        db.settle(second, NOW, true);
        assert_eq!(order(&db), [10, 11], "the freed lease is still found first");
        assert_eq!(db.next_by_uid(first), Some(second));
        assert_eq!(db.next_by_hardware(second), None);
    }

    #[test]
    fn infiniband_without_address_is_in_no_chain_and_other_types_share_one() {
        let config = config(&[&[&[("10.0.0.10", "10.0.0.13")]]]);
        let file = b"lease 10.0.0.10 { hardware infiniband ; }\nlease 10.0.0.11 { hardware ethernet ; }\n\
            lease 10.0.0.12 { hardware ethernet ; }\n";
        let (db, _, lines) = loaded(&config, file);
        assert!(lines.is_empty());
        assert_eq!(db.hardware_chain(&Hardware { htype: 32, address: Vec::new() }).count(), 0);
        assert_eq!(db.hardware_chain(&Hardware { htype: 1, address: Vec::new() }).count(), 2);
        assert_eq!(db.uid_chain(b"").count(), 0);
    }

    #[test]
    fn update_moves_a_lease_to_its_new_chain() {
        let mut db = with(&[(10, "binding state free;"), (11, "binding state free;")]);
        let lease = id(&db, "10.0.0.11");
        db.update(lease, |lease| {
            lease.uid = Some(Octets::new(b"v"));
            lease.address = Ipv4Addr::UNSPECIFIED;
        });
        assert_eq!(db.uid_chain(b"u").count(), 1);
        assert_eq!(db.uid_chain(b"v").collect::<Vec<_>>(), [lease]);
        assert_eq!(db.lease(lease).address, Ipv4Addr::new(10, 0, 0, 11));
    }
}

mod file {
    use super::*;

    /// A configuration as it is read from an empty file but for one pool.
    fn empty() -> Config {
        let text = b"subnet 10.0.0.0 netmask 255.0.0.0 { range 10.0.0.1 10.0.0.200; }".to_vec();
        let mut nothing = |_: &[u8]| Err(crate::syntax::LoadError { errno: None, message: String::new() });
        crate::config::build(&crate::syntax::parse(b"f", text, &mut nothing), crate::config::Family::V4)
            .config
    }

    fn plain() -> Config {
        config(&[&[&[("10.0.0.10", "10.0.0.20")]]])
    }

    /// What the messages about a file are, the lines of each joined.
    fn complaints(source: &[u8]) -> Vec<String> {
        messages(&loaded(&plain(), source).2)
    }

    fn only(source: &[u8]) -> Lease {
        let (db, _, lines) = loaded(&plain(), source);
        assert_eq!(messages(&lines), Vec::<String>::new());
        db.lease(id(&db, "10.0.0.10")).into_owned()
    }

    #[test]
    fn every_statement_comes_back_as_dhcpd_writes_it() {
        let mut config = plain();
        config.failover_peers = Vec::new();
        let block = "lease 10.0.0.10 {\n  starts 4 2026/01/01 00:00:00;\n  ends never;\n  tstp 5 2026/01/02 00:00:00;\n  \
            tsfp 6 2026/01/03 00:00:00;\n  atsfp 0 2026/01/04 00:00:00;\n  cltt 1 2026/01/05 01:02:03;\n  \
            binding state active;\n  next binding state free;\n  rewind binding state backup;\n  reserved;\n  \
            dynamic-bootp;\n  hardware ethernet 02:00:00:00:00:0a;\n  uid \"\\001a \\\"\\\\\\377\";\n  \
            set vendor-class-identifier = \"MSFT 5.0\";\n  set n = %-5;\n  set t = true;\n  set f = false;\n  \
            option agent.circuit-id \"a\\$b\";\n  option agent.remote-id 0:1:ff;\n  option agent.link-selection 10.0.0.1;\n  \
            client-hostname \"my host\";\n  on expiry or release {\n    set a = \"x\" ;\n  }\n}\n";
        let (mut db, others, lines) = loaded(&config, block.as_bytes());
        assert_eq!(messages(&lines), Vec::<String>::new());
        let (file, lines) = rewritten(&config, &mut db, &others);
        // Variables are a stack: each rewrite turns them over.
        let turned = block.replacen(
            "  set vendor-class-identifier = \"MSFT 5.0\";\n  set n = %-5;\n  set t = true;\n  set f = false;\n",
            "  set f = false;\n  set t = true;\n  set n = %-5;\n  set vendor-class-identifier = \"MSFT 5.0\";\n",
            1,
        );
        let header = String::from_utf8(writer::header()).unwrap();
        assert_eq!(file, header + &turned);
        assert_eq!(lines, ["Wrote 1 leases to leases file."]);
    }

    #[test]
    fn formats_of_identifiers_and_times_follow_the_configuration() {
        struct East(Config);
        impl Words for East {
            fn config(&self) -> &Config {
                &self.0
            }
            fn local_offset(&self, _: Seconds) -> Seconds {
                3600
            }
        }
        let mut config = plain();
        config.lease_id_format = crate::config::network::LeaseIdFormat::Hex;
        config.db_time_format_local = true;
        let lease = only(b"lease 10.0.0.10 { starts epoch 1767225600; ends never; uid 1:2:ff; }");
        let mut out = Vec::new();
        write_lease(&mut out, &lease, NOW, &East(config), &mut Vec::new());
        let text = "lease 10.0.0.10 {\n  starts epoch 1767225600; # Thu Jan 01 01:00:00 2026\n  ends never;\n  tstp never;\n  \
            binding state active;\n  next binding state free;\n  uid 01:02:ff;\n}\n";
        assert_eq!(String::from_utf8(out).unwrap(), text);
    }

    #[test]
    fn what_is_left_out() {
        let config = plain();
        // Not printable, a quote, no value; a negative time.
        let mut lease = only(b"lease 10.0.0.10 { client-hostname \"a\\\"b\"; set x = \"\"; }");
        lease.starts = -1;
        lease.bindings.entries.push(("gone".into(), None));
        let mut out = Vec::new();
        write_lease(&mut out, &lease, NOW, &config, &mut Vec::new());
        assert_eq!(out, b"lease 10.0.0.10 {\n  binding state free;\n  set x = \"\";\n}\n");
        // A free lease without identity is not written at all.
        let (mut db, others, _) = loaded(&config, b"lease 10.0.0.10 { ends 4 2026/01/01 00:00:00; }");
        assert_eq!(rewritten(&config, &mut db, &others).1, ["Wrote 0 leases to leases file."]);
    }

    #[test]
    fn a_billing_is_written_while_the_lease_runs() {
        let mut config = plain();
        let class = |name: &str, superclass, value: Option<&[u8]>| Class {
            name: name.into(),
            superclass,
            hash_value: value.map(Octets::new),
            scope: ScopeId::ROOT,
            match_if: None,
            submatch: None,
            spawning: true,
            subclasses: Default::default(),
            lease_limit: Some(1),
            dynamic: false,
            deleted: false,
        };
        config.classes = vec![class("c", None, None), class("c", Some(ClassId(0)), Some(b"text"))];
        config.classes[0].subclasses.insert(Octets::new(b"text"), ClassId(1));
        config.class_order = vec![ClassId(0)];
        let file = b"lease 10.0.0.10 { binding state active; ends never; billing class \"c\"; }\n\
            lease 10.0.0.11 { binding state active; ends never; billing subclass \"c\" \"text\"; }\n\
            lease 10.0.0.12 { binding state active; ends never; billing subclass \"c\" 1:2; }\n\
            lease 10.0.0.13 { binding state active; ends never; billing class \"c\"; }\n\
            lease 10.0.0.14 { binding state active; ends 4 2026/01/01 00:00:00; billing subclass \"c\" 9; }\n";
        let mut db = LeaseDb::new(&config).unwrap();
        let (mut others, mut spawned) = (Others::default(), Spawned::default());
        let mut config = Arc::new(config);
        let mut loading =
            Loading { config: &mut config, db: &mut db, others: &mut others, spawned: &mut spawned };
        assert!(loading.load(file, b"f", NOW, &mut |_, _, _| Ok(None)).is_empty());
        db.start();
        let billing = |last: u8| {
            let mut out = Vec::new();
            let lease = db.lease(id(&db, &format!("10.0.0.{last}")));
            write_lease(&mut out, &lease, NOW, &Both(&config, &spawned), &mut Vec::new());
            let text = String::from_utf8(out).unwrap();
            text.lines().find(|line| line.contains("billing")).map(str::to_owned)
        };
        assert_eq!(billing(10).unwrap(), "  billing class \"c\";");
        assert_eq!(billing(11).unwrap(), "  billing subclass \"c\" \"text\";");
        assert_eq!(billing(12).unwrap(), "  billing subclass \"c\" 01:02;");
        assert_eq!(billing(13), None, "the limit of one is used up");
        assert_eq!(billing(14), None, "it has ended");
    }

    #[test]
    fn legacy_forms() {
        let lease = only(
            b"lease 10.0.0.10 { Class foo; ABANDONED; timestamp 4 2026/01/01 00:00:00; ddns-fwd-name \"a.b\"; \
              ddns-rev-name \"1.in-addr.arpa\"; client-hostname a.b-1.; uid 61:62; starts 4 126/01/01 00:00:00 3600; }",
        );
        assert_eq!((lease.state, lease.next_state), (BindingState::Abandoned, BindingState::Abandoned));
        assert_eq!(lease.client_hostname.as_deref(), Some(&b"a.b-1."[..]));
        assert_eq!(lease.uid.as_deref(), Some(&b"ab"[..]));
        assert_eq!(lease.starts, 1_767_229_200);
        assert_eq!(lease.bindings.data("ddns-fwd-name").map(|o| o.as_slice()), Some(&b"a.b"[..]));
        let lease = only(b"lease 10.0.0.10 { binding state bootp; }");
        assert_eq!((lease.state, lease.dynamic_bootp), (BindingState::Active, true));
        assert!(only(b"lease 10.0.0.10 { binding state reserved; }").reserved);
        let lease = only(b"lease 10.0.0.10 { hardware unknown-7 1:2; set x = aa:bb; }");
        assert_eq!(lease.hardware, Some(Hardware { htype: 7, address: vec![1, 2] }));
        assert_eq!(lease.bindings.data("x").map(|o| o.as_slice()), Some(&[0xaa, 0xbb][..]));
    }

    #[test]
    fn on_blocks_are_typed_and_shared() {
        let config = plain();
        let block = |last: u8, on: &str| {
            format!("lease 10.0.0.{last} {{\n  ends never;\n  tstp never;\n  binding state active;\n{on}}}\n")
        };
        let both = "  on expiry or release {\n    set a = \"x\" ;\n    log (info, \"gone\");\n  }\n";
        let apart = "  on expiry {\n    set a = \"x\" ;\n  }\n  on release {\n    set a = \"x\" ;\n  }\n";
        let wrong = "  on expiry {\n    nonsense here;\n  }\n";
        let file = block(10, both) + &block(11, both) + &block(12, apart) + &block(13, wrong);
        let mut db = LeaseDb::new(&config).unwrap();
        let (mut others, mut spawned) = (Others::default(), Spawned::default());
        let mut config = Arc::new(config);
        let mut loading =
            Loading { config: &mut config, db: &mut db, others: &mut others, spawned: &mut spawned };
        let lines = loading.load(file.as_bytes(), b"f", NOW, &mut *typed_handlers());
        assert_eq!(
            messages(&lines),
            ["f line 35: semicolon expected.", "    nonsense here;", "              ^"]
        );
        db.start();
        let expiry = |last: u8| db.lease(id(&db, &format!("10.0.0.{last}"))).handlers.expiry.clone();
        assert!(Arc::ptr_eq(&expiry(10).unwrap().body, &expiry(11).unwrap().body));
        assert!(expiry(13).is_none(), "what cannot be typed stays text");
        let (mut written, _) = rewritten(&config, &mut db, &others);
        written = written.split_off(writer::header().len());
        // Among equal ends the order is that of the addresses.
        assert_eq!(written, file);
    }

    #[test]
    fn without_a_state_the_end_decides() {
        let lease = only(b"lease 10.0.0.10 { ends never; }");
        assert_eq!(
            (lease.state, lease.next_state, lease.tstp),
            (BindingState::Active, BindingState::Free, NEVER)
        );
        let lease = only(b"lease 10.0.0.10 { ends 4 2026/01/01 00:00:00; tstp 5 2026/01/02 00:00:00; }");
        assert_eq!((lease.state, lease.tstp), (BindingState::Free, 1_767_312_000));
        let lease = only(b"lease 10.0.0.10 { on expiry { set a = 1; } on commit { set b = 2; } }");
        assert_eq!((lease.state, lease.raw_handlers.map(|raw| raw.len())), (BindingState::Active, Some(1)));
        let lease = only(b"lease 10.0.0.10 { on expiry { } on release; }");
        assert_eq!((lease.state, lease.raw_handlers), (BindingState::Free, None));
    }

    #[test]
    fn states_may_come_in_any_order() {
        let lease = only(
            b"lease 10.0.0.10 { next binding state free; rewind binding state free; binding state active; }",
        );
        use BindingState::{Active, Free};
        assert_eq!((lease.state, lease.next_state, lease.rewind_state), (Active, Free, Free));
    }

    #[test]
    fn messages_about_a_lease() {
        let line = |rest: &str| complaints(format!("lease 10.0.0.10 {{ {rest} }}").as_bytes());
        let first = |rest: &str| line(rest)[0].clone();
        assert_eq!(first("uid \"a\" x;"), "f line 1: semicolon expected.");
        assert_eq!(first("client-hostname ;"), "f line 1: expecting a hostname.");
        assert_eq!(first("hardware foo 1:2;"), "f line 1: expecting a network hardware type");
        assert_eq!(first("hardware ethernet 1:2:zz;"), "f line 1: expecting numeric value.");
        let long = vec!["1"; 21].join(":");
        assert_eq!(first(&format!("hardware ethernet {long};")), "f line 1: hardware address too long");
        assert_eq!(first("next state free;"), "f line 1: expecting 'binding'");
        assert_eq!(first("binding free;"), "f line 1: expecting 'state'");
        assert_eq!(first("binding state used;"), "f line 1: used: expecting a binding state.");
        assert_eq!(first("billing class \"zz\";"), "f line 1: unknown class zz");
        assert_eq!(first("billing subclass \"zz\" 1;"), "f line 1: no class named zz");
        assert_eq!(first("billing zz;"), "f line 1: expecting \"class\"");
        assert_eq!(first("set state = 1;"), "f line 1: state can't be a variable name");
        assert_eq!(first("set x 1;"), "f line 1: expecting '=' in set statement.");
        assert_eq!(first("set x = 5;"), "f line 1: expecting a constant value.");
        assert_eq!(first("set x = %y;"), "f line 1: expecting decimal number.");
        assert_eq!(first("set x = maybe;"), "f line 1: expecting true or false");
        assert_eq!(first("option domain-name \"x\";"), "f line 1: agent option expected.");
        assert_eq!(first("option agent.nope 1;"), "f line 1: no option named nope in space agent");
        assert_eq!(first("option nope.x 1;"), "f line 1: no option space named nope.");
        assert_eq!(first("on full moon { }"), "f line 1: expecting a lease event type");
        assert_eq!(first("starts epoch x;"), "f line 1: Seconds since epoch expected.");
        assert_eq!(first("starts x;"), "f line 1: numeric day of week expected.");
        assert_eq!(
            first("starts 4 2026/01/01 00:00;"),
            "f line 1: expected colon separating minute from second."
        );
        assert_eq!(first("uid 100;"), "f line 1: 100 exceeds max (255) for precision.");
        assert_eq!(complaints(b"lease 10.0.0 { }")[0], "f line 1: too few numbers.");
        assert_eq!(complaints(b"lease foo { }")[0], "f line 1: expecting numeric value.");
        assert_eq!(complaints(b"lease 10.0.0.10 ;")[0], "f line 1: expecting left brace.");
        assert_eq!(complaints(b"lease 10.0.0.300 { }")[0], "f line 1: 300 exceeds max (255) for precision.");
        assert_eq!(line("starts x;").len(), 3, "the lease is used all the same");
    }

    #[test]
    fn bad_octets_are_reported_from_the_last() {
        let lines = complaints(b"lease 10.0.0.10 { uid 1:100:200; }");
        assert_eq!(lines[0], "f line 1: 200 exceeds max (255) for precision.");
        assert_eq!(lines[3], "f line 1: 100 exceeds max (255) for precision.");
        assert_eq!(lines[2], format!("{}^", " ".repeat(28)));
    }

    #[test]
    fn other_blocks_survive_a_rewrite() {
        let mut config = Arc::new(empty());
        let blocks = "class \"dyn\" {\n  dynamic;\n  match hardware;\n}\n\n\
            subclass \"dyn\" 01:02 {\n  dynamic;\n}\n\n\
            group g {\n  dynamic;\n        supersede domain-name = \"a{b\";\n}\n\
            host h.example {\n  dynamic;\n  hardware ethernet 02:00:00:00:00:01;\n}\n";
        let deleted = "host gone { dynamic; }\nhost gone { deleted; }\n";
        let (mut db, others, lines) = loaded_into(&mut config, (blocks.to_owned() + deleted).as_bytes());
        assert_eq!(messages(&lines), [""; 0]);
        let (file, lines) = rewritten(&config, &mut db, &others);
        assert_eq!(file, String::from_utf8(writer::header()).unwrap() + blocks);
        assert_eq!(
            lines,
            [
                "Wrote 2 class decls to leases file.",
                "Wrote 1 group decls to leases file.",
                "Wrote 0 deleted host decls to leases file.",
                "Wrote 0 new dynamic host decls to leases file.",
                "Wrote 0 leases to leases file."
            ]
        );
    }

    #[test]
    fn every_lease_before_a_cut_is_loaded() {
        let config = plain();
        let block = |last: u8| {
            format!(
                "lease 10.0.0.{last} {{\n  starts 4 2026/01/01 00:00:00;\n  ends never;\n  binding state active;\n  \
                 hardware ethernet 02:00:00:00:00:{last};\n  uid \"\\001{last}\";\n  set a = \"b\";\n  \
                 client-hostname \"h\";\n  on expiry {{\n    set x = \"}}\" ;\n  }}\n}}\n"
            )
        };
        let blocks: Vec<String> = (10..14).map(block).collect();
        let whole = String::from_utf8(writer::header()).unwrap() + &blocks.concat();
        let mut ends = Vec::new();
        let mut at = writer::header().len();
        for block in &blocks {
            // Without its newline it is complete, too.
            at += block.len();
            ends.push(at - 1);
        }
        for cut in 0..=whole.len() {
            let (db, _, _) = loaded(&config, &whole.as_bytes()[..cut]);
            let complete = ends.iter().filter(|&&end| end <= cut).count();
            for last in 10..10 + complete {
                let lease = db.lease(id(&db, &format!("10.0.0.{last}")));
                assert_eq!(lease.state, BindingState::Active, "cut at {cut}, lease {last}");
                assert!(lease.hardware.is_some() && lease.uid.is_some() && lease.raw_handlers.is_some());
            }
        }
    }

    proptest! {
        #[test]
        fn random_octets_do_no_harm(source in proptest::collection::vec(any::<u8>(), 0..600)) {
            let (mut db, others, _) = loaded(&plain(), &source);
            rewritten(&plain(), &mut db, &others);
        }

        /// Words of the language in any order.
        #[test]
        fn random_words_do_no_harm(picks in proptest::collection::vec(0usize..64, 0..120)) {
            const WORDS: [&str; 64] = [
                "lease", "10.0.0.10", "{", "}", ";", "starts", "ends", "never", "epoch", "4", "2026/01/01", "00:00:00",
                "binding", "state", "active", "free", "next", "rewind", "uid", "\"\\001\\377\"", "1:2:ff", "hardware",
                "ethernet", "set", "x", "=", "%5", "true", "option", "agent.circuit-id", "agent.agent-id", "client-hostname",
                "billing", "class", "\"c\"", "subclass", "on", "expiry", "or", "release", "commit", "host", "group",
                "failover", "peer", "ia-na", "server-duid", "authoring-byte-order", "little-endian", "spawn", "with",
                "dynamic", "deleted", "\"open", "\\", "#", "\n", "\u{ff}", "-", "99999999999", "0x", "tstp", "abandoned", "lease 10.0.0.11 {",
            ];
            let text: String = picks.iter().map(|&at| WORDS[at].to_owned() + " ").collect();
            let (mut db, others, _) = loaded(&plain(), text.as_bytes());
            rewritten(&plain(), &mut db, &others);
        }

        /// What is written is read back as it was.
        #[test]
        fn written_is_read(
            uid in proptest::collection::vec(any::<u8>(), 1..40),
            value in proptest::collection::vec(any::<u8>(), 0..40),
            circuit in proptest::collection::vec(any::<u8>(), 1..30),
            hardware in proptest::collection::vec(any::<u8>(), 0..20),
            (htype, number) in (any::<u8>(), any::<i64>()),
            times in proptest::array::uniform6(0i64..2_145_916_800),
            (state, next, rewind) in (0usize..7, 0usize..7, 0usize..7),
        ) {
            use BindingState::*;
            let states = [Free, Active, Expired, Released, Abandoned, Reset, Backup];
            let mut lease = Lease::virgin(Ipv4Addr::new(10, 0, 0, 10), PoolId(0), SubnetId(0));
            [lease.starts, lease.ends, lease.tstp, lease.tsfp, lease.atsfp, lease.cltt] = times;
            if lease.tstp == 0 {
                lease.tstp = lease.ends;
            }
            (lease.state, lease.next_state, lease.rewind_state) = (states[state], states[next], states[rewind]);
            lease.uid = Some(Octets::new(&uid));
            lease.hardware = Some(Hardware { htype, address: hardware });
            lease.bindings.entries.push(("a".into(), Some(Value::Data(Octets::new(&value)))));
            lease.bindings.entries.push(("b".into(), Some(Value::Number(number))));
            // A last NUL of a text is not written.
            let circuit: Vec<u8> = circuit.into_iter().map(|c| c.max(1)).collect();
            let value = Octets::new(&circuit);
            lease.agent_options.push(AgentOption { code: 1, value, configured: false });
            let config = plain();
            let mut out = Vec::new();
            write_lease(&mut out, &lease, NOW, &config, &mut Vec::new());
            struct Take(Option<Lease>, Vec<Line>);
            impl Sink for Take {
                fn lease(&mut self, lease: Lease) -> Option<Line> {
                    self.0 = Some(lease);
                    None
                }
                fn other(&mut self, _: OtherBlock) {}
                fn line(&mut self, line: Line) {
                    self.1.push(line);
                }
            }
            let mut take = Take(None, Vec::new());
            read(&out, b"f", &config, NOW, &mut take);
            lease.bindings.entries.reverse();
            prop_assert_eq!(messages(&take.1), Vec::<String>::new());
            prop_assert_eq!(take.0, Some(lease));
        }
    }
}

/// Lease files with what the real dhcpd said about them, and, where recorded, how it rewrote them.
mod recorded {
    use super::*;
    use std::path::{Path, PathBuf};

    /// As much of a configuration as these cases use: subnets with ranges, classes, a failover peer or none.
    fn configuration(text: &str) -> Config {
        let mut pools: Vec<Vec<(String, String)>> = Vec::new();
        let words: Vec<&str> =
            text.split(|c: char| c.is_whitespace() || c == ';').filter(|w| !w.is_empty()).collect();
        let mut classes = Vec::new();
        for pair in words.windows(3) {
            match pair {
                ["subnet", ..] => pools.push(Vec::new()),
                ["range", first, last] => {
                    pools.last_mut().unwrap().push(((*first).to_owned(), (*last).to_owned()));
                }
                ["class", name, _] => classes.push(name.trim_matches('"').to_owned()),
                _ => {}
            }
        }
        let ranges: Vec<Vec<(&str, &str)>> =
            pools.iter().map(|pool| pool.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect()).collect();
        let networks: Vec<[&[(&str, &str)]; 1]> = ranges.iter().map(|pool| [&pool[..]]).collect();
        let networks: Vec<&[&[(&str, &str)]]> = networks.iter().map(|network| &network[..]).collect();
        let mut config = config(&networks);
        for name in classes {
            config.class_order.push(ClassId(config.classes.len() as u32));
            config.classes.push(Class {
                name: name.as_str().into(),
                superclass: None,
                hash_value: None,
                scope: ScopeId::ROOT,
                match_if: None,
                submatch: None,
                spawning: false,
                subclasses: Default::default(),
                lease_limit: words.windows(3).find_map(|pair| match pair {
                    ["lease", "limit", limit] => limit.parse().ok(),
                    _ => None,
                }),
                dynamic: false,
                deleted: false,
            });
        }
        config.lease_id_format = if text.contains("lease-id-format hex") {
            crate::config::network::LeaseIdFormat::Hex
        } else {
            crate::config::network::LeaseIdFormat::Octal
        };
        config
    }

    /// What dhcpd prints between its banner and the verdict.
    fn said(expected: &str) -> String {
        let behind = expected.split_once("PID file: ").map_or("", |(_, rest)| rest);
        let lines = behind.split_once('\n').map_or("", |(_, rest)| rest);
        lines.split("Lease file test successful").next().unwrap_or_default().to_owned()
    }

    /// What differs.
    fn check(directory: &Path, name: &str) -> Vec<String> {
        #[allow(clippy::disallowed_methods)]
        let read = |extension: &str| std::fs::read(directory.join(format!("{name}.{extension}"))).ok();
        let config = configuration(&String::from_utf8(read("conf").unwrap()).unwrap());
        let source = read("leases").unwrap();
        let expected = String::from_utf8_lossy(&read("expected").unwrap()).into_owned();
        #[allow(clippy::disallowed_methods)]
        let now =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as Seconds;
        let mut db = LeaseDb::new(&config).unwrap();
        let (mut others, mut spawned) = (Others::default(), Spawned::default());
        let mut config = Arc::new(config);
        let mut loading =
            Loading { config: &mut config, db: &mut db, others: &mut others, spawned: &mut spawned };
        let file = format!("{name}.leases");
        let mut lines = loading.load(&source, file.as_bytes(), now, &mut *typed_handlers());
        db.start();
        for pool in db.pool_order().to_vec() {
            while let Some(lease) = db.due_in(pool, now) {
                db.settle(lease, now, true);
            }
            db.recount(pool, now);
        }
        let (written, said_of_it) = Rewrite::whole(&mut db, &others, now, &Both(&config, &spawned));
        lines.extend(said_of_it);
        let ours: String =
            lines.iter().map(|line| String::from_utf8_lossy(&line.text).into_owned() + "\n").collect();
        let mut faults = Vec::new();
        if ours != said(&expected) {
            faults.push(format!("{name} says\n{ours}\nand not\n{}", said(&expected)));
        }
        if let Some(rewritten) = read("rewritten").filter(|rewritten| *rewritten != written) {
            let [ours, theirs] =
                [&written, &rewritten].map(|file| String::from_utf8_lossy(file).into_owned());
            let first = ours.lines().zip(theirs.lines()).find(|(a, b)| a != b);
            faults.push(format!("{name} is rewritten otherwise, at {first:?}"));
        }
        faults
    }

    fn check_all(directory: &Path, part: &str) -> usize {
        #[allow(clippy::disallowed_methods)]
        let Ok(entries) = std::fs::read_dir(directory) else {
            eprintln!("{} is absent: nothing to compare", directory.display());
            return 0;
        };
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".leases").map(str::to_owned))
            .filter(|name| name.contains(part))
            .collect();
        names.sort();
        let faults: Vec<String> = names.iter().flat_map(|name| check(directory, name)).collect();
        assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), names.len(), faults.join("\n"));
        names.len()
    }

    #[test]
    fn messages_are_those_of_dhcpd() {
        let shared = std::env::var_os("RELET_SHARED").map(PathBuf::from);
        let shared = shared.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"));
        let count = check_all(&shared.join("spec/snippets"), "-lf-");
        assert!(count == 0 || count > 20, "{count} cases only");
    }

    /// More cases of the same form, from a directory of the caller's.
    #[test]
    fn further_cases() {
        if let Some(directory) = std::env::var_os("RELET_LEASE_CASES") {
            assert!(check_all(Path::new(&directory), "") > 0);
        }
    }
}
