//! Granting a lease: DHCPOFFER, DHCPACK and the BOOTREPLY of a dynamic BOOTP client.
//!
//! Mirrors ISC `server/dhcp.c:ack_lease` step by step, because every step can log, release, write or run statements. The
//! order is: scopes, one lease per client, `min-secs`, host, permissions, billing, times, new data, commit statements,
//! reuse or supersede, the options that the server itself sets, the request's line, and then ping, commit or reply.

use super::find_lease::Chosen;
use super::incoming::Incoming;
use super::parameters::{dhcp, server};
use super::reply::{Answer, Reply};
use super::turn::{Grant, Ground, Turn};
use crate::config::network::HostId;
use crate::config::tree::{Expr, Octets};
use crate::eval::bindings::Value;
use crate::eval::settings::Flag;
use crate::eval::{Data, Handlers, ReplyOptions, evaluate_data, execute};
use crate::lease::{AgentOption, BindingState, Lease};
use crate::options::{Received, Spaces};
use crate::time::Seconds;
use std::sync::Arc;

const REQUEST: u8 = 3;

/// What is to be granted, and how.
#[derive(Clone, Debug)]
pub(super) struct Granting {
    pub answer: Answer,
    /// The end stored on the lease while it is only offered.
    pub soft_end: Option<Seconds>,
    /// The request's line, or the part before the colon of a line about a refusal.
    pub prefix: String,
    /// The host of a BOOTP client.
    pub host: Option<HostId>,
}

/// A lease on its way to a client.
pub(super) struct Work {
    pub incoming: Incoming,
    pub grant: Grant,
    pub options: ReplyOptions,
    pub host: Option<HostId>,
}

/// The client may have the lease; this is what the lease will hold.
struct Granted {
    new: Lease,
    /// The end the client is told.
    expiry: Seconds,
    filename: Option<Octets>,
    server_name: Option<Octets>,
}

