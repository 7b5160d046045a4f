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
    assert_eq!((released.ends, released.tstp, released.next_state), (NOW + 1, NOW + 1, BindingState::Free));
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
    assert!(abandoned.uid.is_none() && abandoned.hardware.is_none() && abandoned.client_hostname.is_none());
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
    let standing = Standing { role: Role::Primary, normal: true, not_cooperating: false, partner_down: None };
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
