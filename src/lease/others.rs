//! What a lease file holds besides leases: declarations, failover states, and what belongs to DHCPv6.
//!
//! Declarations of classes, hosts and groups are read by the configuration layer. Mirrors the branches of ISC
//! `server/confpars.c:lease_file_subparse`, `parse_failover_state_declaration` and `parse_authoring_byte_order`.

use super::lexer::{Kind, Token};
use super::reader::Reader;
use crate::config::lease_file::Declaration;
use crate::config::network::PeerId;
use crate::log::Line;
use crate::time::Seconds;

/// What is neither a lease nor a declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OtherBlock {
    /// The state of a failover peer.
    Failover(FailoverBlock),
    /// `server-duid`
    ServerDuid(Vec<u8>),
}

/// A failover state as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailoverBlock {
    /// What it says.
    pub state: FailoverState,
    /// The text from its keyword to its closing brace.
    pub text: Vec<u8>,
}

/// `failover peer "NAME" state { }` of a peer the configuration knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailoverState {
    /// Whose.
    pub peer: PeerId,
    /// `my state STATE at DATE`
    pub mine: Option<(PeerState, Seconds)>,
    /// `partner state STATE at DATE`
    pub partner: Option<(PeerState, Seconds)>,
    /// `mclt`, on a secondary.
    pub mclt: Option<i32>,
}

/// The state of a failover server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum PeerState {
    UnknownState,
    Startup,
    Normal,
    CommunicationsInterrupted,
    PartnerDown,
    PotentialConflict,
    Recover,
    Paused,
    Shutdown,
    RecoverDone,
    ResolutionInterrupted,
    ConflictDone,
    RecoverWait,
}

impl PeerState {
    /// All of them.
    pub const ALL: [PeerState; 13] = [
        Self::UnknownState,
        Self::Startup,
        Self::Normal,
        Self::CommunicationsInterrupted,
        Self::PartnerDown,
        Self::PotentialConflict,
        Self::Recover,
        Self::Paused,
        Self::Shutdown,
        Self::RecoverDone,
        Self::ResolutionInterrupted,
        Self::ConflictDone,
        Self::RecoverWait,
    ];

    /// As the lease file and the log spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnknownState => "unknown-state",
            Self::Startup => "startup",
            Self::Normal => "normal",
            Self::CommunicationsInterrupted => "communications-interrupted",
            Self::PartnerDown => "partner-down",
            Self::PotentialConflict => "potential-conflict",
            Self::Recover => "recover",
            Self::Paused => "paused",
            Self::Shutdown => "shutdown",
            Self::RecoverDone => "recover-done",
            Self::ResolutionInterrupted => "resolution-interrupted",
            Self::ConflictDone => "conflict-done",
            Self::RecoverWait => "recover-wait",
        }
    }
}

impl Reader<'_, '_> {
    /// A block that begins with this token; false when the word means nothing here.
    pub fn other(&mut self, token: Token) -> bool {
        const DECLARATIONS: [(&str, Declaration); 4] = [
            ("class", Declaration::Class),
            ("subclass", Declaration::Subclass),
            ("host", Declaration::Host),
            ("group", Declaration::Group),
        ];
        if let Some((_, declaration)) =
            DECLARATIONS.into_iter().find(|(word, _)| self.lexer.is_word(token, word))
        {
            self.declaration(declaration, token);
            return true;
        }
        if self.lexer.is_word(token, "failover") {
            if let Some(state) = self.failover() {
                let text = self.lexer.slice(token.offset(), self.lexer.consumed_end()).to_vec();
                self.flush();
                self.sink.other(OtherBlock::Failover(FailoverBlock { state, text }));
            }
            return true;
        }
        if self.lexer.is_word(token, "server-duid") {
            if let Some(duid) = self.server_duid() {
                self.flush();
                self.sink.other(OtherBlock::ServerDuid(duid));
            }
            return true;
        }
        for (word, name) in [("ia-na", "IA_NA"), ("ia-ta", "IA_TA"), ("ia-pd", "IA_PD")] {
            if self.lexer.is_word(token, word) {
                self.lexer.warn(format!("{name} is only supported in DHCPv6 mode.").as_bytes());
                self.skip_to_semi();
                return true;
            }
        }
        if self.lexer.is_word(token, "authoring-byte-order") {
            self.authoring_byte_order();
            return true;
        }
        false
    }

    fn declaration(&mut self, declaration: Declaration, keyword: Token) {
        self.flush();
        let (at, echo) = self.lexer.leave();
        match self.sink.declaration(declaration, keyword.offset(), at, echo) {
            Some(declared) => self.go_on(declared),
            None => self.skip_to_semi(),
        }
    }

