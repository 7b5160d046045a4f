//! Failover peers (ISC `server/confpars.c:parse_failover_peer`, `server/failover.c:dhcp_failover_sanity_check`).

use super::text::octets;
use super::{Builder, Refused};
use crate::config::Config;
use crate::config::diagnostic::{Code, Diagnostic};
use crate::config::network::{FailoverPeer, NetworkId, PeerId};
use crate::config::tree::Expr;
use crate::log::Line;
use std::sync::Arc;

/// The port of both peers when none is given.
const DEFAULT_PORT: u16 = 647;

/// A failover peer between its braces.
#[derive(Clone, Debug)]
pub struct PeerDraft {
    peer: FailoverPeer,
}

/// A failover parameter that is one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum PeerNumber {
    Port,
    PeerPort,
    MaxResponseDelay,
    PeerMaxResponseDelay,
    MaxUnackedUpdates,
    PeerMaxUnackedUpdates,
    Mclt,
    LoadBalanceMaxSeconds,
    MaxLeaseMisbalance,
    MaxLeaseOwnership,
    MaxBalance,
    MinBalance,
    AutoPartnerDown,
}

impl Builder {
    /// Opens `failover peer "NAME" {`.
    pub fn open_peer(&mut self, name: &[u8]) -> Result<PeerDraft, Refused> {
        if self.find_peer(name).is_some() {
            return Err(self.refuse(Code::PeerTwice, octets!("redeclaration of failover peer ", name)));
        }
        self.unsupported("failover peer");
        let name = self.name(name);
        let peer = FailoverPeer {
            name,
            primary: true,
            address: None,
            port: 0,
            peer_address: None,
            peer_port: 0,
            max_response_delay: 0,
            max_unacked_updates: 0,
            peer_max_response_delay: 0,
            peer_max_unacked_updates: 0,
            mclt: 0,
            hba: None,
            split: None,
            load_balance_max_seconds: 0,
            max_lease_misbalance: 0,
            max_lease_ownership: 0,
            max_balance: 0,
            min_balance: 0,
            auto_partner_down: 0,
            referring_pools: 0,
        };
        Ok(PeerDraft { peer })
    }

    /// `primary;` (true) or `secondary;`
    pub fn set_peer_role(&mut self, draft: &mut PeerDraft, primary: bool) {
        draft.peer.primary = primary;
        if !primary && draft.peer.hba.is_some() {
            self.refuse_balance();
        }
    }

    /// Says so when `split` or `hba` stand in a secondary. Asked before their value is read.
    pub fn expect_balance(&mut self, draft: &PeerDraft) {
        if !draft.peer.primary {
            self.refuse_balance();
        }
    }

    fn refuse_balance(&mut self) -> Refused {
        self.refuse(Code::PeerValue, "secondary may not define load balance settings.")
    }

    /// `address` (ours) and `peer address`.
    pub fn set_peer_address(&mut self, draft: &mut PeerDraft, partner: bool, address: Expr) {
        let slot = if partner { &mut draft.peer.peer_address } else { &mut draft.peer.address };
        match slot {
            None => *slot = Some(Arc::new(address)),
            // The first one stays. dhcpd names the line of its own source.
            Some(_) => self.log(Line::error("confpars.c(1014): non-null pointer")),
        }
    }

    /// A parameter that is a number; dhcpd keeps it as it is, sign and all.
    pub fn set_peer_number(&mut self, draft: &mut PeerDraft, which: PeerNumber, value: i32) {
        let peer = &mut draft.peer;
        let (word, port) = (value as u32, value as u16);
        match which {
            PeerNumber::Port => peer.port = port,
            PeerNumber::PeerPort => peer.peer_port = port,
            PeerNumber::MaxResponseDelay => peer.max_response_delay = word,
            PeerNumber::PeerMaxResponseDelay => peer.peer_max_response_delay = word,
            PeerNumber::MaxUnackedUpdates => peer.max_unacked_updates = word,
            PeerNumber::PeerMaxUnackedUpdates => peer.peer_max_unacked_updates = word,
            PeerNumber::Mclt => peer.mclt = word,
            PeerNumber::LoadBalanceMaxSeconds => peer.load_balance_max_seconds = word,
            PeerNumber::MaxLeaseMisbalance => peer.max_lease_misbalance = word,
            PeerNumber::MaxLeaseOwnership => peer.max_lease_ownership = word,
            PeerNumber::MaxBalance => peer.max_balance = word,
            PeerNumber::MinBalance => peer.min_balance = word,
            PeerNumber::AutoPartnerDown => peer.auto_partner_down = word,
        }
    }

    /// `split N;`: the first N of 256 buckets are ours.
    pub fn set_peer_split(&mut self, draft: &mut PeerDraft, split: i32) -> Result<(), Refused> {
        let Some(split) = u32::try_from(split).ok().filter(|split| *split <= 256) else {
            return Err(self.refuse(Code::PeerValue, "split must be between 0 and 256, inclusive"));
        };
        let mut hba = [0u8; 32];
        for (at, octet) in hba.iter_mut().enumerate() {
            // 32 octets of 8 buckets: the count fits.
            let ours = split.saturating_sub(at as u32 * 8).min(8);
            *octet = ((1u16 << ours) - 1) as u8;
        }
        draft.peer.split = Some(split);
        draft.peer.hba = Some(hba);
        Ok(())
    }