impl Turn<'_> {
    /// Grants a lease, or refuses it.
    pub(super) fn ack_lease(&mut self, incoming: Incoming, chosen: Chosen, granting: &Granting) {
        let grant = match chosen {
            // A reply for this lease is under way.
            Chosen::Pool(id) if self.core.pending.contains(id) => return,
            Chosen::Pool(id) => Grant::of(&self.core.leases, id),
            Chosen::Fixed(lease) => Grant::fixed(*lease),
        };
        let host = granting.host.or(grant.lease.host);
        let mut work = Work { incoming, grant, options: ReplyOptions::new(), host };
        let last_transaction = work.grant.lease.cltt;
        let granted = self.decide(&mut work, granting);
        let Some(granted) = granted.filter(|_| !self.is_over()) else {
            self.keep(&mut work.grant);
            if work.grant.id.is_none() && !self.is_over() {
                // The lease made up for the fixed address goes.
                let place = if is_request(&work.incoming) { "dhcp.c(772)" } else { "dhcp.c(449)" };
                self.forget_functions(&work.grant.lease.bindings, place);
            }
            return;
        };
        let (filename, server_name) = (granted.filename.clone(), granted.server_name.clone());
        let stored = self.store(&mut work, granting.answer, granted);
        let reply = self.assemble(work, granting.answer, stored.expiry, filename, server_name);
        let Some(reply) = reply.filter(|_| !self.is_over()) else { return };
        self.info(granting.prefix.clone());
        self.dispatch(reply, &stored, last_transaction);
    }

    /// Sends the reply, or lets it wait for a ping or for the disk.
    fn dispatch(&mut self, mut reply: Reply, stored: &Stored, last_transaction: Seconds) {
        let Some(id) = reply.grant.id else {
            self.send_reply(reply);
            return;
        };
        if reply.answer == Answer::Offer
            && let Some(wait) = self.ping_wait(&mut reply, last_transaction, stored.same_client)
        {
            self.keep(&mut reply.grant);
            self.core.pending.hold_for_ping(id, self.now.tick.saturating_add(wait), Box::new(reply));
            return;
        }
        self.keep(&mut reply.grant);
        let now = self.now.wall;
        if self.core.leases.lease(id).cltt != now {
            self.core.leases.update(id, |lease| lease.cltt = now);
        }
        if stored.to_be_committed {
            self.write_lease(id);
            self.core.pending.hold_for_commit(id, Box::new(reply));
            self.queue_ack(id);
        } else {
            self.send_reply(reply);
        }
    }

    /// Runs the scopes and makes every test that can end in a refusal.
    fn decide(&mut self, work: &mut Work, granting: &Granting) -> Option<Granted> {
        let answer = granting.answer;
        self.echo_agent_options(&mut work.incoming, &mut work.options);
        let lease = &mut work.grant.lease;
        if lease.ends <= self.now.wall && answer != Answer::Offer {
            // The statements below install new ones. An offer of a valid lease must not touch them.
            lease.handlers = Handlers::default();
        }
        self.run_lease_scopes(work);
        self.one_lease_per_client(work);
        if answer == Answer::Offer && !self.passes_min_secs(work, granting) {
            return None;
        }
        self.find_host(work);
        if let Some(scope) = work.host.and_then(|h| self.core.config.hosts.get(h.index())).map(|h| h.scope) {
            let covered = self.innermost_scope(&work.grant);
            let Work { incoming, grant, options, .. } = work;
            self.run_scopes(incoming, Ground::Lease(grant), options, scope, Some(covered));
        }
        if !self.is_allowed(work, granting) || !self.bill_lease(work, granting) || self.is_over() {
            return None;
        }
        let filename = self.lease_parameter(work, server::FILENAME);
        let server_name = self.lease_parameter(work, server::SERVER_NAME);
        let mut new = Lease::virgin(work.grant.lease.address, work.grant.lease.pool, work.grant.lease.subnet);
        new.starts = self.now.wall;
        let expiry = match answer {
            Answer::BootReply => self.bootp_expiry(work),
            Answer::Offer | Answer::Ack => self.lease_expiry(work, answer, &mut new)?,
        };
        new.ends = granting.soft_end.filter(|_| answer != Answer::BootReply).unwrap_or(expiry);
        new.next_state = match answer {
            Answer::Offer => work.grant.lease.state,
            Answer::Ack | Answer::BootReply => BindingState::Active,
        };
        self.fill(work, answer, &mut new);
        Some(Granted { new, expiry, filename, server_name })
    }

    /// Network, pool and class scopes.
    fn run_lease_scopes(&mut self, work: &mut Work) {
        let subnet = self.subnet_scope(work.grant.lease.subnet);
        let Work { incoming, grant, options, .. } = work;
        self.run_scopes(incoming, Ground::Lease(grant), options, subnet, None);
        if let Some(pool) = grant.pool() {
            let (scope, covered) = (self.pool_scope(pool), self.pool_network_scope(pool));
            self.run_scopes(incoming, Ground::Lease(grant), options, scope, covered);
        }
        let covered = self.innermost_scope(grant);
        self.run_class_scopes(incoming, Some(grant), options, Some(covered));
    }

    /// The scope of the pool, else of the subnet: what class and host scopes do not run again.
    fn innermost_scope(&self, grant: &Grant) -> crate::config::network::ScopeId {
        match grant.pool() {
            Some(pool) => self.pool_scope(pool),
            None => self.subnet_scope(grant.lease.subnet),
        }
    }

    /// A server parameter, evaluated with the lease's variables.
    pub(super) fn lease_parameter(&mut self, work: &mut Work, code: u32) -> Option<Octets> {
        let Work { incoming, grant, options, .. } = work;
        self.parameter(incoming, Ground::Lease(grant), options, code)
    }

    /// A server parameter that is a flag; `None` when it is not set.
    pub(super) fn lease_flag(&mut self, work: &mut Work, code: u32) -> Option<Flag> {
        let Work { incoming, grant, options, .. } = work;
        self.flag(incoming, Ground::Lease(grant), options, code)
    }

    /// A server parameter of four octets.
    pub(super) fn lease_seconds(&mut self, work: &mut Work, code: u32) -> Option<i64> {
        let Work { incoming, grant, options, .. } = work;
        self.seconds(incoming, Ground::Lease(grant), options, code)
    }

    fn passes_min_secs(&mut self, work: &mut Work, granting: &Granting) -> bool {
        let least = self.lease_parameter(work, server::MIN_SECS).and_then(|octets| octets.first().copied());
        let secs = work.incoming.header().secs;
        match least {
            Some(least) if secs < u16::from(least) => {
                let prefix = &granting.prefix;
                self.info(format!(
                    "{prefix}: configured min-secs value ({least}) is greater than secs field ({secs}).  message \
                     dropped."
                ));
                false
            }
            _ => true,
        }
    }

    /// A host without fixed address, so that its options can be used.
    fn find_host(&mut self, work: &mut Work) {
        if work.host.is_some() {
            return;
        }
        self.show_changed_agent_options(work);
        let incoming = &work.incoming;
        work.host = self
            .without_address(&self.hosts_by_uid(incoming))
            .or_else(|| self.without_address(&self.hosts_by_hardware(incoming)))
            .or_else(|| self.without_address(&self.hosts_by_option(incoming)));
    }

    /// `boot-unknown-clients`, `allow-bootp`, `allow-booting`. `ignore` refuses in silence.
    fn is_allowed(&mut self, work: &mut Work, granting: &Granting) -> bool {
        let tests = [
            (work.host.is_none(), server::BOOT_UNKNOWN_CLIENTS, "unknown client"),
            (granting.answer == Answer::BootReply, server::ALLOW_BOOTP, "bootp disallowed"),
            (true, server::ALLOW_BOOTING, "booting disallowed"),
        ];
        for (applies, code, refusal) in tests {
            if !applies {
                continue;
            }
            match self.lease_flag(work, code) {
                Some(flag) if !flag.is_true() => {
                    if flag != Flag::Ignore {
                        self.info(format!("{}: {refusal}", granting.prefix));
                    }
                    return false;
                }
                _ => {}
            }
        }
        true
    }

    /// Puts the client's identity and the rest of the new data on the lease to be, and runs its commit statements.
    fn fill(&mut self, work: &mut Work, answer: Answer, new: &mut Lease) {
        new.cltt = self.now.wall;
        if !self.lease_flag(work, server::IGNORE_CLIENT_UIDS).is_some_and(Flag::is_true) {
            new.uid = work.incoming.client_id();
        }
        new.host = work.host;
        new.billing_class = work.grant.lease.billing_class;
        new.agent_options = work.grant.lease.agent_options.clone();
        new.bindings = std::mem::take(&mut work.grant.lease.bindings);
        if let Some(class) = work.incoming.option(dhcp::VENDOR_CLASS_IDENTIFIER).filter(|o| !o.is_empty()) {
            new.bindings.set(&"vendor-class-identifier".into(), Some(Value::Data(class.into())));
        }
        let mut stashing = false;
        if !work.incoming.agent_options_stashed && work.incoming.has_agent_options() {
            // dhcpd has moved the variables to the new data by now; the flag sees none of them.
            let stash = self.lease_flag(work, server::STASH_AGENT_OPTIONS);
            stashing = stash.is_none_or(Flag::is_true);
            if stashing {
                new.agent_options = self.agent_options(work);
            }
        }
        if let Some(name) = work.incoming.option(dhcp::HOST_NAME) {
            let lease = &mut work.grant.lease;
            if lease.client_hostname.as_deref() != Some(name) {
                lease.cannot_reuse = true;
            }
            // A C string ends at its first NUL.
            let end = name.iter().position(|&c| c == 0).unwrap_or(name.len());
            new.client_hostname = Some(name.get(..end).unwrap_or(name).into());
        }
        new.hardware = Some(work.incoming.hardware());
        let lease = &mut work.grant.lease;
        if new.reserved && !lease.reserved {
            lease.cannot_reuse = true;
            self.debug("Cannot reuse: lease is changing to RESERVED");
        }
        let lease = &mut work.grant.lease;
        new.reserved |= lease.reserved;
        new.dynamic_bootp |= lease.dynamic_bootp || answer == Answer::BootReply;
        if answer != Answer::Offer {
            self.run_commit_statements(work, new);
            if stashing {
                // As the commit statements left them.
                new.agent_options = self.agent_options(work);
            }
            // The DNS update itself belongs to another layer; whether one is wanted is asked here.
            let mut to_be = Grant { id: work.grant.id, lease: new.clone() };
            self.flag(&mut work.incoming, Ground::Lease(&mut to_be), &mut work.options, server::DDNS_UPDATES);
        }
    }

    /// The agent options of the packet as statements left them in the list it shares with the reply. What expressions
    /// log while they are evaluated for this is not said.
    fn agent_options(&mut self, work: &mut Work) -> Vec<AgentOption> {
        let Work { incoming, grant, options, .. } = work;
        let mut kept = Vec::new();
        for entry in options.entries(Spaces::AGENT).to_vec() {
            // Codes of the `agent` space are one octet wide.
            let Ok(code) = u8::try_from(entry.option.code) else { continue };
            let echoed =
                incoming.agent_options_echoed.iter().find(|(echoed, _)| *echoed == entry.option.code);
            let configured = !echoed.is_some_and(|(_, echoed)| Arc::ptr_eq(echoed, &entry.value));
            let said = self.effects.len();
            for setting in std::iter::once(&entry.value).chain(&entry.more) {
                let value = match &**setting {
                    Expr::Data(octets) => Some(octets.clone()),
                    _ => self.evaluate(Some(incoming), Ground::Lease(grant), Some(options), |context| {
                        evaluate_data(setting, context).map(Data::into_octets)
                    }),
                };
                kept.extend(value.map(|value| AgentOption { code, value, configured }));
            }
            self.effects.truncate(said);
        }
        kept
    }

    /// Lets everything that asks the packet for an agent option see what statements made of it.
    fn show_changed_agent_options(&mut self, work: &mut Work) {
        if work.incoming.agent_options_echoed.is_empty() {
            return;
        }
        let changed = self.agent_options(work);
        if !changed.iter().any(|option| option.configured) {
            return;
        }
        let spaces = &self.core.config.spaces;
        work.incoming.options.remove_space(Spaces::AGENT);
        for AgentOption { code, value, .. } in changed {
            let option = spaces.by_code(Spaces::AGENT, u32::from(code));
            work.incoming.options.push(spaces, option, Received { octets: value, had_nuls: false });
        }
    }

    fn run_commit_statements(&mut self, work: &mut Work, new: &mut Lease) {
        let Some(handler) = work.grant.lease.handlers.commit.take() else { return };
        let mut to_be = Grant { id: work.grant.id, lease: new.clone() };
        let Work { incoming, options, .. } = work;
        // A fatal line is found in the context.
        self.evaluate(Some(incoming), Ground::Lease(&mut to_be), Some(options), |context| {
            let _ = execute(&handler.body, context);
        });
        *new = to_be.lease;
    }

    /// Puts the new data on the lease, unless the old lease is young enough to be used as it is.
    fn store(&mut self, work: &mut Work, answer: Answer, granted: Granted) -> Stored {
        let Granted { mut new, mut expiry, .. } = granted;
        let Some(id) = work.grant.id else {
            self.forget_functions(&new.bindings, "dhcp.c(3249)");
            work.grant.lease.hardware = new.hardware;
            return Stored { expiry, same_client: false, to_be_committed: false };
        };
        let same_client = {
            let lease = &work.grant.lease;
            lease.host == new.host && lease.uid == new.uid && lease.hardware == new.hardware
        };
        let reused = same_client && self.is_reusable(work, &mut new);
        if reused {
            let lease = &mut work.grant.lease;
            expiry = lease.ends;
            lease.bindings = std::mem::take(&mut new.bindings);
            lease.cannot_reuse = false;
            if new.client_hostname.is_some() {
                let name = new.client_hostname.take();
                self.core.leases.update(id, |lease| lease.client_hostname = name);
            }
            self.keep(&mut work.grant);
        } else {
            // After an offer the lease in memory is no longer what the client has.
            work.grant.lease.cannot_reuse = answer == Answer::Offer;
            // The handlers stay on the lease; those the commit statements installed replace them.
            self.keep(&mut work.grant);
            if self.core.leases.supersede(id, new).conflict {
                self.error(format!("Lease conflict at {}", work.grant.lease.address));
            }
            self.keep_chaddr(id, work.incoming.header());
            self.settle(id, answer != Answer::Offer);
            self.expire_overdue(id);
        }
        work.grant = Grant::of(&self.core.leases, id);
        Stored { expiry, same_client, to_be_committed: !reused && answer != Answer::Offer }
    }
}

/// How the lease was stored.
struct Stored {
    /// The end the client is told.
    expiry: Seconds,
    /// The client is the one the lease had before.
    same_client: bool,
    /// The reply has to wait for the disk.
    to_be_committed: bool,
}

/// Is this a request for a lease, as opposed to a search for one?
pub(super) fn is_request(incoming: &Incoming) -> bool {
    incoming.kind == REQUEST
}
