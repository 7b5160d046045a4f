//! Parameters, permits, address order, limits.

use super::*;

fn subnet(body: &str) -> String {
    format!("ping-check false; authoritative; subnet 10.0.0.0 netmask 255.255.255.0 {{ {body} }}")
}

/// The addresses offered to new clients, one after the other.
fn offers(server: &mut Server, clients: u8) -> Vec<u8> {
    let mut given = Vec::new();
    for mac in 1..=clients {
        server.receive(&Client::discover(mac));
        match server.sent.pop() {
            Some(send) => given.push(send.payload[19]),
            None => break,
        }
    }
    given
}

#[test]
fn address_order() {
    let mut server = Server::new(&subnet("range 10.0.0.10 10.0.0.14;"));
    assert_eq!(offers(&mut server, 9), [10, 11, 12, 13, 14]);
    // An interrupted run goes in front.
    let mut server = Server::new(&subnet(
        "pool { range 10.0.0.40 10.0.0.42; range 10.0.0.10 10.0.0.12; }
         pool { range 10.0.0.20; deny all clients; }",
    ));
    assert_eq!(offers(&mut server, 9), [40, 41, 42, 10, 11, 12]);
    // Used addresses of earlier pools come after virgin ones of later pools.
    let leases = "
        lease 10.0.0.10 { starts 1 2023/01/01 00:00:00; ends 1 2023/01/02 00:00:00; binding state free; hardware ethernet 2:0:0:0:9:9; }
        lease 10.0.0.20 { starts 1 2022/01/01 00:00:00; ends 1 2022/01/02 00:00:00; binding state free; hardware ethernet 2:0:0:0:9:9; }
    ";
    let config = subnet(
        "pool { range 10.0.0.10; } pool { range 10.0.0.20; option ntp-servers 10.0.0.1; }
         pool { range 10.0.0.30; option ntp-servers 10.0.0.2; }",
    );
    let mut server = Server::with_leases(&config, leases);
    assert_eq!(offers(&mut server, 9), [30, 20, 10]);
}

#[test]
fn abandoned_addresses_are_the_last_resort() {
    let leases = "lease 10.0.0.10 { ends 1 2024/02/01 00:00:00; binding state abandoned; }";
    let mut server = Server::with_leases(&subnet("range 10.0.0.10 10.0.0.11;"), leases);
    server.receive(&Client::request(1, "10.0.0.11"));
    server.reply();
    server.lines();
    server.receive(&Client::discover(2));
    assert_eq!(server.lines()[0], "Reclaiming abandoned lease 10.0.0.10.");
    assert_eq!(server.reply().yiaddr(), "10.0.0.10");
    // It stays abandoned until somebody takes it.
    server.receive(&Client::discover(3));
    assert_eq!(server.reply().yiaddr(), "10.0.0.10");
}

#[test]
fn lease_times() {
    let length = |parameters: &str, asked: Option<u32>| {
        let mut server = Server::new(&format!("{parameters} {}", subnet("range 10.0.0.10;")));
        let mut discover = Client::discover(1);
        if let Some(asked) = asked {
            discover = discover.with(51, &asked.to_be_bytes());
        }
        server.receive(&discover);
        server.reply().seconds(51)
    };
    assert_eq!(length("", None), 43_200);
    assert_eq!(length("", Some(10)), 300);
    assert_eq!(length("", Some(500_000)), 86_400);
    assert_eq!(length("min-lease-time 500; max-lease-time 100;", Some(50)), 500);
    assert_eq!(length("default-lease-time 5; min-lease-time 0;", Some(0)), 0);
    // An infinite lease is sent as the seconds that are left.
    let infinite = length("max-lease-time infinite;", Some(u32::MAX));
    assert_eq!(i64::from(infinite), 0x7fff_ffff - START);
    let nearly = length("max-lease-time 4294967294;", Some(u32::MAX - 1));
    assert_eq!(i64::from(nearly), 0x7fff_fffe - START);
}

