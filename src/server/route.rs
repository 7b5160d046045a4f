//! Where a reply goes, and through which socket.
//!
//! Mirrors the ends of ISC `server/dhcp.c:dhcp_reply`, `nak_lease` and `dhcpinform`, `server/bootp.c:bootp`, and
//! `common/ethernet.c:assemble_ethernet_header`. Pure functions over the header of the reply.

use super::engine::Settings;
use super::{InterfaceId, Route};
use crate::config::network::Hardware;
use crate::wire::packet::Header;
use std::net::{Ipv4Addr, SocketAddrV4};

/// A reply as far as its way out depends on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outgoing {
    /// Where the request came in.
    pub interface: InterfaceId,
    /// The reply's fixed fields.
    pub header: Header,
    /// IP source through the packet socket.
    pub source: Ipv4Addr,
    /// It is a DHCPACK.
    pub ack: bool,
    /// The request had a server identifier.
    pub names_server: bool,
    /// The lease is in the shared network of the interface.
    pub on_link: bool,
}

/// To a relay: its address and the server port; a relay on this machine is in truth a test.
pub(super) fn to_relay(giaddr: Ipv4Addr, settings: &Settings) -> Route {
    let port = if giaddr == Ipv4Addr::LOCALHOST { settings.remote_port } else { settings.local_port };
    Route::Fallback { destination: SocketAddrV4::new(giaddr, port) }
}

/// A reply to a request for a lease, and what is logged when sending it fails.
pub(super) fn of_reply(reply: &Outgoing, settings: &Settings) -> (Route, &'static str) {
    let Header { giaddr, ciaddr, yiaddr, .. } = reply.header;
    let broadcast = reply.header.wants_broadcast();
    if !giaddr.is_unspecified() {
        return (to_relay(giaddr, settings), "dhcp.c:4093");
    }
    // A client that has an address is answered there by the kernel, unless it may be told from its request, or asks
    // for it, that it is on our own link and can be reached like one that has none.
    if !ciaddr.is_unspecified() && reply.ack && !((reply.names_server || broadcast) && reply.on_link) {
        let destination = SocketAddrV4::new(ciaddr, settings.remote_port);
        return (Route::Fallback { destination }, "dhcp.c:4131");
    }
    let (hardware, address) =
        if broadcast { (broadcast_hardware(), settings.limited_broadcast) } else { (client(reply), yiaddr) };
    (packet(reply, hardware, address, settings), "dhcp.c:4164")
}

/// A DHCPNAK: to the relay, else to everybody.
pub(super) fn of_nak(reply: &Outgoing, settings: &Settings) -> (Route, &'static str) {
    if !reply.header.giaddr.is_unspecified() {
        return (to_relay(reply.header.giaddr, settings), "dhcp.c:1986");
    }
    (packet(reply, broadcast_hardware(), settings.limited_broadcast, settings), "dhcp.c:2003")
}

/// The BOOTREPLY of a fixed address. The Ethernet destination is the client even when the IP destination is everybody.
pub(super) fn of_bootp(reply: &Outgoing, settings: &Settings) -> (Route, &'static str) {
    let Header { giaddr, yiaddr, .. } = reply.header;
    if !giaddr.is_unspecified() {
        let destination = SocketAddrV4::new(giaddr, settings.local_port);
        return (Route::Fallback { destination }, "bootp.c:424");
    }
    let address = if reply.header.wants_broadcast() { settings.limited_broadcast } else { yiaddr };
    (packet(reply, client(reply), address, settings), "bootp.c:452")
}

fn packet(reply: &Outgoing, hardware: Hardware, address: Ipv4Addr, settings: &Settings) -> Route {
    Route::Packet {
        interface: reply.interface,
        hardware,
        source: reply.source,
        destination: SocketAddrV4::new(address, settings.remote_port),
    }
}

/// The client's own hardware address, if it is one that fits an Ethernet header.
fn client(reply: &Outgoing) -> Hardware {
    match reply.header.hardware_address() {
        address if address.len() == 6 => Hardware { htype: reply.header.htype, address: address.to_vec() },
        _ => broadcast_hardware(),
    }
}

fn broadcast_hardware() -> Hardware {
    Hardware { htype: 1, address: vec![0xff; 6] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::packet::BROADCAST_FLAG;

    fn outgoing() -> Outgoing {
        let mut header =
            Header { htype: 1, hlen: 6, yiaddr: Ipv4Addr::new(10, 0, 0, 9), ..Header::default() };
        header.chaddr[..6].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
        Outgoing {
            interface: InterfaceId(0),
            header,
            source: Ipv4Addr::new(10, 0, 0, 1),
            ack: true,
            names_server: false,
            on_link: true,
        }
    }

    fn sent(reply: &Outgoing) -> (String, Option<Vec<u8>>, &'static str) {
        match of_reply(reply, &Settings::default()) {
            (Route::Fallback { destination }, site) => (destination.to_string(), None, site),
            (Route::Packet { destination, hardware, .. }, site) => {
                (destination.to_string(), Some(hardware.address), site)
            }
        }
    }

    #[test]
    fn a_client_without_address_is_reached_at_its_hardware_address() {
        let mut reply = outgoing();
        let chaddr = vec![2, 0, 0, 0, 0, 9];
        assert_eq!(sent(&reply), ("10.0.0.9:68".into(), Some(chaddr), "dhcp.c:4164"));
        reply.header.flags = BROADCAST_FLAG;
        assert_eq!(sent(&reply), ("255.255.255.255:68".into(), Some(vec![0xff; 6]), "dhcp.c:4164"));
        reply.header.flags = 0;
        reply.header.hlen = 8;
        assert_eq!(sent(&reply), ("10.0.0.9:68".into(), Some(vec![0xff; 6]), "dhcp.c:4164"));
    }

    #[test]
    fn renewals_go_through_the_kernel_unless_they_look_local() {
        let mut reply = outgoing();
        reply.header.ciaddr = Ipv4Addr::new(10, 0, 0, 9);
        assert_eq!(sent(&reply), ("10.0.0.9:68".into(), None, "dhcp.c:4131"));
        reply.names_server = true;
        assert_eq!(sent(&reply).2, "dhcp.c:4164");
        reply.on_link = false;
        assert_eq!(sent(&reply).2, "dhcp.c:4131");
        reply.header.flags = BROADCAST_FLAG;
        reply.on_link = true;
        assert_eq!(sent(&reply).0, "255.255.255.255:68");
        reply.ack = false;
        reply.header.flags = 0;
        assert_eq!(sent(&reply).2, "dhcp.c:4164", "an OFFER never goes through the kernel");
    }

    #[test]
    fn relays_are_answered_on_the_server_port() {
        let mut reply = outgoing();
        reply.header.giaddr = Ipv4Addr::new(10, 1, 0, 1);
        assert_eq!(sent(&reply), ("10.1.0.1:67".into(), None, "dhcp.c:4093"));
        reply.header.giaddr = Ipv4Addr::LOCALHOST;
        assert_eq!(sent(&reply).0, "127.0.0.1:68");
    }
}