    /// `hba OCTETS;`
    pub fn set_peer_hba(&mut self, draft: &mut PeerDraft, octets: &[u8]) -> Result<(), Refused> {
        let Ok(hba) = <[u8; 32]>::try_from(octets) else {
            return Err(self.refuse(Code::PeerValue, "HBA must be exactly 32 bytes."));
        };
        draft.peer.hba = Some(hba);
        draft.peer.split = None;
        Ok(())
    }

    /// The closing brace: completes a peer with the defaults and enters it. `network` is the shared network it stands
    /// in, which takes it as its peer.
    pub fn close_peer(&mut self, draft: PeerDraft, network: Option<NetworkId>) {
        let mut peer = draft.peer;
        if peer.peer_address.is_none() {
            self.refuse(Code::PeerIncomplete, "peer address may not be omitted");
        }
        if peer.primary {
            if peer.hba.is_none() {
                self.refuse(Code::PeerIncomplete, "primary failover server must have hba or split.");
            } else if peer.mclt == 0 {
                self.refuse(Code::PeerIncomplete, "primary failover server must have mclt.");
            }
        }
        let default = |value: &mut u32, default: u32| {
            if *value == 0 {
                *value = default;
            }
        };
        for port in [&mut peer.port, &mut peer.peer_port] {
            if *port == 0 {
                *port = DEFAULT_PORT;
            }
        }
        default(&mut peer.max_lease_misbalance, 15);
        default(&mut peer.max_lease_ownership, 10);
        default(&mut peer.max_balance, 3600);
        default(&mut peer.min_balance, 60);
        default(&mut peer.max_unacked_updates, 100);
        default(&mut peer.max_response_delay, 20);
        // As many as statements: fits.
        let id = PeerId(self.config.failover_peers.len() as u32);
        self.peers.insert(peer.name.clone(), id);
        self.config.failover_peers.push(peer);
        if let Some(network) = network.and_then(|id| self.config.shared_networks.get_mut(id.index())) {
            network.failover_peer = Some(id);
        }
    }

    /// `failover peer "NAME";` right inside a shared network (`Some`) or anywhere else but a pool.
    pub fn refer_to_peer(&mut self, network: Option<NetworkId>, name: &[u8]) -> Result<(), Refused> {
        let Some(network) = network else {
            let isc = "failover peer reference not in shared-network declaration";
            return Err(self.refuse(Code::FailoverNotHere, isc));
        };
        let Some(peer) = self.find_peer(name) else {
            let isc = octets!("reference to unknown failover peer ", name);
            return Err(self.refuse(Code::PeerUnknown, isc));
        };
        if let Some(network) = self.config.shared_networks.get_mut(network.index()) {
            network.failover_peer = Some(peer);
        }
        Ok(())
    }

    /// `failover peer "NAME" state {`: a peer of that name must be declared.
    pub fn expect_peer_state(&mut self, name: &[u8]) -> Result<PeerId, Refused> {
        let known = self.find_peer(name);
        known.ok_or_else(|| {
            self.refuse(Code::PeerUnknown, octets!("state declaration for unknown failover peer ", name))
        })
    }

    /// A failover statement where none may stand.
    pub fn refuse_failover(&mut self) -> Refused {
        let isc = "failover peers may only be defined in shared-network";
        let diagnostic = Diagnostic::error(Code::FailoverNotHere, self.span, isc)
            .message("failover peers are declared in shared networks and at the outermost level");
        let refused = self.report(diagnostic);
        self.log(Line::error("declarations and the outer scope."));
        refused
    }

    /// The peer of that name.
    pub fn find_peer(&self, name: &[u8]) -> Option<PeerId> {
        let name = name.split(|c| *c == 0).next().unwrap_or_default();
        self.peers.get(&*String::from_utf8_lossy(name)).copied()
    }
}

/// What dhcpd says about failover after the root scope ran: its lines in order, and whether it gives up with the last
/// one.
pub fn failover_sanity(config: &Config) -> (Vec<Line>, bool) {
    let mut lines = Vec::new();
    let mut failed = false;
    for peer in config.failover_peers.iter().rev() {
        if peer.referring_pools == 0 {
            failed = true;
            lines.push(Line::error(format!(
                "ERROR: Failover peer, {}, has no referring pools. You must refer to each peer in at least one pool \
                 declaration.",
                peer.name
            )));
        }
        if peer.load_balance_max_seconds == 0 {
            lines.push(Line::info(format!(
                "WARNING: load balancing will be disabled for failover peer, {}, because its load balance max secs is 0",
                peer.name
            )));
        }
    }
    if failed {
        lines.push(Line::error("Failover configuration sanity check failed"));
    }
    (lines, failed)
}
