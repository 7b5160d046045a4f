//! Packets nobody should send: no panic, no loss of bounds, no wrong lease.

use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

/// A configuration that uses as much of the engine as there is room for.
const EVERYTHING: &str = "
    authoritative; one-lease-per-client on; allow leasequery; allow bootp; always-reply-rfc1048 on;
    echo-client-id on; get-lease-hostnames on; use-host-decl-names on; infinite-is-reserved on;
    adaptive-lease-time-threshold 50; log-threshold-high 60; log-threshold-low 20; ping-timeout 1;
    use-lease-addr-for-default-route on; default-lease-time 60; max-lease-time 600; min-secs 0;
    filename \"boot\"; server-name \"server\"; next-server 10.0.0.2; option root-path \"/srv/root\";
    option domain-name = pick (option host-name, \"none\");
    option ntp-servers = substring (option dhcp-client-identifier, 1, 4);
    set last = concat (binary-to-ascii (16, 8, \":\", packet (0, 4)), \"x\");
    log (info, concat (\"got \", pick (last, \"\"), binary-to-ascii (10, 8, \".\", option agent.circuit-id)));
    on commit { set kept = option vendor-class-identifier; }
    on release { log (info, \"released\"); }
    on expiry { log (info, concat (\"expired \", pick (kept, \"\"))); }
    class \"short\" { match if substring (option vendor-class-identifier, 0, 1) = \"v\"; lease limit 2; }
    class \"ports\" { spawn with option agent.circuit-id; lease limit 2; }
    class \"chips\" { match substring (hardware, 1, 3); }
    subclass \"chips\" 2:0:0 { option routers 10.0.0.9; }
    shared-network both {
      subnet 10.0.0.0 netmask 255.255.255.0 {
        pool { range 10.0.0.10 10.0.0.13; deny members of \"short\"; }
        pool { range dynamic-bootp 10.0.0.20 10.0.0.21; }
      }
      subnet 10.1.0.0 netmask 255.255.255.0 { range 10.1.0.10 10.1.0.11; }
    }
    subnet 10.9.0.0 netmask 255.255.255.0 { range 10.9.0.10 10.9.0.12; option domain-search \"a.example\"; }
    host fixed { hardware ethernet 2:0:0:0:0:2; fixed-address 10.0.0.50, 10.9.0.50; }
    host known { hardware ethernet 2:0:0:0:0:3; option host-name \"known\"; }
    host other { host-identifier option vendor-class-identifier \"v3\"; }
";

/// Something a client, a relay or nobody would send.
fn packets() -> impl Strategy<Value = Client> {
    let kind = prop::sample::select(vec![1u8, 1, 3, 3, 3, 4, 7, 8, 10, 2, 5, 9, 0, 99]);
    let address = || {
        prop::sample::select(vec![
            "0.0.0.0",
            "10.0.0.10",
            "10.0.0.11",
            "10.0.0.20",
            "10.0.0.50",
            "10.1.0.10",
            "10.9.0.10",
            "192.0.2.1",
        ])
    };
    let relay =
        prop::sample::select(vec!["0.0.0.0", "0.0.0.0", "0.0.0.0", "10.9.0.1", "10.0.0.9", "172.16.0.1"]);
    let code = prop::sample::select(vec![
        12u8, 43, 50, 51, 52, 53, 54, 55, 56, 57, 60, 61, 77, 81, 82, 93, 118, 124, 125, 200,
    ]);
    let options = prop::collection::vec((code, prop::collection::vec(any::<u8>(), 0..20)), 0..6);
    let likely = prop::collection::vec(
        prop::sample::select(vec![
            (61u8, b"id-a".to_vec()),
            (61, b"id-b".to_vec()),
            (60, b"v1".to_vec()),
            (60, b"v3".to_vec()),
            (12, b"name\0".to_vec()),
            (51, vec![0xff; 4]),
            (51, vec![0, 0, 0, 1]),
            (55, vec![3, 1, 12, 15, 119]),
            (82, vec![1, 1, 7]),
            (82, vec![5, 4, 10, 9, 0, 0]),
            (57, vec![2, 64]),
        ]),
        0..5,
    );
    (kind, address(), address(), relay, options, likely, any::<(u8, u8, u16, u8)>()).prop_map(
        |(kind, wanted, ciaddr, giaddr, mut options, likely, (shape, mac, flags, secs))| {
            let mut client = Client::new(mac % 6, kind);
            if kind == 0 {
                client.options.clear();
            }
            if wanted != "0.0.0.0" && shape & 1 == 0 {
                client = client.address(50, wanted);
            }
            if shape & 6 == 0 {
                client.ciaddr = ciaddr.parse().unwrap();
            }
            if shape & 0x30 == 0 {
                client.htype = shape >> 6;
                client.hlen = secs % 18;
            }
            client.op = if shape & 0x38 == 0x38 { 2 } else { 1 };
            client.giaddr = giaddr.parse().unwrap();
            client.flags = flags & 0x8000;
            client.secs = u16::from(secs);
            client.options.extend(likely);
            if shape & 0x0c == 0 {
                client.options.append(&mut options);
            }
            client
        },
    )
}

/// No address may be active for two clients, and nobody is told an address the file does not have for him.
fn invariants(server: &Server, holders: &mut HashMap<Ipv4Addr, Vec<u8>>) {
    for send in &server.sent {
        let payload = &send.payload;
        assert!((236..=1500).contains(&payload.len()), "{} octets", payload.len());
        assert_eq!(payload[0], 2);
        let reply = Reply { send: send.clone() };
        let address = Ipv4Addr::from(<[u8; 4]>::try_from(&payload[16..20]).unwrap());
        if reply.kind() == 5 && !address.is_unspecified() && server.engine.leases().find(address).is_some() {
            let id = server.engine.leases().find(address).unwrap();
            let lease = server.engine.leases().lease(id);
            let hardware = lease.hardware.as_ref().expect("the lease of an ACK has an owner");
            assert_eq!(hardware.address, payload[28..28 + usize::from(payload[2])], "{address}");
            assert!(server.file.contains(&format!("lease {address} {{")), "acknowledged but not written");
            holders.insert(address, hardware.address.clone());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn sequences_of_odd_packets(
        steps in prop::collection::vec((packets(), 0u64..4, any::<u8>()), 1..60),
    ) {
        let mut server = Server::new(EVERYTHING);
        let mut holders = HashMap::new();
        for (packet, wait, chance) in steps {
            if chance < 60 {
                server.wait(wait * 20);
            }
            if chance % 16 == 1 {
                server.event(Event::EchoReply { from: Ipv4Addr::new(10, 0, 0, 10 + chance % 12) });
            }
            if chance == 2 {
                server.disk_works = !server.disk_works;
            }
            if chance == 3 && let Some(id) = server.held.pop() {
                server.held.clear();
                server.event(Event::CommitFailed(id));
            }
            server.receive(&packet);
            invariants(&server, &mut holders);
            server.sent.clear();
            server.lines();
        }
    }

    #[test]
    fn octets_of_any_kind(payload in prop::collection::vec(any::<u8>(), 0..700)) {
        let mut server = Server::new(EVERYTHING);
        server.receive_octets(&payload);
        let mut whole = Client::discover(1).encode();
        for (at, octet) in payload.iter().enumerate() {
            if let Some(place) = whole.get_mut(at * 7 % 320) && octet & 1 == 1 {
                *place ^= octet;
            }
        }
        server.receive_octets(&whole);
        server.wait(3);
    }
}

#[test]
fn a_flood_of_hardware_addresses_and_circuits() {
    let mut server = Server::new(EVERYTHING);
    for number in 0..30_000u32 {
        let mut octets =
            Client::discover(1).with(82, &[&[1, 4][..], &number.to_be_bytes()].concat()).encode();
        octets[29..33].copy_from_slice(&number.to_be_bytes());
        server.receive_octets(&octets);
        server.log.clear();
        server.sent.clear();
        server.pings.clear();
    }
    assert!(server.engine.spawned() <= 1025, "{}", server.engine.spawned());
    assert!(server.engine.waiting() <= 12, "at most one reply an address");
}
