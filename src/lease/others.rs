//! The blocks of a lease file that are no leases: classes, hosts, groups, failover states, and what belongs to DHCPv6.
//!
//! They are found, named and kept as text, so that a rewrite loses nothing. What their statements mean is for the
//! configuration layer, which types the same text. Mirrors the branches of ISC `server/confpars.c:lease_file_subparse`,
//! `parse_failover_state_declaration` and `parse_authoring_byte_order`.

use super::lexer::{Kind, Token};
use super::reader::Reader;
use crate::config::network::PeerId;
use crate::log::Line;
use crate::time::Seconds;

/// A block that is no lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherBlock {
    /// What it is.
    pub kind: OtherKind,
    /// Name of a class, superclass, host, group or peer. Empty for a group without a name.
    pub name: Vec<u8>,
    /// The value of a subclass.
    pub value: Option<Vec<u8>>,
    /// `dynamic;`
    pub dynamic: bool,
    /// `deleted;`
    pub deleted: bool,
    /// `static;`
    pub fixed: bool,
    /// What a failover state block says.
    pub failover: Option<FailoverState>,
    /// The text from its keyword to its closing brace, or as far as it was read.
    pub text: Vec<u8>,
    /// It was read to its end.
    pub complete: bool,
    /// The line its keyword stands in.
    pub line: u32,
}

/// The kinds of [`OtherBlock`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum OtherKind {
    Class,
    Subclass,
    Host,
    Group,
    Failover,
    ServerDuid,
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

impl OtherBlock {
    fn new(kind: OtherKind, line: u32) -> Self {
        Self {
            kind,
            name: Vec::new(),
            value: None,
            dynamic: false,
            deleted: false,
            fixed: false,
            failover: None,
            text: Vec::new(),
            complete: true,
            line,
        }
    }
}

impl Reader<'_, '_> {
    /// A block that begins with this token; false when the word means nothing here.
    pub fn other(&mut self, token: Token) -> bool {
        const WORDS: [(&str, OtherKind); 6] = [
            ("class", OtherKind::Class),
            ("subclass", OtherKind::Subclass),
            ("host", OtherKind::Host),
            ("group", OtherKind::Group),
            ("failover", OtherKind::Failover),
            ("server-duid", OtherKind::ServerDuid),
        ];
        if let Some((_, kind)) = WORDS.into_iter().find(|(word, _)| self.lexer.is_word(token, word)) {
            let block = OtherBlock::new(kind, self.lexer.line());
            let block = match kind {
                OtherKind::Class | OtherKind::Subclass => self.class(block),
                OtherKind::Host => self.host(block),
                OtherKind::Group => self.group(block),
                OtherKind::Failover => self.failover(block),
                OtherKind::ServerDuid => self.server_duid(block),
            };
            if let Some(mut block) = block {
                let end = self.lexer.consumed_end();
                block.text = self.lexer.slice(token.offset(), end).to_vec();
                self.flush();
                self.sink.other(block);
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

    fn class(&mut self, mut block: OtherBlock) -> Option<OtherBlock> {
        let token = self.lexer.next();
        if token.kind != Kind::String {
            self.lexer.warn(b"Expecting class name");
            self.skip_to_semi();
            return None;
        }
        block.name = self.lexer.c_text(token).to_vec();
        let subclass = block.kind == OtherKind::Subclass;
        if subclass {
            let name = block.name.clone();
            if self.sink.class(self.config, &name).is_none() {
                self.lexer.warn(&[b"no class named ", &name[..]].concat());
                self.skip_to_semi();
                return None;
            }
            block.value = Some(self.class_value()?);
            if self.lexer.peek().is(b';') {
                self.lexer.next();
                return Some(block);
            }
        }
        if !self.left_brace() {
            return None;
        }
        self.body(&mut block);
        Some(block)
    }

    fn host(&mut self, mut block: OtherBlock) -> Option<OtherBlock> {
        let Some(name) = self.host_name() else {
            self.lexer.warn(b"expecting a name for host declaration.");
            self.skip_to_semi();
            return None;
        };
        block.name = name;
        if !self.left_brace() {
            return None;
        }
        self.body(&mut block);
        Some(block)
    }

    fn group(&mut self, mut block: OtherBlock) -> Option<OtherBlock> {
        let token = self.lexer.peek();
        if token.kind == Kind::String || self.lexer.is_identifier(token) {
            self.lexer.next();
            block.name = self.lexer.c_text(token).to_vec();
        }
        if !self.left_brace() {
            return None;
        }
        self.body(&mut block);
        Some(block)
    }

    /// To the closing brace, noting the flags on the way.
    fn body(&mut self, block: &mut OtherBlock) {
        let mut depth = 0usize;
        // At the start of a statement.
        let mut fresh = true;
        loop {
            let token = self.lexer.next();
            match token.kind {
                Kind::End => {
                    self.lexer.warn(b"unexpected end of file");
                    block.complete = false;
                    return;
                }
                Kind::Other(b'{') => depth += 1,
                Kind::Other(b'}') if depth == 0 => return,
                Kind::Other(b'}') => depth -= 1,
                _ if fresh && depth == 0 => {
                    let flag = [
                        ("dynamic", &mut block.dynamic),
                        ("deleted", &mut block.deleted),
                        ("static", &mut block.fixed),
                    ];
                    if let Some((_, flag)) =
                        flag.into_iter().find(|(word, _)| self.lexer.is_word(token, word))
                    {
                        *flag = true;
                    } else if block.kind == OtherKind::Class && self.lexer.is_word(token, "spawn") {
                        // dhcpd writes `spawn` without `with`, and does not read it back.
                        let with = self.lexer.next();
                        if !self.lexer.is_word(with, "with") {
                            self.lexer.warn(b"expecting with after spawn");
                            self.skip_to_semi();
                            block.complete = false;
                            return;
                        }
                    }
                }
                _ => {}
            }
            fresh = matches!(token.kind, Kind::Other(b';' | b'{' | b'}'));
        }
    }

    fn failover(&mut self, mut block: OtherBlock) -> Option<OtherBlock> {
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
        block.name = self.lexer.c_text(token).to_vec();
        let mut peers = self.config.failover_peers.iter();
        let Some(at) = peers.position(|peer| peer.name.as_bytes() == block.name) else {
            self.lexer.warn(&[b"unknown failover peer: ", &block.name[..]].concat());
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
        block.failover = Some(state);
        Some(block)
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

    fn server_duid(&mut self, mut block: OtherBlock) -> Option<OtherBlock> {
        let value = self.string_or_hex()?;
        // At most 128 octets are a DUID.
        if value.len() <= 2 || value.len() > 128 {
            self.lexer.warn(b"Invalid duid contents");
            self.skip_to_semi();
            return None;
        }
        block.value = Some(value);
        self.semi();
        Some(block)
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