#[test]
fn reuse_and_what_prevents_it() {
    let mut server = Server::new(&format!("default-lease-time 1000; {}", subnet("range 10.0.0.10;")));
    let request = Client::request(1, "10.0.0.10").with(12, b"one");
    server.receive(&request);
    server.wait(10);
    server.file.clear();
    server.receive(&request.clone().with(60, b"changed"));
    assert_eq!(server.file, "", "reused");
    let mut renamed = request.clone();
    renamed.options.retain(|(code, _)| *code != 12);
    server.receive(&renamed.clone().with(12, b"two"));
    assert_ne!(server.file, "", "a new name is written");
    server.wait(251);
    server.file.clear();
    server.receive(&renamed);
    assert_ne!(server.file, "", "too old");
    server.file.clear();
    server.receive(&renamed.clone());
    assert_eq!(server.file, "");
    // The name went when a request came without one.
    server.lines();
    server.receive(&Client::discover(1));
    assert!(server.lines().concat().contains("reuse_lease"));
}

#[test]
fn permits_and_limits() {
    let mut server = Server::new(
        &subnet(
            "pool { range 10.0.0.10 10.0.0.11; allow members of \"v\"; }
         pool { range 10.0.0.20; deny unknown-clients; }
         pool { range 10.0.0.30; allow dynamic bootp clients; }",
        )
        .replacen(
            "subnet",
            "class \"v\" { match if option vendor-class-identifier = \"v\"; lease limit 1; }
         host known { hardware ethernet 2:0:0:0:0:7; } subnet",
            1,
        ),
    );
    server.receive(&Client::discover(1));
    assert!(server.lines()[0].ends_with("no free leases"));
    server.receive(&Client::discover(7));
    assert_eq!(server.reply().yiaddr(), "10.0.0.20");
    server.receive(&Client::bootp(8));
    assert_eq!(server.reply().yiaddr(), "10.0.0.30");
    server.receive(&Client::request(2, "10.0.0.10").with(60, b"v"));
    assert_eq!(server.reply().yiaddr(), "10.0.0.10");
    assert!(server.file.contains("billing class \"v\";"), "{}", server.file);
    server.lines();
    server.receive(&Client::request(3, "10.0.0.11").with(60, b"v"));
    assert_eq!(
        server.lines(),
        [
            "DHCPREQUEST for 10.0.0.11 from 02:00:00:00:00:03 via eth0: no available billing: lease limit reached in \
             all matching classes (last: 'v')"
        ]
    );
    server.silent();
}

#[test]
fn acks_may_wait_for_each_other() {
    // The count is swapped on little-endian machines, as in dhcpd.
    let count = if cfg!(target_endian = "little") { 2 << 8 } else { 2 };
    let config =
        format!("delayed-ack {count}; max-ack-delay 25000; {}", subnet("range 10.0.0.10 10.0.0.19;"));
    let mut server = Server::new(&config);
    server.receive(&Client::request(1, "10.0.0.10"));
    server.receive(&Client::request(2, "10.0.0.11"));
    server.silent();
    assert_eq!(server.engine.next_timer().tick, Some(Duration::from_millis(1_000_010)));
    server.receive(&Client::request(3, "10.0.0.12"));
    assert_eq!(server.sent.len(), 3, "the third one makes it");
    server.sent.clear();
    server.receive(&Client::request(4, "10.0.0.13"));
    server.wait(1);
    assert_eq!(server.reply().kind(), 5);
}

#[test]
fn the_file_is_written_anew_every_hour() {
    let mut server = Server::new(&subnet("range 10.0.0.10 10.0.0.19;"));
    server.receive(&Client::request(1, "10.0.0.10"));
    server.wait(3601);
    server.lines();
    server.receive(&Client::request(2, "10.0.0.11"));
    assert_eq!(
        server.lines(),
        [
            "DHCPREQUEST for 10.0.0.11 from 02:00:00:00:00:02 via eth0",
            "Wrote 2 leases to leases file.",
            "DHCPACK on 10.0.0.11 to 02:00:00:00:00:02 via eth0"
        ]
    );
}

#[test]
fn statements_on_expiry_survive_a_restart() {
    let config = subnet("range 10.0.0.10 10.0.0.19;");
    let leases = "lease 10.0.0.10 { starts 1 2023/01/01 00:00:00; ends 1 2024/01/01 00:01:00; binding state active;
        hardware ethernet 2:0:0:0:0:1; set kept = \"value\"; on expiry { log (info, concat (\"over: \", kept)); } }";
    let mut server = Server::with_leases(&config, leases);
    server.wait(60);
    assert_eq!(server.lines(), ["over: value"]);
}
