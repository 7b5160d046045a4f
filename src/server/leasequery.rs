//! DHCPLEASEQUERY (RFC 4388): a relay asks who has an address, or which addresses a client has.
//!
//! Mirrors ISC `server/dhcpleasequery.c:dhcpleasequery`.

use super::incoming::Incoming;
use super::logline::{hardware_text, text_or_hex};
use super::parameters::{dhcp, server};
use super::reply::encode;
use super::route;
use super::turn::{Grant, Ground, Turn};
use super::{Effect, Send};
use crate::config::network::ScopeId;
use crate::eval::ReplyOptions;
use crate::eval::bindings::Value;
use crate::eval::settings::Flag;
use crate::lease::{BindingState, Lease, LeaseId};
use crate::options::{Packing, Spaces};
use crate::wire::packet::{BOOTREPLY, Header};
use std::sync::Arc;

/// Other addresses of a client in one answer.
const MOST_ASSOCIATED: usize = 40;

/// What was asked about, and what is known.
struct Query {
    about: String,
    lease: Option<LeaseId>,
    associated: Vec<LeaseId>,
}

impl Turn<'_> {
    /// Answers a relay.
    pub(super) fn lease_query(&mut self, mut incoming: Incoming) {
        let giaddr = incoming.header().giaddr;
        let mut prefix = format!("DHCPLEASEQUERY from {giaddr}");
        if giaddr.is_unspecified() {
            let ciaddr = incoming.header().ciaddr;
            self.info(format!("{prefix}: missing giaddr, ciaddr is {ciaddr}, no reply sent"));
            return;
        }
        let scope =
            self.core.config.subnet_containing(giaddr).map_or(ScopeId::ROOT, |s| self.subnet_scope(s));
        let mut options = ReplyOptions::new();
        self.run_scopes(&mut incoming, Ground::Global, &mut options, scope, None);
        self.run_class_scopes(&mut incoming, None, &mut options, Some(scope));
        let allowed = self.flag(&mut incoming, Ground::Global, &mut options, server::LEASEQUERY);
        if self.is_over() {
            return;
        }
        if !allowed.is_some_and(Flag::is_true) {
            self.info(format!("{prefix}: LEASEQUERY not allowed, query ignored"));
            return;
        }
        let query = self.look_up(&incoming);
        let mut header = Header { op: BOOTREPLY, ..*incoming.header() };
        if let Some(id) = query.lease {
            header.ciaddr = self.core.leases.place(id).0;
        }
        let count = query.associated.len();
        if count > MOST_ASSOCIATED {
            self.info(format!(
                "{count} IP addresses associated with {}, only {MOST_ASSOCIATED} sent in reply.",
                query.about
            ));
        }
        prefix.push_str(" for ");
        prefix.push_str(&query.about);
        let lease = query.lease.map(|id| self.core.leases.lease(id).into_owned());
        let (kind, name) = match &lease {
            None => (12, "DHCPLEASEUNKNOWN"),
            Some(lease) if lease.state == BindingState::Active => (13, "DHCPLEASEACTIVE"),
            Some(_) => (11, "DHCPLEASEUNASSIGNED"),
        };
        if kind == 13
            && let Some(lease) = &lease
        {
            options = self.active_options(lease, &query.associated);
            // A lease without hardware has an empty address; dhcpd makes its length 255.
            let hardware = lease.hardware.clone().unwrap_or_default();
            header.htype = hardware.htype;
            header.hlen =
                if lease.hardware.is_some() { hardware.address.len().min(16) as u8 } else { u8::MAX };
            header.chaddr = query.lease.map_or([0; 16], |id| self.lease_chaddr(id, &hardware.address));
        }
        self.set_option(&mut options, dhcp::MESSAGE_TYPE, [kind]);
        self.info(prefix);
        self.server_identifier(&mut incoming, &mut options);
        let code = dhcp::PARAMETER_REQUEST_LIST;
        let requested = self
            .option_value(&mut incoming, Ground::Global, &mut options, Spaces::DHCP, code)
            .unwrap_or_default();
        let packing = Packing {
            requested: &requested,
            request_type: incoming.kind,
            request_length: incoming.packet.raw.len(),
            ..Packing::default()
        };
        // Values may ask for the lease.
        let mut grant = query.lease.map(|id| Grant::of(&self.core.leases, id));
        let ground = grant.as_mut().map_or(Ground::Global, Ground::Packing);
        let packed = self.pack(&mut incoming, ground, &mut options, packing);
        if self.is_over() {
            return;
        }
        self.info(format!("{name} to {giaddr} for {} ({count} associated IPs)", query.about));
        let route = route::to_relay(giaddr, &self.core.settings);
        let payload = encode(header, packed, 0);
        self.effects.push(Effect::Send(Send { route, payload, failure_site: None }));
    }

    /// By address, else by client identifier, else by hardware address.
    fn look_up(&self, incoming: &Incoming) -> Query {
        let leases = &self.core.leases;
        if let Some(ciaddr) = incoming.ciaddr() {
            let about = format!("IP {ciaddr}");
            return Query { about, lease: leases.find(ciaddr), associated: Vec::new() };
        }
        let (about, chain): (String, Vec<LeaseId>) = match incoming.client_id() {
            Some(uid) => (format!("client-id {}", text_or_hex(&uid, 60)), leases.uid_chain(&uid).collect()),
            None => {
                let hardware = incoming.hardware();
                let about = format!("MAC address {}", hardware_text(&hardware.address));
                (about, leases.hardware_chain(&hardware).collect())
            }
        };
        let lease = self.newest(&chain);
        let is_active = |id: &LeaseId| leases.lease(*id).state == BindingState::Active;
        let associated = chain.into_iter().filter(|id| Some(*id) != lease && is_active(id)).collect();
        Query { about, lease, associated }
    }

    /// dhcpd's notion of the newest lease of a chain: among active ones the last transaction decides, before the first
    /// active one the end.
    fn newest(&self, chain: &[LeaseId]) -> Option<LeaseId> {
        let leases = &self.core.leases;
        let (&first, rest) = chain.split_first()?;
        Some(rest.iter().fold(first, |newest, &id| {
            let (best, other) = (leases.lease(newest), leases.lease(id));
            let newer = match best.state {
                BindingState::Active => other.state == BindingState::Active && other.cltt > best.cltt,
                _ => other.ends > best.ends,
            };
            if newer { id } else { newest }
        }))
    }

    /// What is told about a lease in use. Configured options are not.
    fn active_options(&self, lease: &Lease, associated: &[LeaseId]) -> ReplyOptions {
        let now = self.now.wall;
        let mut options = ReplyOptions::new();
        if let Some(uid) = lease.uid.as_ref().filter(|uid| !uid.is_empty()) {
            self.set_option(&mut options, dhcp::CLIENT_IDENTIFIER, uid.clone());
        }
        // dhcpd reckons with 32 bits here.
        let length = i64::from((lease.ends - lease.starts) as u32);
        let half = lease.starts + length / 2;
        let seven_eighths = half + length / 4 + length / 8;
        for (code, time) in [
            (dhcp::RENEWAL_TIME, half),
            (dhcp::REBINDING_TIME, seven_eighths),
            (dhcp::LEASE_TIME, lease.ends),
        ] {
            if time > now {
                self.set_option(&mut options, code, ((time - now) as u32).to_be_bytes());
            }
        }
        if let Some(Value::Data(class)) = lease.bindings.value("vendor-class-identifier") {
            self.set_option(&mut options, dhcp::VENDOR_CLASS_IDENTIFIER, class.clone());
        }
        let spaces = &self.core.config.spaces;
        for kept in &lease.agent_options {
            let option = spaces.by_code(Spaces::AGENT, u32::from(kept.code));
            options.push(spaces, option, Arc::new(crate::config::tree::Expr::Data(kept.value.clone())));
        }
        if lease.cltt != 0 {
            let age = (now - lease.cltt).max(0) as u32;
            self.set_option(&mut options, dhcp::CLIENT_LAST_TRANSACTION_TIME, age.to_be_bytes());
        }
        if !associated.is_empty() {
            let shown = associated.iter().take(MOST_ASSOCIATED);
            let octets: Vec<u8> = shown.flat_map(|&id| self.core.leases.place(id).0.octets()).collect();
            self.set_option(&mut options, dhcp::ASSOCIATED_IP, octets);
        }
        options
    }
}