    fn failover(&mut self) -> Option<FailoverState> {
        let token = self.lexer.next();
        if !self.lexer.is_word(token, "peer") {
            self.lexer.warn(b"expecting \"peer\"");
            self.skip_to_semi();
            return None;
        }
        let token = self.lexer.next();
        if token.kind != Kind::String && !self.lexer.is_identifier(token) {
            self.lexer.warn(b"expecting failover peer name.");
            self.skip_to_semi();
            return None;
        }
        let name = self.lexer.c_text(token).to_vec();
        let mut peers = self.config.failover_peers.iter();
        let Some(at) = peers.position(|peer| peer.name.as_bytes() == name) else {
            self.lexer.warn(&[b"unknown failover peer: ", &name[..]].concat());
            self.skip_to_semi();
            return None;
        };
        let token = self.lexer.next();
        if !self.lexer.is_word(token, "state") {
            self.lexer.warn(b"expecting 'state'");
            if !token.is(b';') {
                self.skip_to_semi();
            }
            return None;
        }
        let token = self.lexer.next();
        if !token.is(b'{') {
            self.lexer.warn(b"expecting left brace");
            if !token.is(b';') {
                self.skip_to_semi();
            }
            return None;
        }
        let mut state = FailoverState { peer: PeerId(at as u32), mine: None, partner: None, mclt: None };
        self.failover_states(&mut state);
        Some(state)
    }

    /// What was read before a fault counts.
    fn failover_states(&mut self, state: &mut FailoverState) {
        let primary = self.config.failover_peers.get(state.peer.index()).is_some_and(|peer| peer.primary);
        loop {
            let token = self.lexer.next();
            if token.is(b'}') {
                return;
            }
            let mine = self.lexer.is_word(token, "my");
            let fault: &[u8] = if mine || self.lexer.is_word(token, "partner") {
                let token = self.lexer.next();
                if self.lexer.is_word(token, "state") {
                    if let Some(read) = self.peer_state() {
                        *(if mine { &mut state.mine } else { &mut state.partner }) = Some(read);
                    }
                    continue;
                }
                b"expecting 'state'"
            } else if !self.lexer.is_word(token, "mclt") {
                b"expecting state setting."
            } else if primary {
                b"mclt not valid for primary"
            } else {
                let token = self.lexer.next();
                if token.kind == Kind::Number {
                    state.mclt = Some(self.plain_number(token));
                    self.semi();
                    continue;
                }
                b"expecting a number."
            };
            self.lexer.warn(fault);
            self.skip_to_rbrace(1);
            return;
        }
    }

    /// `STATE at DATE;` or `STATE;`, which means now.
    fn peer_state(&mut self) -> Option<(PeerState, Seconds)> {
        let token = self.lexer.next();
        let Some(state) = PeerState::ALL.into_iter().find(|state| self.lexer.is_word(token, state.name()))
        else {
            self.lexer.warn(b"unknown failover state");
            self.skip_to_semi();
            return None;
        };
        let token = self.lexer.next();
        if token.is(b';') {
            return Some((state, self.now));
        }
        if !self.lexer.is_word(token, "at") {
            self.lexer.warn(b"expecting \"at\"");
            self.skip_to_semi();
            return None;
        }
        let date = self.date();
        (date != 0).then_some((state, date))
    }

    fn server_duid(&mut self) -> Option<Vec<u8>> {
        // At most 128 octets are a DUID.
        let value = self.string_or_hex(128)?;
        if value.len() <= 2 {
            self.lexer.warn(b"Invalid duid contents");
            self.skip_to_semi();
            return None;
        }
        self.semi();
        Some(value)
    }

    fn authoring_byte_order(&mut self) {
        if self.byte_order {
            let text =
                "authoring-byte-order specified too late.\nIt must occur before the first lease in file\n";
            self.lexer.warn(text.as_bytes());
            self.skip_to_semi();
            return;
        }
        let token = self.lexer.next();
        let little = self.lexer.is_word(token, "little-endian");
        if !little && !self.lexer.is_word(token, "big-endian") {
            let text = "authoring-byte-order is invalid:  it must be big-endian or little-endian.";
            self.lexer.warn(text.as_bytes());
            self.skip_to_semi();
            return;
        }
        self.byte_order = true;
        if little != cfg!(target_endian = "little") {
            let text = "WARNING: Lease file authored using different byte order, will attempt to convert";
            self.lexer.lines.push(Line::error(text));
        }
        if !self.lexer.next().is(b';') {
            self.lexer.warn(b"corrupt lease file; expecting a semicolon");
            self.skip_to_semi();
        }
    }
}
