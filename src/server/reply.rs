//! A reply: the options the server itself sets, the fixed fields, the line, and the way out.
//!
//! Mirrors the second half of ISC `server/dhcp.c:ack_lease`, and `dhcp_reply`. Option values are evaluated only when the
//! reply leaves, with the lease and the global variables in sight.

use super::ack::Work;
use super::incoming::Incoming;
use super::logline::{client_name, hardware_text, text_or_hex};
use super::parameters::{dhcp, server};
use super::route::{self, Outgoing};
use super::turn::{Grant, Ground, Turn};
use super::{Effect, Send};
use crate::config::tree::{Expr, Octets};
use crate::eval::settings::Flag;
use crate::eval::{ReplyOptions, evaluate_data, evaluate_sent};
use crate::lease::LeaseId;
use crate::options::{PackedOptions, Packing, SpaceId, Spaces, pack_reply};
use crate::time::Seconds;
use crate::wire::packet::{BOOTREPLY, BROADCAST_FLAG, Header};
use std::net::Ipv4Addr;
use std::sync::Arc;

/// The shortest message sent, as UDP payload (RFC 951).
pub(super) const BOOTP_MIN: usize = 300;

/// What a reply is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// DHCPOFFER
    Offer,
    /// DHCPACK
    Ack,
    /// BOOTREPLY to a dynamic BOOTP client.
    BootReply,
}

impl Answer {
    fn message_type(self) -> Option<u8> {
        match self {
            Self::Offer => Some(2),
            Self::Ack => Some(5),
            Self::BootReply => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Offer => "DHCPOFFER",
            Self::Ack => "DHCPACK",
            Self::BootReply => "BOOTREPLY",
        }
    }
}

/// A reply that only has to be packed and sent.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub incoming: Incoming,
    pub grant: Grant,
    pub answer: Answer,
    pub options: ReplyOptions,
    pub filename: Option<Octets>,
    pub server_name: Option<Octets>,
    /// The parameter request list in force.
    pub requested: Octets,
    pub max_message_size: u16,
    /// `site-option-space` and its lowest code.
    pub site: Option<(SpaceId, u32)>,
    pub siaddr: Ipv4Addr,
    pub flags: u16,
    /// The server identifier, which is also the IP source.
    pub source: Ipv4Addr,
}

