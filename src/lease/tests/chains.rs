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
