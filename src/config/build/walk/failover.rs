//! Failover statements.

use super::{Draft, Kind, Place};
use crate::config::build::failover::PeerNumber;
use crate::config::build::{Builder, Refused};
use crate::config::diagnostic::Code;
use crate::config::network::NetworkId;
use crate::syntax::{self, FailoverParameter, FailoverStateStatement, FailoverStatementKind, StatementKind};

impl Builder {
    pub(super) fn failover(
        &mut self,
        written: &syntax::Statement,
        place: &mut Place<'_>,
    ) -> Result<(), Refused> {
        if let Draft::Pool(pool) = &mut place.draft {
            return match &written.kind {
                StatementKind::NoFailoverPeer => {
                    self.clear_pool_peer(pool);
                    Ok(())
                }
                StatementKind::FailoverReference(name) if name.quoted => {
                    self.at(name.span);
                    self.set_pool_peer(pool, &name.text)
                }
                StatementKind::FailoverReference(name) => {
                    self.at(name.span);
                    Err(self.refuse(Code::ValueExpected, "expecting string."))
                }
                _ => Err(self.refuse(Code::FailoverNotHere, "semicolon expected.")),
            };
        }
        if !matches!(place.kind, Kind::Root | Kind::SharedNetwork) {
            return Err(self.refuse_failover());
        }
        let network = place.network.filter(|_| place.kind == Kind::SharedNetwork);
        match &written.kind {
            StatementKind::FailoverReference(name) => self.refer_to_peer(network, &name.text),
            StatementKind::FailoverPeer(peer) => self.failover_peer(peer, network),
            StatementKind::FailoverState(state) => {
                self.expect_peer_state(&state.name.text)?;
                for statement in &state.statements {
                    if let FailoverStateStatement::Malformed(malformed) = statement {
                        return Err(self.malformed(malformed, false));
                    }
                }
                Ok(())
            }
            _ => Err(self.refuse(Code::FailoverNotHere, "expecting a parameter or declaration")),
        }
    }

    fn failover_peer(
        &mut self,
        written: &syntax::FailoverPeer,
        network: Option<NetworkId>,
    ) -> Result<(), Refused> {
        let span = self.span;
        let mut draft = self.open_peer(&written.name.text)?;
        for statement in &written.statements {
            self.at(statement.span);
            match &statement.kind {
                FailoverStatementKind::Primary => self.set_peer_role(&mut draft, true),
                FailoverStatementKind::Secondary => self.set_peer_role(&mut draft, false),
                FailoverStatementKind::Address { peer, address } => {
                    let address = self.addresses(std::slice::from_ref(address), false);
                    self.set_peer_address(&mut draft, *peer, address);
                }
                FailoverStatementKind::Number { parameter: FailoverParameter::Split, value, .. } => {
                    // A bad value is reported; the declaration goes on.
                    self.expect_balance(&draft);
                    let _ = self.set_peer_split(&mut draft, value.value);
                }
                FailoverStatementKind::Number { peer, parameter, value } => {
                    if let Some(number) = peer_number(*parameter, *peer) {
                        self.set_peer_number(&mut draft, number, value.value);
                    }
                }
                FailoverStatementKind::Hba(octets) => {
                    self.expect_balance(&draft);
                    let _ = self.set_peer_hba(&mut draft, &octets.octets);
                }
                FailoverStatementKind::Malformed(malformed) => {
                    return Err(self.malformed(malformed, false));
                }
            }
        }
        self.at(written.name.span).close_peer(draft, network);
        self.at(span);
        Ok(())
    }
}

fn peer_number(parameter: FailoverParameter, peer: bool) -> Option<PeerNumber> {
    Some(match (parameter, peer) {
        (FailoverParameter::Port, false) => PeerNumber::Port,
        (FailoverParameter::Port, true) => PeerNumber::PeerPort,
        (FailoverParameter::MaxResponseDelay, false) => PeerNumber::MaxResponseDelay,
        (FailoverParameter::MaxResponseDelay, true) => PeerNumber::PeerMaxResponseDelay,
        (FailoverParameter::MaxUnackedUpdates, false) => PeerNumber::MaxUnackedUpdates,
        (FailoverParameter::MaxUnackedUpdates, true) => PeerNumber::PeerMaxUnackedUpdates,
        (FailoverParameter::Mclt, _) => PeerNumber::Mclt,
        (FailoverParameter::LoadBalanceMaxSeconds, _) => PeerNumber::LoadBalanceMaxSeconds,
        (FailoverParameter::MaxLeaseMisbalance, _) => PeerNumber::MaxLeaseMisbalance,
        (FailoverParameter::MaxLeaseOwnership, _) => PeerNumber::MaxLeaseOwnership,
        (FailoverParameter::MaxBalance, _) => PeerNumber::MaxBalance,
        (FailoverParameter::MinBalance, _) => PeerNumber::MinBalance,
        (FailoverParameter::AutoPartnerDown, _) => PeerNumber::AutoPartnerDown,
        (FailoverParameter::Split, _) => return None,
    })
}
