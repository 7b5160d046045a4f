//! A packet on its way through the engine, and what was found out about it.
//!
//! Mirrors ISC `struct packet` and `common/options.c:do_packet`, `validate_packet`.

use super::InterfaceId;
use super::parameters::dhcp;
use crate::config::network::{ClassId, Hardware, NetworkId};
use crate::config::tree::Octets;
use crate::eval::Setting;
use crate::log::Line;
use crate::options::{OptionFields, PacketOptions, Spaces, parse_packet_options, stray_address};
use crate::wire::packet::{Header, Packet};
use std::net::{Ipv4Addr, SocketAddrV4};

/// A decoded packet.
#[derive(Clone, Debug)]
pub(super) struct Incoming {
    /// Where it came in.
    pub interface: InterfaceId,
    /// IP source and UDP source port.
    pub source: SocketAddrV4,
    /// Header and octets.
    pub packet: Packet,
    /// Its options; later perhaps with the agent options stashed on a lease.
    pub options: PacketOptions,
    /// It had the magic cookie.
    pub options_valid: bool,
    /// Option 53, 0 for BOOTP.
    pub kind: u8,
    /// What `parse-vendor-option` found in option 43.
    pub vendor_options: PacketOptions,
    /// The shared network it belongs to.
    pub network: Option<NetworkId>,
    /// A host declaration matched.
    pub known: bool,
    /// Its classes in order of matching.
    pub classes: Vec<ClassId>,
    /// Its agent options come from the lease: not echoed, not stored again.
    pub agent_options_stashed: bool,
    /// What the reply got of its agent options, by code. As long as a reply has them, statements that set agent
    /// options change those of the packet, too: dhcpd keeps one list for both.
    pub agent_options_echoed: Vec<(u32, Setting)>,
    /// `echo-client-id` was found on while answering.
    pub echo_client_id: bool,
}

impl Incoming {
    /// Decodes a datagram and makes the tests that come before everything else. `None`: dropped; `lines` says what
    /// dhcpd says.
    pub fn decode(
        spaces: &Spaces,
        interface: InterfaceId,
        source: SocketAddrV4,
        payload: &[u8],
        lines: &mut Vec<Line>,
    ) -> Option<Self> {
        let packet = match Packet::decode(payload) {
            Ok(packet) => packet,
            Err(error) => {
                lines.extend(error.line());
                return None;
            }
        };
        let mut options = PacketOptions::new();
        let options_valid = packet.options().is_some();
        if let Some(area) = packet.options() {
            let fields =
                OptionFields { options: area, file: &packet.header.file, sname: &packet.header.sname };
            parse_packet_options(spaces, fields, &mut options, lines).ok()?;
        }
        let kind =
            options.value(Spaces::DHCP, dhcp::MESSAGE_TYPE).and_then(|v| v.first()).copied().unwrap_or(0);
        let incoming = Self {
            interface,
            source,
            packet,
            options,
            options_valid,
            kind,
            vendor_options: PacketOptions::new(),
            network: None,
            known: false,
            classes: Vec::new(),
            agent_options_stashed: false,
            agent_options_echoed: Vec::new(),
            echo_client_id: false,
        };
        incoming.validate(lines).then_some(incoming)
    }

    fn validate(&self, lines: &mut Vec<Line>) -> bool {
        match self.option(dhcp::CLIENT_IDENTIFIER).map(<[u8]>::len) {
            Some(0) => {
                lines.push(Line::debug("Dropped DHCPv4 packet with zero-length client-id"));
                return false;
            }
            Some(1) => lines.push(Line::debug(
                "Accepted DHCPv4 packet with one-character client-id - a future version of ISC DHCP will reject this",
            )),
            None if self.header().hlen == 0 => lines.push(Line::debug(
                "Received DHCPv4 packet without client-id option and empty hlen field.",
            )),
            _ => {}
        }
        true
    }

    /// The fixed fields.
    pub fn header(&self) -> &Header {
        &self.packet.header
    }

    /// The octets of a `dhcp` option.
    pub fn option(&self, code: u32) -> Option<&[u8]> {
        self.options.value(Spaces::DHCP, code).map(|value| &value.octets[..])
    }

    /// The client identifier sent.
    pub fn client_id(&self) -> Option<Octets> {
        self.options.value(Spaces::DHCP, dhcp::CLIENT_IDENTIFIER).map(|value| value.octets.clone())
    }

    /// Option 50.
    pub fn requested_address(&self) -> Option<Ipv4Addr> {
        self.address_option(dhcp::REQUESTED_ADDRESS)
    }

    /// Option 54.
    pub fn server_identifier(&self) -> Option<Ipv4Addr> {
        self.address_option(dhcp::SERVER_IDENTIFIER)
    }

    /// The first four octets of an option, be it as short as it may.
    fn address_option(&self, code: u32) -> Option<Ipv4Addr> {
        if let Some(octets) = self.option(code)?.first_chunk::<4>() {
            return Some(Ipv4Addr::from(*octets));
        }
        let header = self.header();
        let fields =
            OptionFields { options: self.packet.options()?, file: &header.file, sname: &header.sname };
        let overload = self.option(dhcp::OVERLOAD).and_then(|v| v.first()).copied().unwrap_or(0);
        stray_address(fields, overload, u8::try_from(code).ok()?).map(Ipv4Addr::from)
    }

    /// `ciaddr`, when not 0.
    pub fn ciaddr(&self) -> Option<Ipv4Addr> {
        Some(self.header().ciaddr).filter(|address| !address.is_unspecified())
    }

    /// `giaddr`, when not 0.
    pub fn giaddr(&self) -> Option<Ipv4Addr> {
        Some(self.header().giaddr).filter(|address| !address.is_unspecified())
    }

    /// Hardware type and address.
    pub fn hardware(&self) -> Hardware {
        Hardware { htype: self.header().htype, address: self.header().hardware_address().to_vec() }
    }

    /// Does the packet carry agent options (perhaps from the lease)?
    pub fn has_agent_options(&self) -> bool {
        !self.options.entries(Spaces::AGENT).is_empty()
    }

    /// Agent link selection, else subnet selection.
    pub fn selection(&self) -> Option<&[u8]> {
        let link = self.options.value(Spaces::AGENT, dhcp::AGENT_LINK_SELECTION);
        let value = link.or_else(|| self.options.value(Spaces::DHCP, dhcp::SUBNET_SELECTION))?;
        Some(&value.octets)
    }

    /// The host name came with NULs at its end: replies get them, too.
    pub fn nul_terminates(&self) -> bool {
        self.options.value(Spaces::DHCP, dhcp::HOST_NAME).is_some_and(|value| value.had_nuls)
    }
}
