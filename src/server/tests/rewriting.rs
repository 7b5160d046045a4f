//! The hourly rewrite of a large lease file: in pieces, while clients come and go.

use super::*;
use crate::lease::{BindingState, LeaseDb, is_worth_writing};
use proptest::prelude::*;

const CONFIG: &str = "
    authoritative;
    ping-check false;
    dhcp-cache-threshold 0;
    default-lease-time 90000; max-lease-time 90000;
    subnet 10.0.0.0 netmask 255.255.0.0 { range 10.0.0.10 10.0.7.255; }
";

/// So many leases make several pieces.
const LEASES: u32 = 1900;

fn address(n: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(0x0a00_000a + n)
}

/// Most of them active, each tenth free.
fn leases() -> String {
    let lease = |n: u32| {
        let (state, end) = if n % 10 == 9 { ("free", START - 50) } else { ("active", START + 80_000) };
        format!(
            "lease {} {{\n  starts epoch {};\n  ends epoch {end};\n  tstp epoch {end};\n  binding state {state};\n  \
             next binding state free;\n  rewind binding state free;\n  hardware ethernet 02:00:00:00:01:{:02x};\n  \
             client-hostname \"a-rather-long-name-for-a-client-{n}\";\n}}\n",
            address(n),
            START - 100,
            n % 256
        )
    };
    (0..LEASES).map(lease).collect()
}

/// The server an hour later, in the middle of the rewrite that a renewal has begun.
fn in_the_middle() -> Server {
    let mut server = Server::with_leases(CONFIG, &leases());
    server.wait(3700);
    server.lines();
    server.receive(&Client::request(1, "10.0.7.200"));
    assert!(server.new.is_some(), "the first piece is not the last");
    assert_eq!(server.reply().kind(), 5, "and nobody waits for it");
    server
}

/// One piece more.
fn piece(server: &mut Server) {
    server.elapsed += Duration::from_millis(2);
    server.event(Event::Timer);
}

/// What a file says must be what the server knows.
fn agree(file: &str, leases: &LeaseDb) {
    let again = Server::with_leases(CONFIG, file);
    let known = again.engine.leases();
    for n in 0..2038 {
        let (a, b) = (known.find(address(n)).unwrap(), leases.find(address(n)).unwrap());
        let (a, b) = (known.lease(a).into_owned(), leases.lease(b).into_owned());
        assert_eq!(is_worth_writing(&a), is_worth_writing(&b), "{}", a.address);
        if is_worth_writing(&b) {
            assert_eq!((a.state, a.ends, a.cltt), (b.state, b.ends, b.cltt), "{}", a.address);
            assert_eq!((a.hardware, a.uid), (b.hardware, b.uid), "{}", b.address);
        }
    }
}

#[test]
fn a_large_file_is_written_beside_the_serving_of_packets() {
    let mut server = in_the_middle();
    let old = server.file.clone();
    let mut pieces = 1;
    while server.new.is_some() {
        piece(&mut server);
        pieces += 1;
        if pieces == 3 {
            server.receive(&Client::request(2, "10.0.7.201"));
            assert_eq!(server.reply().kind(), 5);
            server.receive(&Client::discover(3));
            assert_eq!(server.reply().kind(), 2);
        }
    }
    assert!(pieces > 3, "{pieces}");
    assert!(server.file.starts_with("# The format of this file") && server.file != old);
    assert!(server.lines().iter().any(|line| line.starts_with("Wrote ")));
    agree(&server.file, server.engine.leases());
    assert!(server.engine.next_timer().tick.is_none(), "nothing is left to do");
}

#[test]
fn when_the_old_file_breaks_meanwhile_acks_wait_for_the_new_one() {
    let mut server = in_the_middle();
    server.disk_works = false;
    server.receive(&Client::request(2, "10.0.7.201"));
    let failed = server.held.pop().unwrap();
    server.event(Event::CommitFailed(failed));
    server.silent();
    server.lines();
    // It asks again, others ask too; nothing can be appended now.
    let before = server.file.clone();
    server.receive(&Client::request(2, "10.0.7.201"));
    server.receive(&Client::request(4, "10.0.7.202"));
    assert!(server.held.is_empty() && server.file == before);
    while server.held.is_empty() {
        piece(&mut server);
    }
    // After the last piece, before it is in place.
    server.receive(&Client::request(5, "10.0.7.203"));
    server.silent();
    let (whole, installed) = (server.file.clone(), server.held.pop().unwrap());
    assert!(whole.contains("lease 10.0.7.202") && !whole.contains("lease 10.0.7.203"));
    server.event(Event::Committed(installed));
    assert_eq!(server.sent.len(), 2);
    server.sent.clear();
    let late = server.held.pop().unwrap();
    assert!(server.file.contains("lease 10.0.7.203"));
    server.event(Event::Committed(late));
    assert_eq!(server.reply().kind(), 5);
    agree(&server.file, server.engine.leases());
}

#[test]
fn a_failed_rewrite_harms_nobody() {
    let mut server = in_the_middle();
    server.disk_works = false;
    while server.held.is_empty() {
        piece(&mut server);
    }
    let rewrite = server.held.pop().unwrap();
    server.event(Event::CommitFailed(rewrite));
    server.disk_works = true;
    server.lines();
    server.receive(&Client::request(2, "10.0.7.201"));
    assert_eq!(server.reply().kind(), 5);
    assert_eq!(server.lines().len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever clients do between the pieces, the new file says what the server knows.
    #[test]
    fn clients_may_do_anything_meanwhile(steps in proptest::collection::vec((0u8..5, 0u8..6, 0u32..2040), 1..60)) {
        let mut server = in_the_middle();
        let mut steps = steps.into_iter();
        while server.new.is_some() {
            for (kind, client, n) in steps.by_ref().take(3) {
                let address = address(n).to_string();
                server.receive(&match kind {
                    0 => Client::discover(client),
                    1 => Client::request(client, &address),
                    2 => Client::discover(client).with(50, &self::address(n).octets()),
                    3 => Client { ciaddr: self::address(n), ..Client::new(client, 7) },
                    _ => Client::new(client, 4).with(50, &self::address(n).octets()),
                });
            }
            server.sent.clear();
            piece(&mut server);
        }
        agree(&server.file, server.engine.leases());
        let active = |id| server.engine.leases().lease(id).state == BindingState::Active;
        let known = server.engine.leases();
        prop_assert!((0..2038).filter(|&n| active(known.find(address(n)).unwrap())).count() > 1500);
    }
}
