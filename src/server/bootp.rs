//! BOOTP.
//!
//! Mirrors ISC `server/bootp.c:bootp`: a dynamic lease is granted like a DHCP one, a fixed address is answered here and
//! leaves no trace. BOOTP packets are not classified.

use super::ack::{Granting, Work};
use super::find_lease::Chosen;
use super::incoming::Incoming;
use super::logline::hardware_text;
use super::parameters::server;
use super::reply::{Answer, BOOTP_MIN, encode, first_address};
use super::route::{self, Outgoing};
use super::turn::{Grant, Ground, Turn};
use super::{Effect, Send};
use crate::config::network::NetworkId;
use crate::eval::settings::Flag;
use crate::eval::{ReplyOptions, execute};
use crate::options::{PackedOptions, Packing};
use crate::wire::packet::{BOOTREPLY, BOOTREQUEST, BROADCAST_FLAG, Header};
use std::net::Ipv4Addr;

impl Turn<'_> {
    /// A packet without message type.
    pub(super) fn bootp(&mut self, mut incoming: Incoming) {
        if incoming.header().op != BOOTREQUEST {
            return;
        }
        let who = hardware_text(incoming.header().hardware_address());
        let prefix = format!("BOOTREQUEST from {who} via {}", self.via(&incoming));
        let Some(network) = self.locate(&incoming) else {
            self.info(format!("{prefix}: network unknown"));
            return;
        };
        incoming.network = Some(network);
        let found = self.find_lease(&mut incoming, network);
        match found.lease {
            Some(Chosen::Fixed(lease)) => {
                let host = lease.host;
                let mut work =
                    Work { incoming, grant: Grant::fixed(*lease), options: ReplyOptions::new(), host };
                self.answer_fixed(&mut work, &prefix);
                if !self.is_over() {
                    self.forget_functions(&work.grant.lease.bindings, "bootp.c(461)");
                }
            }
            dynamic => self.answer_dynamic(incoming, network, dynamic, prefix),
        }
    }

    fn answer_dynamic(
        &mut self,
        incoming: Incoming,
        network: NetworkId,
        found: Option<Chosen>,
        prefix: String,
    ) {
        let attached = match found {
            Some(Chosen::Pool(id)) => self.core.leases.lease(id).host,
            _ => None,
        };
        let host = attached.or_else(|| self.without_address(&self.hosts_by_hardware(&incoming)));
        let lease = found.or_else(|| self.allocate(&incoming, network).lease);
        let Some(chosen) = lease else {
            self.info(format!("{prefix}: BOOTP from dynamic client and no dynamic leases"));
            return;
        };
        let granting = Granting { answer: Answer::BootReply, soft_end: None, prefix, host };
        self.ack_lease(incoming, chosen, &granting);
    }

    fn answer_fixed(&mut self, work: &mut Work, prefix: &str) {
        let host = work.host;
        let subnet = self.subnet_scope(work.grant.lease.subnet);
        {
            let Work { incoming, grant, options, .. } = work;
            self.run_scopes(incoming, Ground::Lease(grant), options, subnet, None);
            // Not classified, but `add` makes members, too.
            self.run_class_scopes(incoming, Some(grant), options, Some(subnet));
            let scope = host.and_then(|h| self.core.config.hosts.get(h.index())).map(|h| h.scope);
            if let Some(scope) = scope {
                self.run_scopes(incoming, Ground::Lease(grant), options, scope, Some(subnet));
            }
        }
        for (code, refusal) in
            [(server::ALLOW_BOOTP, "bootp disallowed"), (server::ALLOW_BOOTING, "booting disallowed")]
        {
            if let Some(flag) = self.lease_flag(work, code)
                && !flag.is_true()
            {
                if flag != Flag::Ignore {
                    self.info(format!("{prefix}: {refusal}"));
                }
                return;
            }
        }
        let packed = self.bootp_options(work);
        let header = self.bootp_header(work);
        self.run_bootp_commit(work);
        if self.is_over() {
            return;
        }
        let Some(source) = self.interface(work.incoming.interface).and_then(|i| i.address) else {
            let interface = self.interface_name(work.incoming.interface).to_owned();
            self.error(format!(
                "{prefix}: Interface {interface} appears to have no IPv4 addresses, and so dhcpd cannot select a source \
                 address."
            ));
            return;
        };
        self.info(prefix.to_owned());
        let name = host.and_then(|h| self.core.config.hosts.get(h.index()));
        let name = name.map_or_else(|| "unknown".to_owned(), |h| h.name.to_string());
        let who = hardware_text(header.hardware_address());
        let address = work.grant.lease.address;
        self.info(format!("BOOTREPLY for {address} to {name} ({who}) via {}", self.via(&work.incoming)));
        let outgoing = Outgoing {
            interface: work.incoming.interface,
            header,
            source,
            ack: false,
            names_server: false,
            on_link: true,
        };
        let (route, failure_site) = route::of_bootp(&outgoing, &self.core.settings);
        let payload = encode(header, packed, BOOTP_MIN);
        self.effects.push(Effect::Send(Send { route, payload, failure_site: Some(failure_site) }));
    }

    /// The vendor area: options for a client that knows them, else what the client sent.
    fn bootp_options(&mut self, work: &mut Work) -> PackedOptions {
        if !work.incoming.options_valid {
            let always = self.lease_flag(work, server::ALWAYS_REPLY_RFC1048);
            if !always.is_some_and(Flag::is_true) {
                let options = work.incoming.packet.vendor_area().to_vec();
                return PackedOptions { options, ..PackedOptions::default() };
            }
        }
        self.set_default_mask(&work.grant, &mut work.options);
        self.use_host_decl_name(work);
        let packing =
            Packing { request_length: work.incoming.packet.raw.len(), bootp: true, ..Packing::default() };
        let Work { incoming, grant, options, .. } = work;
        self.pack(incoming, Ground::Lease(grant), options, packing)
    }

    fn bootp_header(&mut self, work: &mut Work) -> Header {
        let mut header = Header {
            op: BOOTREPLY,
            yiaddr: work.grant.lease.address,
            siaddr: Ipv4Addr::UNSPECIFIED,
            sname: [0; 64],
            ..*work.incoming.header()
        };
        if self.lease_flag(work, server::ALWAYS_BROADCAST).is_some_and(Flag::is_true) {
            header.flags |= BROADCAST_FLAG;
        }
        header.siaddr = match self.lease_parameter(work, server::NEXT_SERVER) {
            Some(octets) => first_address(Some(&octets)),
            None => self.boot_server(work),
        };
        // No line about names that are too long, other than in DHCP.
        if let Some(name) = self.lease_parameter(work, server::FILENAME) {
            header.file = [0; 128];
            header.file.iter_mut().zip(name.iter()).for_each(|(to, from)| *to = *from);
        }
        if let Some(name) = self.lease_parameter(work, server::SERVER_NAME) {
            header.sname.iter_mut().zip(name.iter()).for_each(|(to, from)| *to = *from);
        }
        header
    }

    /// Our address on the network of the lease, else on the interface of the packet.
    fn boot_server(&self, work: &Work) -> Ipv4Addr {
        let network = self.network_of(work.grant.lease.subnet);
        // The interface that was found last is served first; dhcpd remembers the one found first.
        let there = self.core.interfaces.iter().rev().find(|i| Some(i.network) == network);
        there.and_then(|i| i.address).unwrap_or_else(|| self.interface_address(&work.incoming))
    }

    fn run_bootp_commit(&mut self, work: &mut Work) {
        let Some(handler) = work.grant.lease.handlers.commit.take() else { return };
        let Work { incoming, grant, options, .. } = work;
        // A fatal line is found in the context.
        self.evaluate(Some(incoming), Ground::Lease(grant), Some(options), |context| {
            let _ = execute(&handler.body, context);
        });
    }
}
