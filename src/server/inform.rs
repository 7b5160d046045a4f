//! DHCPINFORM: options for a client that has its address.
//!
//! Mirrors ISC `server/dhcp.c:dhcpinform`.

use super::incoming::Incoming;
use super::logline::hardware_text;
use super::parameters::{dhcp, server};
use super::reply::{BOOTP_MIN, encode, first_address};
use super::turn::{Ground, Turn};
use super::{Effect, Route, Send};
use crate::config::network::{HostId, SubnetId, SubnetPrefix};
use crate::config::tree::Octets;
use crate::eval::ReplyOptions;
use crate::options::{Packing, Spaces};
use crate::wire::packet::{BOOTREPLY, BROADCAST_FLAG, Header};
use std::net::{Ipv4Addr, SocketAddrV4};

/// What dhcpd says, now and then, about a server that is not authoritative.
const HINT: [&str; 5] = [
    "If this DHCP server is authoritative for that subnet,",
    "please write an `authoritative;' directive either in the",
    "subnet declaration or in some scope that encloses the",
    "subnet declaration - for example, write it at the top",
    "of the dhcpd.conf file.",
];

/// After this many refusals the hint is printed again.
const HINT_EVERY: u8 = 100;

impl Turn<'_> {
    /// Answers with options only.
    pub(super) fn inform(&mut self, mut incoming: Incoming) {
        let (ciaddr, giaddr) = (incoming.ciaddr(), incoming.giaddr());
        let address = ciaddr.unwrap_or(*incoming.source.ip());
        let prefix = format!("DHCPINFORM from {address} via {}", self.via(&incoming));
        if address.is_unspecified() {
            self.info(format!("{prefix}: ignored (null source address)."));
            return;
        }
        let mut options = ReplyOptions::new();
        let Some(subnet) = self.inform_subnet(&incoming, &mut options, address, &prefix) else { return };
        let scope = self.subnet_scope(subnet);
        if !self.is_authoritative(scope) {
            self.refuse_inform(subnet, &prefix);
            return;
        }
        self.echo_agent_options(&mut incoming, &mut options);
        self.run_scopes(&mut incoming, Ground::Global, &mut options, scope, None);
        if let Some(id) = ciaddr.and_then(|address| self.core.leases.find(address)) {
            let (_, pool, _) = self.core.leases.place(id);
            let (scope, covered) = (self.pool_scope(pool), self.pool_network_scope(pool));
            self.run_scopes(&mut incoming, Ground::Global, &mut options, scope, covered);
        }
        self.run_class_scopes(&mut incoming, None, &mut options, Some(scope));
        if let Some(host) = self.inform_host(&incoming, address)
            && let Some(host) = self.core.config.hosts.get(host.index()).map(|h| h.scope)
        {
            self.run_scopes(&mut incoming, Ground::Global, &mut options, host, Some(scope));
        }
        if self.is_over() {
            return;
        }
        let via_relay = giaddr.filter(|_| ciaddr.is_none());
        self.answer_inform(incoming, options, subnet, address, via_relay, &prefix);
    }

    /// The subnet whose options the client gets.
    fn inform_subnet(
        &mut self,
        incoming: &Incoming,
        options: &mut ReplyOptions,
        address: Ipv4Addr,
        prefix: &str,
    ) -> Option<SubnetId> {
        let relayed = incoming.ciaddr().is_none() && incoming.giaddr().is_some();
        let (mut place, mut kind) = match (incoming.ciaddr(), incoming.giaddr()) {
            (Some(_), _) => (address, "client"),
            (None, Some(giaddr)) => (giaddr, "relay"),
            (None, None) => (address, "source"),
        };
        if let Some(selection) = incoming.selection() {
            let Ok(octets) = <[u8; 4]>::try_from(selection) else {
                self.info(format!("{prefix}: ignored (invalid subnet selection option)."));
                return None;
            };
            place = Ipv4Addr::from(octets);
            kind = if relayed { "relay link select" } else { "selected" };
            // dhcpd puts it among the `dhcp` options by its code, even when the code is one of the `agent` space.
            let link = incoming.options.contains(Spaces::AGENT, dhcp::AGENT_LINK_SELECTION);
            let code = if link { dhcp::AGENT_LINK_SELECTION } else { dhcp::SUBNET_SELECTION };
            self.set_option(options, code, octets);
        }
        let subnet = self.core.config.subnet_containing(place);
        if subnet.is_none() {
            self.info(format!("{prefix}: unknown subnet for {kind} address {place}"));
        }
        subnet
    }

    fn refuse_inform(&mut self, subnet: SubnetId, prefix: &str) {
        let net = self.core.config.subnets.get(subnet.index()).map(|s| s.prefix);
        let net = match net {
            Some(SubnetPrefix::V4 { address, .. }) => address,
            _ => Ipv4Addr::UNSPECIFIED,
        };
        self.info(format!("{prefix}: not authoritative for subnet {net}"));
        if self.core.informs_refused == 0 {
            HINT.into_iter().for_each(|line| self.info(line));
        }
        self.core.informs_refused =
            if self.core.informs_refused == HINT_EVERY { 0 } else { self.core.informs_refused + 1 };
    }

    /// A host by client identifier with this address, by hardware with this address, or else one without address.
    fn inform_host(&mut self, incoming: &Incoming, address: Ipv4Addr) -> Option<HostId> {
        let mut found = None;
        for hosts in [self.hosts_by_uid(incoming), self.hosts_by_hardware(incoming)] {
            for &host in &hosts {
                if self.fixed_addresses(host).contains(&address) {
                    return Some(host);
                }
            }
            found = found.or_else(|| self.without_address(&hosts));
        }
        found
    }

    fn answer_inform(
        &mut self,
        mut incoming: Incoming,
        mut options: ReplyOptions,
        subnet: SubnetId,
        address: Ipv4Addr,
        via_relay: Option<Ipv4Addr>,
        prefix: &str,
    ) {
        let filename = self.global_parameter(&mut incoming, &mut options, server::FILENAME);
        let mut header = Header {
            op: BOOTREPLY,
            yiaddr: Ipv4Addr::UNSPECIFIED,
            sname: [0; 64],
            file: [0; 128],
            ..*incoming.header()
        };
        if let Some(name) = &filename {
            self.fill_name(&mut header.file, name, "file name");
        }
        if let Some(name) = self.global_parameter(&mut incoming, &mut options, server::SERVER_NAME) {
            self.fill_name(&mut header.sname, &name, "server name");
        }
        let terminate = incoming.nul_terminates();
        self.set_option(&mut options, dhcp::MESSAGE_TYPE, [5]);
        self.server_identifier(&mut incoming, &mut options);
        if !options.contains(Spaces::DHCP, dhcp::SUBNET_MASK)
            && let Some(mask) = self.netmask(subnet)
        {
            self.set_option(&mut options, dhcp::SUBNET_MASK, mask.octets());
        }
        let site = self.global_parameter(&mut incoming, &mut options, server::SITE_OPTION_SPACE);
        let Some(site) = self.site_space(site) else { return };
        let requested = self.request_list(&mut incoming, Ground::Global, &mut options);
        self.info(prefix);
        let next = self.global_parameter(&mut incoming, &mut options, server::NEXT_SERVER);
        header.siaddr = first_address(next.as_deref());
        // RFC 2131 section 4.3.5: no times.
        for code in [dhcp::LEASE_TIME, dhcp::RENEWAL_TIME, dhcp::REBINDING_TIME] {
            options.remove(Spaces::DHCP, code);
        }
        let packing = Packing {
            requested: &requested,
            request_type: incoming.kind,
            request_length: incoming.packet.raw.len(),
            terminate,
            site,
            ..Packing::default()
        };
        let packed = self.pack(&mut incoming, Ground::Global, &mut options, packing);
        if self.is_over() {
            return;
        }
        let settings = &self.core.settings;
        let destination = match via_relay {
            // The relay has neither `yiaddr` nor `ciaddr` to go by.
            Some(giaddr) => {
                header.flags |= BROADCAST_FLAG;
                SocketAddrV4::new(giaddr, settings.local_port)
            }
            None => SocketAddrV4::new(address, settings.remote_port),
        };
        let payload = encode(header, packed, BOOTP_MIN);
        let who = match (header.htype, header.hlen) {
            (0, _) | (_, 0) => "<no client hardware address>".to_owned(),
            _ => hardware_text(header.hardware_address()),
        };
        let via = via_relay
            .map_or_else(|| self.interface_name(incoming.interface).to_owned(), |giaddr| giaddr.to_string());
        self.info(format!("DHCPACK to {address} ({who}) via {via}"));
        self.effects.push(Effect::Send(Send {
            route: Route::Fallback { destination },
            payload,
            failure_site: Some("dhcp.c:1756"),
        }));
    }

    fn global_parameter(
        &mut self,
        incoming: &mut Incoming,
        options: &mut ReplyOptions,
        code: u32,
    ) -> Option<Octets> {
        self.parameter(incoming, Ground::Global, options, code)
    }
}
