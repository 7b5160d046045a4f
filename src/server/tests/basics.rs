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

/// A relay's network besides our own.
const NETWORKS: &str = "
    ping-check false;
    subnet 10.0.0.0 netmask 255.255.255.0 { range 10.0.0.10 10.0.0.11; authoritative; }
    subnet 10.9.0.0 netmask 255.255.255.0 { range 10.9.0.10 10.9.0.19; }
    host printer { hardware ethernet 2:0:0:0:0:50; fixed-address 10.0.0.50; option host-name \"lp\"; }
";

#[test]
fn an_exhausted_pool() {
    let mut server = Server::new(NETWORKS);
    for mac in [1, 2] {
        server.receive(&Client::discover(mac));
        assert_eq!(server.reply().kind(), 2);
    }
    server.lines();
    server.receive(&Client::discover(3));
    assert_eq!(
        server.lines(),
        ["DHCPDISCOVER from 02:00:00:00:00:03 via eth0: network 10.0.0.0/24: no free leases"]
    );
    server.silent();
    // Offers are kept for two minutes. Of equal ends the one queued last comes first.
    server.wait(121);
    server.receive(&Client::discover(3));
    assert_eq!(server.reply().yiaddr(), "10.0.0.11");
}

#[test]
fn release_and_decline() {
    let mut server = Server::new(NETWORKS);
    server.receive(&Client::request(1, "10.0.0.10"));
    server.reply();
    server.lines();
    server.file.clear();
    let mut release = Client::renew(1, "10.0.0.10");
    release.options = vec![(53, vec![7])];
    server.receive(&release);
    server.receive(&release);
    assert_eq!(server.lines(), ["DHCPRELEASE of 10.0.0.10 from 02:00:00:00:00:01 via eth0 (found)"; 2]);
    assert_eq!(server.file.matches("binding state free;").count(), 1, "{}", server.file);
    let mut stranger = release.clone();
    stranger.mac = 2;
    server.receive(&stranger);
    assert_eq!(server.lines(), ["DHCPRELEASE of 10.0.0.10 from 02:00:00:00:00:02 via eth0 (not found)"]);

    server.file.clear();
    server.receive(&Client::new(2, 4).address(50, "10.0.0.11"));
    assert_eq!(
        server.lines(),
        [
            "Abandoning IP address 10.0.0.11: declined.",
            "DHCPDECLINE of 10.0.0.11 from 02:00:00:00:00:02 via eth0: abandoned"
        ]
    );
    assert!(server.file.contains("ends 2 2024/01/02 00:00:00;"), "{}", server.file);
    server.receive(&Client::new(2, 4).address(50, "10.0.0.77"));
    server.receive(&Client::new(2, 4));
    assert_eq!(server.lines(), ["DHCPDECLINE of 10.0.0.77 from 02:00:00:00:00:02 via eth0: not found"]);
    server.silent();
}

#[test]
fn requests_that_do_not_fit() {
    let mut server = Server::new(NETWORKS);
    // The text of a NAK is what an earlier search left behind; there was none yet.
    server.receive(&Client::request(1, "192.168.0.1"));
    assert_eq!(
        server.lines(),
        [
            "DHCPREQUEST for 192.168.0.1 from 02:00:00:00:00:01 via eth0: wrong network.",
            "DHCPNAK on 192.168.0.1 to 02:00:00:00:00:01 via eth0"
        ]
    );
    let nak = server.reply();
    assert_eq!((nak.codes(), nak.yiaddr().as_str()), (vec![53, 54], "0.0.0.0"));
    assert_eq!(nak.destination(), "packet 255.255.255.255:68 ff:ff:ff:ff:ff:ff");

    server.receive(&Client::request(1, "10.0.0.10"));
    server.reply();
    server.lines();
    server.receive(&Client::request(2, "10.0.0.10"));
    assert_eq!(
        server.lines(),
        [
            "DHCPREQUEST for 10.0.0.10 from 02:00:00:00:00:02 via eth0: lease 10.0.0.10 unavailable.",
            "DHCPNAK on 10.0.0.10 to 02:00:00:00:00:02 via eth0"
        ]
    );
    assert_eq!(server.reply().option(56), Some(b"requested address not available".to_vec()));
    server.receive(&Client::request(2, "10.0.0.200"));
    assert_eq!(
        server.lines(),
        ["DHCPREQUEST for 10.0.0.200 from 02:00:00:00:00:02 via eth0: unknown lease 10.0.0.200."]
    );
    server.receive(&Client::request(2, "10.0.0.10").relayed("10.9.0.1"));
    assert_eq!(
        server.lines(),
        ["DHCPREQUEST for 10.0.0.10 from 02:00:00:00:00:02 via 10.9.0.1: ignored (not authoritative)."]
    );
    server.receive(&Client::request(2, "10.0.0.10").relayed("172.16.0.1"));
    assert_eq!(
        server.lines()[0],
        "DHCPREQUEST for 10.0.0.10 from 02:00:00:00:00:02 via 172.16.0.1: wrong network."
    );
    assert_eq!(server.reply().destination(), "fallback 172.16.0.1:67");
    server.receive(&Client::discover(2).relayed("172.16.0.1"));
    assert_eq!(
        server.lines(),
        ["DHCPDISCOVER from 02:00:00:00:00:02 via 172.16.0.1: unknown network segment"]
    );
}

#[test]
fn relays_hosts_and_unknown_messages() {
    let mut server = Server::new(NETWORKS);
    server.receive(&Client::discover(1).relayed("10.9.0.1").with(82, &[1, 2, b'p', b'7']));
    let offer = server.reply();
    assert_eq!(
        (offer.yiaddr().as_str(), offer.destination().as_str()),
        ("10.9.0.10", "fallback 10.9.0.1:67")
    );
    assert_eq!((offer.option(82), offer.codes().last()), (Some(vec![1, 2, b'p', b'7']), Some(&82)));
    server.lines();

    server.receive(&Client::discover(0x50).with(55, &[12]));
    let offer = server.reply();
    assert_eq!((offer.yiaddr().as_str(), offer.option(12)), ("10.0.0.50", Some(b"lp".to_vec())));
    server.receive(&Client::request(0x50, "10.0.0.10"));
    assert_eq!(server.reply().option(56), Some(b"requested address is incorrect".to_vec()));
    server.receive(&Client::request(0x50, "10.0.0.50"));
    assert_eq!(server.reply().kind(), 5);
    assert_eq!(server.file, "", "fixed addresses are not written");
    server.lines();

    server.receive(&Client::new(1, 9));
    server.receive(&Client::new(1, 200));
    server.receive(&Client::new(1, 5));
    assert_eq!(
        server.lines(),
        [
            "type 9 from 02:00:00:00:00:01 via eth0: unknown packet type",
            "type 200 from 02:00:00:00:00:01 via eth0: unknown packet type"
        ]
    );
    server.silent();
}

#[test]
fn bootp_inform_and_lease_query() {
    let mut server = Server::new(
        "ping-check false; authoritative; allow leasequery; next-server 10.0.0.3;
         subnet 10.0.0.0 netmask 255.255.255.0 { range dynamic-bootp 10.0.0.10 10.0.0.19; }
         subnet 10.9.0.0 netmask 255.255.255.0 { }
         host printer { hardware ethernet 2:0:0:0:0:50; fixed-address 10.0.0.50; filename \"boot\"; }",
    );
    server.receive(&Client::bootp(1));
    assert_eq!(
        server.lines(),
        [
            "BOOTREQUEST from 02:00:00:00:00:01 via eth0",
            "BOOTREPLY on 10.0.0.10 to 02:00:00:00:00:01 via eth0"
        ]
    );
    assert_eq!(server.reply().kind(), 0);
    assert!(server.file.contains("ends 2 2038/01/19 03:14:07;") || server.file.contains("ends never;"));
    server.receive(&Client::bootp(0x50));
    assert_eq!(
        server.lines(),
        [
            "BOOTREQUEST from 02:00:00:00:00:50 via eth0",
            "BOOTREPLY for 10.0.0.50 to printer (02:00:00:00:00:50) via eth0"
        ]
    );
    let reply = server.reply();
    assert_eq!(&reply.send.payload[108..113], b"boot\0");
    assert_eq!(&reply.send.payload[20..24], [10, 0, 0, 3]);

    let mut inform = Client::renew(1, "10.0.0.77");
    inform.options = vec![(53, vec![8])];
    server.receive(&inform);
    assert_eq!(
        server.lines(),
        ["DHCPINFORM from 10.0.0.77 via eth0", "DHCPACK to 10.0.0.77 (02:00:00:00:00:01) via eth0"]
    );
    let ack = server.reply();
    assert_eq!((ack.codes(), ack.yiaddr().as_str()), (vec![53, 54, 1], "0.0.0.0"));
    assert_eq!(ack.destination(), "fallback 10.0.0.77:68");

    server.receive(&Client::new(1, 10).relayed("10.9.0.1"));
    assert_eq!(
        server.lines(),
        [
            "DHCPLEASEQUERY from 10.9.0.1 for MAC address 02:00:00:00:00:01",
            "DHCPLEASEACTIVE to 10.9.0.1 for MAC address 02:00:00:00:00:01 (0 associated IPs)"
        ]
    );
    assert_eq!(server.reply().codes(), [53, 54, 51, 58, 59, 91]);
    server.receive(&Client::renew(1, "10.0.0.15").relayed("10.9.0.1").with(53, &[10]));
    let mut query = Client::renew(1, "10.0.0.15").relayed("10.9.0.1");
    query.options = vec![(53, vec![10])];
    server.lines();
    server.receive(&query);
    assert_eq!(server.lines()[1], "DHCPLEASEUNASSIGNED to 10.9.0.1 for IP 10.0.0.15 (0 associated IPs)");
}

#[test]
fn statements_change_the_agent_options_of_the_packet() {
    let mut server = Server::new(
        "ping-check false; option agent.remote-id \"configured\";
         log (info, concat (\"saw \", option agent.remote-id));
         subnet 10.0.0.0 netmask 255.255.255.0 { range 10.0.0.10 10.0.0.19; }
         host near { host-identifier option agent.remote-id \"configured\"; option host-name \"near\"; }",
    );
    let agent = [1, 2, b'p', b'7', 2, 1, b'r'];
    server.receive(&Client::request(1, "10.0.0.10").with(82, &agent).with(55, &[12]));
    assert_eq!(server.lines()[0], "saw configured");
    let ack = server.reply();
    assert_eq!(ack.option(12), Some(b"near".to_vec()), "hosts are looked for by the changed option");
    assert_eq!(ack.option(82), Some([&[1, 2, b'p', b'7', 2, 10][..], b"configured"].concat()));
    assert!(server.file.contains("option agent.circuit-id \"p7\";"));
    assert!(!server.file.contains("remote-id"), "what statements set is not written");
}

#[test]
fn functions_on_a_lease_are_mourned() {
    let mut server = Server::new(
        "ping-check false; define f (name) { return name; }
         subnet 10.0.0.0 netmask 255.255.255.0 { range 10.0.0.10 10.0.0.19; }
         host fixed { hardware ethernet 2:0:0:0:0:50; fixed-address 10.0.0.50; }",
    );
    server.receive(&Client::discover(0x50));
    assert_eq!(server.lines()[0], "dhcp.c(3249): invalid binding type: 4");
    server.receive(&Client::request(1, "10.0.0.10"));
    server.lines();
    let mut release = Client::renew(1, "10.0.0.10");
    release.options = vec![(53, vec![7])];
    server.receive(&release);
    assert_eq!(server.lines()[0], "mdb.c(1791): invalid binding type: 4");
}

#[test]
fn a_bootp_client_with_a_fixed_address_is_in_the_classes_that_add_names() {
    let mut server = Server::new(
        "ping-check false; class \"added\" { log (info, \"added\"); } class \"all\" { match if not known; log (info, \"all\"); }
         subnet 10.0.0.0 netmask 255.255.255.0 { add \"added\"; }
         host fixed { hardware ethernet 2:0:0:0:0:50; fixed-address 10.0.0.50; }",
    );
    server.receive(&Client::bootp(0x50));
    assert_eq!(server.lines()[0], "added");
}

#[test]
fn an_offer_waits_for_its_ping() {
    let mut server = Server::new("subnet 10.0.0.0 netmask 255.255.255.0 { range 10.0.0.10 10.0.0.19; }");
    server.receive(&Client::discover(1));
    server.receive(&Client::discover(1));
    assert_eq!(server.lines(), ["DHCPDISCOVER from 02:00:00:00:00:01 via eth0"], "the second is swallowed");
    server.silent();
    assert_eq!(server.pings, [Ipv4Addr::new(10, 0, 0, 10)]);
    server.wait(1);
    assert_eq!(server.reply().kind(), 2);
    // The same client within a minute.
    server.receive(&Client::discover(1));
    assert_eq!(server.reply().kind(), 2);
    server.wait(61);
    server.lines();
    server.receive(&Client::discover(1));
    server.event(Event::EchoReply { from: Ipv4Addr::new(10, 0, 0, 99) });
    server.event(Event::EchoReply { from: Ipv4Addr::new(10, 0, 0, 11) });
    server.event(Event::EchoReply { from: Ipv4Addr::new(10, 0, 0, 10) });
    server.event(Event::EchoReply { from: Ipv4Addr::new(10, 0, 0, 10) });
    assert_eq!(
        server.lines(),
        [
            "DHCPDISCOVER from 02:00:00:00:00:01 via eth0",
            "unexpected ICMP Echo Reply from 10.0.0.99",
            "ICMP Echo Reply for 10.0.0.11 late or spurious.",
            "ICMP Echo reply while lease 10.0.0.10 valid.",
            "Abandoning IP address 10.0.0.10: pinged before offer"
        ]
    );
    server.wait(10);
    server.silent();
}

#[test]
fn nothing_is_acknowledged_that_is_not_on_disk() {
    let mut server = Server::new(SIMPLE);
    server.disk_works = false;
    server.held.clear();
    server.receive(&Client::request(1, "10.0.0.10"));
    server.receive(&Client::request(2, "10.0.0.11"));
    server.receive(&Client::request(2, "10.0.0.11"));
    assert_eq!(
        server.lines(),
        [
            "DHCPREQUEST for 10.0.0.10 from 02:00:00:00:00:01 via eth0",
            "DHCPREQUEST for 10.0.0.11 from 02:00:00:00:00:02 via eth0"
        ]
    );
    server.silent();
    let last = server.held.pop().unwrap();
    server.held.clear();
    server.event(Event::CommitFailed(last));
    assert_eq!(
        server.lines(),
        ["write_lease: unable to write lease 10.0.0.10", "write_lease: unable to write lease 10.0.0.11"]
    );
    server.silent();
    // The client asks again: the whole file is written, and only then is it answered.
    server.file.clear();
    server.receive(&Client::request(1, "10.0.0.10"));
    assert_eq!(
        server.lines(),
        ["DHCPREQUEST for 10.0.0.10 from 02:00:00:00:00:01 via eth0", "Wrote 2 leases to leases file."]
    );
    server.silent();
    let id = server.held.pop().unwrap();
    server.event(Event::Committed(id));
    assert_eq!(server.lines(), ["DHCPACK on 10.0.0.10 to 02:00:00:00:00:01 via eth0"]);
    assert_eq!(server.reply().kind(), 5);
    server.disk_works = true;
    server.receive(&Client::request(2, "10.0.0.11"));
    assert_eq!(server.reply().kind(), 5);
    assert!(server.file.contains("lease 10.0.0.11 {"), "{}", server.file);
}
