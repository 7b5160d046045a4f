//! DHCPNAK.
//!
//! Mirrors ISC `server/dhcp.c:nak_lease` and `eval_network_statements`. Configured options do not go into a NAK, but the
//! statements of the network and of the classes run, and their server identifier and `echo-client-id` count.

use super::Effect;
use super::Send;
use super::incoming::Incoming;
use super::logline::hardware_text;
use super::parameters::{dhcp, server};
use super::reply::{BOOTP_MIN, encode};
use super::route::{self, Outgoing};
use super::turn::{Ground, Turn};
use crate::config::network::ScopeId;
use crate::eval::ReplyOptions;
use crate::eval::settings::Flag;
use crate::options::Packing;
use crate::wire::packet::{BOOTREPLY, BROADCAST_FLAG, Header};
use std::net::Ipv4Addr;

impl Turn<'_> {
    /// Refuses an address. `fallback` is the scope that runs when the packet's network is not known.
    pub(super) fn nak_lease(
        &mut self,
        incoming: &mut Incoming,
        address: Ipv4Addr,
        fallback: Option<ScopeId>,
    ) {
        let mut options = ReplyOptions::new();
        self.set_option(&mut options, dhcp::MESSAGE_TYPE, [6]);
        self.set_option(&mut options, dhcp::MESSAGE, self.core.nak_message.as_bytes());
        let mut evaluated = ReplyOptions::new();
        self.run_network_scopes(incoming, &mut evaluated, fallback);
        let source = match self.configured_identifier(incoming, &mut evaluated) {
            Some(address) => {
                self.set_option(&mut options, dhcp::SERVER_IDENTIFIER, address.octets());
                address
            }
            None => self.server_identifier(incoming, &mut options),
        };
        // A NAK echoes even the agent options that come from the lease.
        let stashed = std::mem::replace(&mut incoming.agent_options_stashed, false);
        self.echo_agent_options(incoming, &mut options);
        incoming.agent_options_stashed = stashed;
        // The statements of a NAK set options elsewhere.
        incoming.agent_options_echoed.clear();
        self.run_class_scopes(incoming, None, &mut evaluated, None);
        let echo = self.flag(incoming, Ground::Global, &mut evaluated, server::ECHO_CLIENT_ID);
        self.echo_client_id(incoming, &mut options, echo.is_some_and(Flag::is_true));
        let packing = Packing {
            request_type: incoming.kind,
            request_length: incoming.packet.raw.len(),
            echo_client_id: incoming.echo_client_id,
            ..Packing::default()
        };
        let packed = self.pack(incoming, Ground::Global, &mut options, packing);
        if self.is_over() {
            return;
        }
        let header = Header {
            op: BOOTREPLY,
            flags: incoming.header().flags | BROADCAST_FLAG,
            ciaddr: Ipv4Addr::UNSPECIFIED,
            yiaddr: Ipv4Addr::UNSPECIFIED,
            siaddr: Ipv4Addr::UNSPECIFIED,
            sname: [0; 64],
            file: [0; 128],
            ..*incoming.header()
        };
        let payload = encode(header, packed, BOOTP_MIN);
        let who = hardware_text(incoming.header().hardware_address());
        self.info(format!("DHCPNAK on {address} to {who} via {}", self.via(incoming)));
        let outgoing = Outgoing {
            interface: incoming.interface,
            header,
            source,
            ack: false,
            names_server: false,
            on_link: true,
        };
        let (route, failure_site) = route::of_nak(&outgoing, &self.core.settings);
        self.effects.push(Effect::Send(Send { route, payload, failure_site: Some(failure_site) }));
    }

    /// The scopes of the packet's network: those of its first subnet, then its first pool.
    fn run_network_scopes(
        &mut self,
        incoming: &mut Incoming,
        evaluated: &mut ReplyOptions,
        fallback: Option<ScopeId>,
    ) {
        let network = incoming.network.and_then(|n| self.core.config.shared_networks.get(n.index()));
        let Some(network) = network else {
            let scope = fallback.unwrap_or(ScopeId::ROOT);
            self.run_scopes(incoming, Ground::Global, evaluated, scope, None);
            return;
        };
        let (outer, pool) = (network.scope, network.pools.first().copied());
        let scope = network.subnets.first().map_or(outer, |&subnet| self.subnet_scope(subnet));
        self.run_scopes(incoming, Ground::Global, evaluated, scope, None);
        if let Some(pool) = pool {
            let scope = self.pool_scope(pool);
            self.run_scopes(incoming, Ground::Global, evaluated, scope, Some(outer));
        }
    }
}