impl Turn<'_> {
    /// Collects what the reply needs besides the configured options. `None`: an unknown `site-option-space`.
    pub(super) fn assemble(
        &mut self,
        mut work: Work,
        answer: Answer,
        expiry: Seconds,
        filename: Option<Octets>,
        server_name: Option<Octets>,
    ) -> Option<Reply> {
        let mut flags = work.incoming.header().flags;
        if self.lease_flag(&mut work, server::ALWAYS_BROADCAST).is_some_and(Flag::is_true) {
            flags |= BROADCAST_FLAG;
        }
        let max_message_size = self.max_message_size(&mut work);
        if let Some(selection) = work.incoming.option(dhcp::SUBNET_SELECTION).map(Octets::from) {
            self.set_option(&mut work.options, dhcp::SUBNET_SELECTION, selection);
        }
        let source = match answer.message_type() {
            Some(kind) => {
                self.set_option(&mut work.options, dhcp::MESSAGE_TYPE, [kind]);
                let source = self.server_identifier(&mut work.incoming, &mut work.options);
                // Cut to 32 bits as dhcpd does; a lease that never ends is sent as the seconds until 2038.
                let length = (expiry - self.now.wall) as u32;
                self.set_option(&mut work.options, dhcp::LEASE_TIME, length.to_be_bytes());
                self.check_renewal_times(&mut work, expiry - self.now.wall);
                source
            }
            None => self.interface_address(&work.incoming),
        };
        let siaddr = self.lease_parameter(&mut work, server::NEXT_SERVER);
        self.set_default_mask(&work.grant, &mut work.options);
        self.use_host_decl_name(&mut work);
        {
            let Work { incoming, grant, options, .. } = &mut work;
            let echo = self.flag(incoming, Ground::Lease(grant), options, server::ECHO_CLIENT_ID);
            self.echo_client_id(incoming, options, echo.is_some_and(Flag::is_true));
        }
        self.use_reverse_name(&mut work);
        self.use_leased_address_as_router(&mut work);
        let site = self.lease_parameter(&mut work, server::SITE_OPTION_SPACE);
        let site = self.site_space(site)?;
        let Work { mut incoming, mut grant, mut options, .. } = work;
        let requested = self.request_list(&mut incoming, Ground::Lease(&mut grant), &mut options);
        let siaddr = first_address(siaddr.as_deref());
        Some(Reply {
            incoming,
            grant,
            answer,
            options,
            filename,
            server_name,
            requested,
            max_message_size,
            site,
            siaddr,
            flags,
            source,
        })
    }

    /// `dhcp-max-message-size`: the client's, else the configured one.
    fn max_message_size(&mut self, work: &mut Work) -> u16 {
        let octets = match work.incoming.option(dhcp::MAX_MESSAGE_SIZE) {
            Some(octets) => Some(Octets::from(octets)),
            None => {
                let Work { incoming, grant, options, .. } = work;
                let code = dhcp::MAX_MESSAGE_SIZE;
                self.option_value(incoming, Ground::Lease(grant), options, Spaces::DHCP, code)
            }
        };
        octets.and_then(|o| <[u8; 2]>::try_from(&*o).ok()).map_or(0, u16::from_be_bytes)
    }

    /// The first address of the interface a packet came in on.
    pub(super) fn interface_address(&self, incoming: &Incoming) -> Ipv4Addr {
        self.interface(incoming.interface).and_then(|i| i.address).unwrap_or(Ipv4Addr::UNSPECIFIED)
    }

    /// The configured server identifier among `options`, else the interface's address, which then becomes option 54.
    pub(super) fn server_identifier(
        &mut self,
        incoming: &mut Incoming,
        options: &mut ReplyOptions,
    ) -> Ipv4Addr {
        match self.configured_identifier(incoming, options) {
            Some(address) => address,
            None => {
                let address = self.interface(incoming.interface).and_then(|i| i.address);
                if let Some(address) = address {
                    self.set_option(options, dhcp::SERVER_IDENTIFIER, address.octets());
                }
                address.unwrap_or(Ipv4Addr::UNSPECIFIED)
            }
        }
    }

    /// A configured server identifier that is an address.
    pub(super) fn configured_identifier(
        &mut self,
        incoming: &mut Incoming,
        options: &mut ReplyOptions,
    ) -> Option<Ipv4Addr> {
        let octets =
            self.option_value(incoming, Ground::Global, options, Spaces::DHCP, dhcp::SERVER_IDENTIFIER)?;
        Some(Ipv4Addr::from(<[u8; 4]>::try_from(&*octets).ok()?))
    }

    /// The subnet's mask, unless one is configured.
    pub(super) fn set_default_mask(&mut self, grant: &Grant, options: &mut ReplyOptions) {
        if !options.contains(Spaces::DHCP, dhcp::SUBNET_MASK)
            && let Some(mask) = self.netmask(grant.lease.subnet)
        {
            self.set_option(options, dhcp::SUBNET_MASK, mask.octets());
        }
    }

    /// `use-host-decl-names`
    pub(super) fn use_host_decl_name(&mut self, work: &mut Work) {
        if work.options.contains(Spaces::DHCP, dhcp::HOST_NAME) {
            return;
        }
        let host = work.grant.lease.host.and_then(|h| self.core.config.hosts.get(h.index()));
        let Some(name) = host.map(|h| Arc::clone(&h.name)) else { return };
        if self.lease_flag(work, server::USE_HOST_DECL_NAMES).is_some_and(Flag::is_true) {
            self.set_option(&mut work.options, dhcp::HOST_NAME, name.as_bytes());
        }
    }

    /// `echo-client-id` (RFC 6842)
    pub(super) fn echo_client_id(&mut self, incoming: &mut Incoming, options: &mut ReplyOptions, on: bool) {
        if !on {
            return;
        }
        incoming.echo_client_id = true;
        if let Some(id) = incoming.client_id() {
            self.set_option(options, dhcp::CLIENT_IDENTIFIER, id);
        }
    }

    /// `get-lease-hostnames`: asks the name server, and waits for it.
    fn use_reverse_name(&mut self, work: &mut Work) {
        if work.options.contains(Spaces::DHCP, dhcp::HOST_NAME)
            || !self.lease_flag(work, server::GET_LEASE_HOSTNAMES).is_some_and(Flag::is_true)
        {
            return;
        }
        let address = work.grant.lease.address;
        match self.environment.reverse(address) {
            None => self.error(format!("No hostname for {address}")),
            Some(name) => {
                // dhcpd sends the C string with its NUL.
                let octets = [name.as_bytes(), &[0]].concat();
                self.set_option(&mut work.options, dhcp::HOST_NAME, octets);
            }
        }
    }

    /// `use-lease-addr-for-default-route`
    fn use_leased_address_as_router(&mut self, work: &mut Work) {
        let on = self.lease_flag(work, server::USE_LEASE_ADDR_FOR_DEFAULT_ROUTE).is_some_and(Flag::is_true);
        if on && !work.options.contains(Spaces::DHCP, dhcp::ROUTERS) {
            let address = work.grant.lease.address;
            self.set_option(&mut work.options, dhcp::ROUTERS, address.octets());
        }
    }

    /// `site-option-space`: outer `None` for a space that does not exist, inner `None` without the parameter.
    pub(super) fn site_space(&mut self, name: Option<Octets>) -> Option<Option<(SpaceId, u32)>> {
        let Some(name) = name else { return Some(None) };
        let spaces = &self.core.config.spaces;
        let Some(space) = spaces.space_named(&*name) else {
            let name = name.split(|&c| c == 0).next().unwrap_or_default();
            self.error([b"unknown option space ", name, b"."].concat());
            return None;
        };
        let (least, complaint) = spaces.site_code_min(space);
        if let Some(lowest) = complaint
            && self.core.site_spaces_warned.insert(space)
        {
            let text = self.core.config.spaces.site_code_warning(space, lowest);
            self.error(text);
        }
        Some(Some((space, least)))
    }

    /// The parameter request list: a configured one, else the client's.
    pub(super) fn request_list(
        &mut self,
        incoming: &mut Incoming,
        ground: Ground<'_>,
        options: &mut ReplyOptions,
    ) -> Octets {
        let code = dhcp::PARAMETER_REQUEST_LIST;
        if options.contains(Spaces::DHCP, code) {
            return self.option_value(incoming, ground, options, Spaces::DHCP, code).unwrap_or_default();
        }
        incoming.option(code).map(Octets::from).unwrap_or_default()
    }

    /// Agent options that came with the packet go back with the reply, unless they are configured.
    pub(super) fn echo_agent_options(&mut self, incoming: &mut Incoming, options: &mut ReplyOptions) {
        if incoming.agent_options_stashed {
            return;
        }
        let spaces = &self.core.config.spaces;
        for entry in incoming.options.entries(Spaces::AGENT) {
            for value in std::iter::once(&entry.value).chain(&entry.more) {
                options.push(spaces, entry.option, Arc::new(Expr::Data(value.octets.clone())));
            }
            if let Some(echoed) = options.value(Spaces::AGENT, entry.option.code) {
                incoming.agent_options_echoed.push((entry.option.code, Arc::clone(echoed)));
            }
        }
    }

    /// Packs the options of a reply.
    pub(super) fn pack(
        &mut self,
        incoming: &mut Incoming,
        ground: Ground<'_>,
        options: &mut ReplyOptions,
        packing: Packing<'_>,
    ) -> PackedOptions {
        let request = incoming.options.clone();
        let packing = Packing { request: Some(&request), ..packing };
        let config = Arc::clone(&self.core.config);
        // While a value is evaluated, `config-option` may ask for others.
        let seen = options.clone();
        let own = packing.site.map_or(Spaces::DHCP, |(space, _)| space);
        let mut lines = Vec::new();
        let packed = self.evaluate(Some(incoming), ground, Some(options), |context| {
            pack_reply(
                &config.spaces,
                &seen,
                &packing,
                &mut |entry, out| match &*entry.value {
                    Expr::Data(octets) => {
                        out.extend_from_slice(octets);
                        true
                    }
                    expression => {
                        // Values inside encapsulations are not sent unless the evaluation went well.
                        let inside = ![Spaces::DHCP, Spaces::FQDN, own].contains(&entry.option.space);
                        let evaluate = if inside { evaluate_data } else { evaluate_sent };
                        let value = evaluate(expression, context);
                        value.as_deref().inspect(|octets| out.extend_from_slice(octets)).is_some()
                    }
                },
                &mut lines,
            )
        });
        self.effects.extend(lines.into_iter().map(Effect::Log));
        packed
    }

    /// Packs and sends a reply.
    pub(super) fn send_reply(&mut self, mut reply: Reply) {
        if let Some(id) = reply.grant.id {
            reply.grant = Grant::of(&self.core.leases, id);
        }
        let mut header = Header {
            op: BOOTREPLY,
            yiaddr: reply.grant.lease.address,
            siaddr: reply.siaddr,
            flags: reply.flags,
            sname: [0; 64],
            file: [0; 128],
            ..self.lease_hardware(&reply)
        };
        let filename = reply.filename.as_deref().filter(|name| !name.is_empty());
        let server_name = reply.server_name.as_deref().filter(|name| !name.is_empty());
        let (no_filename, no_server_name) = (filename.is_none(), server_name.is_none());
        if let Some(name) = filename {
            self.fill_name(&mut header.file, name, "file name");
        }
        if let Some(name) = server_name {
            self.fill_name(&mut header.sname, name, "server name");
        }
        let requested = std::mem::take(&mut reply.requested);
        let packing = Packing {
            requested: &requested,
            request: None,
            request_type: reply.incoming.kind,
            request_length: reply.incoming.packet.raw.len(),
            max_message_size: reply.max_message_size,
            bootp: reply.answer == Answer::BootReply,
            overload_file: no_filename,
            overload_sname: no_server_name,
            terminate: reply.answer != Answer::BootReply && reply.incoming.nul_terminates(),
            echo_client_id: reply.incoming.echo_client_id,
            site: reply.site,
        };
        let Reply { incoming, grant, options, .. } = &mut reply;
        let packed = self.pack(incoming, Ground::Packing(grant), options, packing);
        if self.is_over() {
            return;
        }
        let payload = encode(header, packed, BOOTP_MIN);
        let lease = &reply.grant.lease;
        let line = format!(
            "{} on {} to {} {}via {}",
            reply.answer.name(),
            lease.address,
            match &lease.hardware {
                Some(hardware) => hardware_text(&hardware.address),
                None => text_or_hex(lease.uid.as_deref().unwrap_or_default(), 60),
            },
            client_name(lease.client_hostname.as_deref()),
            self.via(&reply.incoming),
        );
        self.info(line);
        let network = self.interface(reply.incoming.interface).map(|i| i.network);
        let outgoing = Outgoing {
            interface: reply.incoming.interface,
            header,
            source: reply.source,
            ack: reply.answer == Answer::Ack,
            names_server: reply.incoming.option(dhcp::SERVER_IDENTIFIER).is_some(),
            on_link: network.is_some() && network == self.network_of(reply.grant.lease.subnet),
        };
        let (route, failure_site) = route::of_reply(&outgoing, &self.core.settings);
        self.effects.push(Effect::Send(Send { route, payload, failure_site: Some(failure_site) }));
    }

    /// dhcpd keeps all sixteen octets of `chaddr` with a lease, whatever the length (ISC `ack_lease`).
    pub(super) fn keep_chaddr(&mut self, id: LeaseId, header: &Header) {
        if header.chaddr.iter().skip(header.hardware_address().len()).all(|&octet| octet == 0) {
            self.core.chaddr.remove(&id);
        } else {
            self.core.chaddr.insert(id, header.chaddr);
        }
    }

    /// The request's header with the hardware address of the lease: the two differ when a lease is given again
    /// unaltered, and when it was abandoned while its ping was out. Then there is no address, and dhcpd's length of
    /// one less than zero makes it a broadcast.
    fn lease_hardware(&self, reply: &Reply) -> Header {
        let mut header = *reply.incoming.header();
        let Some(id) = reply.grant.id else { return header };
        let Some(hardware) = &reply.grant.lease.hardware else {
            header.hlen = u8::MAX;
            return header;
        };
        header.htype = hardware.htype;
        // A hardware address has at most 16 octets.
        header.hlen = u8::try_from(hardware.address.len()).unwrap_or(u8::MAX);
        header.chaddr = self.lease_chaddr(id, &hardware.address);
        header
    }

    /// `chaddr` as it is kept with a lease: the hardware address and what was behind it.
    pub(super) fn lease_chaddr(&self, id: LeaseId, address: &[u8]) -> [u8; 16] {
        let mut chaddr = self.core.chaddr.get(&id).copied().unwrap_or_default();
        chaddr.iter_mut().zip(address).for_each(|(to, from)| *to = *from);
        chaddr
    }

    /// Puts a name into its field; one that leaves no room for a NUL is cut, with a line.
    pub(super) fn fill_name(&mut self, field: &mut [u8], name: &[u8], what: &str) {
        field.iter_mut().zip(name).for_each(|(to, from)| *to = *from);
        if name.len() >= field.len() {
            let shown = name.split(|&c| c == 0).next().unwrap_or_default();
            let mut text = format!(
                "{what} longer than packet field truncated - field: {} name: {} ",
                field.len(),
                name.len()
            )
            .into_bytes();
            text.extend_from_slice(shown);
            self.info(text);
        }
    }
}

/// The first address of a value that may hold several.
pub(super) fn first_address(octets: Option<&[u8]>) -> Ipv4Addr {
    octets.and_then(|o| o.first_chunk::<4>()).map_or(Ipv4Addr::UNSPECIFIED, |octets| Ipv4Addr::from(*octets))
}

/// Fixed fields and options as octets, filled with zeros up to `least`.
pub(super) fn encode(mut header: Header, packed: PackedOptions, least: usize) -> Vec<u8> {
    if let Some(file) = packed.file {
        header.file = file;
    }
    if let Some(sname) = packed.sname {
        header.sname = sname;
    }
    let mut payload = Vec::with_capacity(crate::wire::packet::FIXED + packed.options.len());
    header.write(&mut payload);
    payload.extend_from_slice(&packed.options);
    if payload.len() < least {
        payload.resize(least, 0);
    }
    payload
}
