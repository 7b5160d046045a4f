//! The life of a client.

use super::*;

const SIMPLE: &str = "
    authoritative;
    ping-check false;
    default-lease-time 600; max-lease-time 7200;
    option domain-name-servers 10.0.0.2;
    subnet 10.0.0.0 netmask 255.255.255.0 { range 10.0.0.10 10.0.0.12; option routers 10.0.0.1; }
";

#[test]
fn discover_offer_request_ack_renew() {
    let mut server = Server::new(SIMPLE);
    server.receive(&Client::discover(9).with(55, &[1, 3, 6]));
    assert_eq!(
        server.lines(),
        [
            "DHCPDISCOVER from 02:00:00:00:00:09 via eth0",
            "DHCPOFFER on 10.0.0.10 to 02:00:00:00:00:09 via eth0"
        ]
    );
    let offer = server.reply();
    assert_eq!((offer.kind(), offer.yiaddr().as_str(), offer.seconds(51)), (2, "10.0.0.10", 600));
    assert_eq!(offer.codes(), [53, 54, 51, 1, 3, 6]);
    assert_eq!(offer.option(54), Some(vec![10, 0, 0, 1]));
    assert_eq!(offer.destination(), "packet 10.0.0.10:68 02:00:00:00:00:09");
    assert_eq!(offer.send.payload.len(), 300);
    assert_eq!(server.file, "", "an offer is not written");

    server.receive(&Client::request(9, "10.0.0.10").address(54, "10.0.0.1").with(12, b"pc9"));
    assert_eq!(
        server.lines(),
        [
            "DHCPREQUEST for 10.0.0.10 (10.0.0.1) from 02:00:00:00:00:09 via eth0",
            "DHCPACK on 10.0.0.10 to 02:00:00:00:00:09 (pc9) via eth0"
        ]
    );
    assert_eq!(server.reply().kind(), 5);
    assert!(
        server
            .file
            .contains("lease 10.0.0.10 {\n  starts 1 2024/01/01 00:00:00;\n  ends 1 2024/01/01 00:10:00;")
    );
    assert!(server.file.contains("client-hostname \"pc9\";"), "{}", server.file);

    // Young enough to be reused: nothing is written, and the old end stays.
    server.file.clear();
    server.wait(100);
    server.receive(&Client::renew(9, "10.0.0.10"));
    assert_eq!(
        server.lines(),
        [
            "reuse_lease: lease age 100 (secs) under 25% threshold, reply with unaltered, existing lease for 10.0.0.10",
            "DHCPREQUEST for 10.0.0.10 from 02:00:00:00:00:09 (pc9) via eth0",
            "DHCPACK on 10.0.0.10 to 02:00:00:00:00:09 (pc9) via eth0"
        ]
    );
    let ack = server.reply();
    assert_eq!((ack.seconds(51), ack.destination().as_str()), (500, "fallback 10.0.0.10:68"));
    assert_eq!(server.file, "");

    server.wait(200);
    server.receive(&Client::renew(9, "10.0.0.10"));
    assert_eq!(server.reply().seconds(51), 600);
    assert!(server.file.contains("starts 1 2024/01/01 00:05:00;"));

    // It ends, and can be had again.
    server.file.clear();
    server.lines();
    server.wait(600);
    assert_eq!(server.lines(), [""; 0]);
    assert!(server.file.contains("binding state free;"), "{}", server.file);
}
