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
            format!("lease 10.0.0.{last} {{\n  ends 4 2026/01/0{end} 00:00:00;\n  binding state free;\n}}\n")
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
