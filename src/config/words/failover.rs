//! Failover peers (ISC `server/confpars.c:parse_failover_peer`, `parse_failover_state_declaration`).

use super::Walk;
use super::lexer::{Kind as Word, Token};
use crate::config::build::{PeerDraft, PeerNumber};
use crate::config::network::NetworkId;

/// Where reading a parameter of a peer ended.
enum Parameter {
    /// At this token.
    At(Token),
    /// The whole declaration was given up.
    GivenUp,
}

impl Walk<'_> {
    /// `network`: the shared network it stands in.
    pub(super) fn failover(&mut self, network: Option<NetworkId>) {
        if !self.next().is_word("peer") {
            return self.refuse("expecting \"peer\"");
        }
        let name = self.next();
        if !name.is_identifier() && name.kind != Word::String {
            return self.refuse("expecting failover peer name.");
        }
        let name = name.c_text().to_vec();
        match self.next().kind {
            Word::Char(b';') => {
                // Refused with a message; there is nothing to skip.
                let _ = self.act(|builder| builder.refer_to_peer(network, &name));
                return;
            }
            Word::Keyword("state") => {
                if self.act(|builder| builder.expect_peer_state(&name)).is_ok() {
                    self.peer_state(&name);
                }
                return;
            }
            Word::Char(b'{') => {}
            _ => self.refuse("expecting left brace"),
        }
        let Ok(mut peer) = self.act(|builder| builder.open_peer(&name)) else {
            return self.cursor.skip_to_brace(1);
        };
        loop {
            match self.peer_parameter(&mut peer) {
                Parameter::GivenUp => return self.cursor.skip_to_brace(1),
                Parameter::At(token) if token.is(b'}') => break,
                Parameter::At(_) => {
                    if !self.cursor.semicolon() {
                        return self.cursor.skip_to_brace(1);
                    }
                }
            }
        }
        self.act(|builder| builder.close_peer(peer, network));
    }

    fn peer_parameter(&mut self, peer: &mut PeerDraft) -> Parameter {
        let mut partner = false;
        let mut token = self.next();
        while token.is_word("peer") {
            partner = true;
            token = self.next();
        }
        let Word::Keyword(word) = token.kind else {
            if !token.is(b'}') {
                self.warn("invalid statement in peer declaration");
                return Parameter::GivenUp;
            }
            return Parameter::At(token);
        };
        let number = match (word, partner) {
            ("primary", _) | ("secondary", _) => {
                self.act(|builder| builder.set_peer_role(peer, word == "primary"));
                return Parameter::At(token);
            }
            ("address", _) => {
                let Some(address) = self.address_or_host(false) else { return Parameter::GivenUp };
                self.act(|builder| builder.set_peer_address(peer, partner, address));
                return Parameter::At(token);
            }
            ("port", _) => {
                let number = self.next();
                if number.kind != Word::Number {
                    self.warn("expecting number");
                    self.cursor.skip_to_brace(1);
                }
                let which = if partner { PeerNumber::PeerPort } else { PeerNumber::Port };
                self.builder.set_peer_number(peer, which, Self::atoi(&number));
                return Parameter::At(number);
            }
            ("hba", _) => {
                self.act(|builder| builder.expect_balance(peer));
                let Some(octets) = self.aggregate(Some(32), b':', 16, 8) else { return Parameter::GivenUp };
                // There are 32 octets.
                let _ = self.act(|builder| builder.set_peer_hba(peer, &octets));
                return Parameter::At(token);
            }
            ("split", _) => {
                let number = self.next();
                self.act(|builder| builder.expect_balance(peer));
                if number.kind != Word::Number {
                    self.warn("expecting number");
                    return Parameter::GivenUp;
                }
                // A bad value is refused with a message; the declaration goes on.
                let _ = self.act(|builder| builder.set_peer_split(peer, Self::atoi(&number)));
                return Parameter::At(number);
            }
            ("load", _) => return Parameter::At(self.load_balance(peer)),
            ("max-lease-misbalance", _) => PeerNumber::MaxLeaseMisbalance,
            ("max-lease-ownership", _) => PeerNumber::MaxLeaseOwnership,
            ("max-balance", _) => PeerNumber::MaxBalance,
            ("min-balance", _) => PeerNumber::MinBalance,
            ("auto-partner-down", _) => PeerNumber::AutoPartnerDown,
            ("max-response-delay", false) => PeerNumber::MaxResponseDelay,
            ("max-response-delay", true) => PeerNumber::PeerMaxResponseDelay,
            ("max-unacked-updates", false) => PeerNumber::MaxUnackedUpdates,
            ("max-unacked-updates", true) => PeerNumber::PeerMaxUnackedUpdates,
            ("mclt", _) => PeerNumber::Mclt,
            _ => {
                self.warn("invalid statement in peer declaration");
                return Parameter::GivenUp;
            }
        };
        let value = self.next();
        if value.kind != Word::Number {
            self.warn("expecting number.");
            return Parameter::GivenUp;
        }
        self.builder.set_peer_number(peer, number, Self::atoi(&value));
        Parameter::At(value)
    }

    /// `load balance max seconds N`: where it ended, good or not.
    fn load_balance(&mut self, peer: &mut PeerDraft) -> Token {
        for (word, text) in [
            ("balance", "expecting 'balance'"),
            ("max", "expecting 'max'"),
            ("seconds", "expecting 'secs'"),
            ("", "expecting number"),
        ] {
            let token = self.next();
            if word.is_empty() && token.kind == Word::Number {
                self.builder.set_peer_number(peer, PeerNumber::LoadBalanceMaxSeconds, Self::atoi(&token));
                return token;
            }
            if word.is_empty() || !token.is_word(word) {
                self.warn(text);
                self.cursor.skip_to_brace(1);
                return token;
            }
        }
        // The last of the four always returns.
        self.peek()
    }

    fn peer_state(&mut self, name: &[u8]) {
        let token = self.next();
        if !token.is(b'{') {
            self.warn("expecting left brace");
            if !token.is(b';') {
                self.cursor.skip_to_semicolon();
            }
            return;
        }
        let primary = self.builder.find_peer(name).is_some_and(|id| {
            self.builder.config().failover_peers.get(id.index()).is_some_and(|peer| peer.primary)
        });
        loop {
            let bad = match self.next().kind {
                Word::Char(b'}') => return,
                Word::Keyword("my" | "partner") => {
                    if self.next().is_word("state") {
                        self.one_state();
                        continue;
                    }
                    "expecting 'state'"
                }
                Word::Keyword("mclt") if primary => "mclt not valid for primary",
                Word::Keyword("mclt") => {
                    if self.next().kind == Word::Number {
                        self.cursor.semicolon();
                        continue;
                    }
                    "expecting a number."
                }
                _ => "expecting state setting.",
            };
            self.warn(bad);
            return self.cursor.skip_to_brace(1);
        }
    }

    fn one_state(&mut self) {
        const STATES: [&str; 13] = [
            "unknown-state",
            "partner-down",
            "normal",
            "communications-interrupted",
            "conflict-done",
            "resolution-interrupted",
            "potential-conflict",
            "recover",
            "recover-wait",
            "recover-done",
            "shutdown",
            "paused",
            "startup",
        ];
        match self.next().kind {
            Word::Keyword(word) if STATES.contains(&word) => {}
            _ => return self.refuse("unknown failover state"),
        }
        let token = self.next();
        if token.is(b';') {
            return;
        }
        if !token.is_word("at") {
            return self.refuse("expecting \"at\"");
        }
        self.date_statement();
    }
}
