//! Which statement begins with which word, and the declarations that are neither networks, pools, hosts nor classes
//! (ISC `server/confpars.c:parse_statement`, `conf_file_subparse`).

use super::cursor::Cursor;
use super::lexer::Kind as Word;
use super::{MOST_INCLUDED, Walk};
use crate::config::Family;
use crate::config::build::HostDraft;
use crate::config::network::{Hardware, LeaseIdFormat, NetworkId, ScopeId, ServerDuid, SubnetId};
use crate::config::tree::{Expr, Octets};
use crate::log::Line;
use crate::syntax::MAX_INCLUDE_DEPTH;

pub(super) use crate::config::build::Kind;

/// Where a statement stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub kind: Kind,
    pub scope: ScopeId,
    /// Right inside a shared network, a subnet, or a pool of one.
    pub network: Option<NetworkId>,
    pub subnet: Option<SubnetId>,
}

impl Place {
    pub fn new(kind: Kind, scope: ScopeId) -> Self {
        Self { kind, scope, network: None, subnet: None }
    }
}

impl Walk<'_> {
    /// A whole file in the place of its `include`.
    pub(super) fn file(&mut self, place: Place) {
        let mut declaration = false;
        while self.peek().kind != Word::End {
            declaration = self.statement(place, None, declaration);
        }
        self.next();
    }

    /// One statement. `declaration`: the one before was a declaration, which words one message. What comes out is the
    /// same for the next.
    pub(super) fn statement(
        &mut self,
        place: Place,
        host: Option<&mut HostDraft>,
        declaration: bool,
    ) -> bool {
        self.nested(|walk| walk.any_statement(place, host, declaration))
    }

    fn any_statement(&mut self, place: Place, host: Option<&mut HostDraft>, declaration: bool) -> bool {
        let kind = place.kind;
        let Word::Keyword(word) = self.peek().kind else {
            if self.peek().is(b'%') {
                self.cursor.skip_to_semicolon();
                return false;
            }
            return self.executable_here(place, declaration);
        };
        match word {
            "include" => {
                self.next();
                self.include(place);
                true
            }
            "host" => {
                self.next();
                if matches!(kind, Kind::Host | Kind::Class) {
                    self.refuse("host declarations not allowed here.");
                    return true;
                }
                if matches!(kind, Kind::Subnet | Kind::SharedNetwork) {
                    self.act(|builder| builder.warn_host_scope());
                }
                self.host(place);
                true
            }
            "group" => {
                self.next();
                if matches!(kind, Kind::Host | Kind::Class) {
                    self.refuse("group declarations not allowed here.");
                } else {
                    self.group(place);
                }
                true
            }
            "shared-network" => {
                self.next();
                if matches!(kind, Kind::SharedNetwork | Kind::Host | Kind::Subnet | Kind::Class) {
                    self.refuse("shared-network parameters not allowed here.");
                    return false;
                }
                self.shared_network(place);
                true
            }
            "subnet" | "subnet6" => {
                self.next();
                if matches!(kind, Kind::Host | Kind::Subnet | Kind::Class) {
                    self.refuse("subnet declarations not allowed here.");
                    return true;
                }
                let network = place.network.filter(|_| kind == Kind::SharedNetwork);
                if word == "subnet" {
                    self.subnet(place.scope, network);
                } else {
                    self.subnet6(place.scope, network);
                }
                network.is_none()
            }
            "class" | "subclass" | "vendor-class" | "user-class" => {
                self.next();
                if kind == Kind::Class {
                    self.refuse("class declarations not allowed here.");
                    return false;
                }
                self.class(place, word);
                true
            }
            "hardware" => {
                self.next();
                self.host_hardware(host);
                false
            }
            "fixed-address" | "fixed-address6" => {
                self.next();
                self.fixed_address(host, word == "fixed-address6");
                false
            }
            "pool" | "pool6" => {
                self.next();
                self.pool(place, word == "pool6");
                declaration
            }
            "range" => {
                self.next();
                self.range(place, None);
                declaration
            }
            "range6" | "prefix6" => {
                self.next();
                match place.subnet.filter(|_| kind == Kind::Subnet) {
                    None => self.refuse(format!("{word} declaration not allowed here.")),
                    Some(subnet) if word == "range6" => self.range6(subnet, None),
                    Some(subnet) => self.prefix6(subnet, None),
                }
                declaration
            }
            "fixed-prefix6" => {
                self.next();
                match host {
                    Some(host) => self.fixed_prefix6(host),
                    None => self.refuse("fixed-prefix6 declaration not allowed here."),
                }
                false
            }
            "not" => {
                self.next();
                if self.next().is_word("authoritative") {
                    self.authoritative(place, false);
                } else {
                    self.refuse("expecting assertion");
                }
                false
            }
            "authoritative" => {
                self.next();
                self.authoritative(place, true);
                false
            }
            "server-identifier" => {
                self.next();
                let option = self.builder.server_identifier();
                self.option_value(place.scope, option);
                declaration
            }
            "option" => {
                self.next();
                self.option_declaration(place.scope, kind == Kind::Root, declaration)
            }
            "failover" => {
                if !matches!(kind, Kind::Root | Kind::SharedNetwork) {
                    self.act(|builder| builder.refuse_failover());
                    self.cursor.skip_to_semicolon();
                    return false;
                }
                self.next();
                self.failover(place.network.filter(|_| kind == Kind::SharedNetwork));
                false
            }
            "server-duid" => {
                self.next();
                self.server_duid();
                false
            }
            "lease-id-format" => {
                self.next();
                self.lease_id_format();
                false
            }
            _ => self.executable_here(place, declaration),
        }
    }

    fn executable_here(&mut self, place: Place, declaration: bool) -> bool {
        if self.executable_statement(place.scope) == Ok(false) {
            self.refuse(if declaration {
                "expecting a declaration"
            } else {
                "expecting a parameter or declaration"
            });
        }
        declaration
    }

    /// A message, and on to the end of the statement.
    pub(super) fn refuse(&mut self, text: impl AsRef<[u8]>) {
        self.warn(text);
        self.cursor.skip_to_semicolon();
    }

    /// ISC `parse_lbrace`.
    pub(super) fn left_brace(&mut self) -> bool {
        if self.next().is(b'{') {
            return true;
        }
        self.refuse("expecting left brace.");
        false
    }

    /// The statements of a block, behind its opening brace. `own` reads those that only this kind of block knows: it is
    /// shown the word that was peeked at (peeking again would lose a NUL octet) and says whether the block goes on;
    /// `None` leaves what comes next to everybody's statements. True when the closing brace was consumed.
    pub(super) fn statements(
        &mut self,
        inner: Place,
        mut host: Option<&mut HostDraft>,
        mut own: impl FnMut(&mut Self, &'static str, Option<&mut HostDraft>) -> Option<bool>,
    ) -> bool {
        let mut declaration = false;
        loop {
            let goes_on = match self.peek().kind {
                Word::Char(b'}') => {
                    self.next();
                    return true;
                }
                Word::End => {
                    // In a pool dhcpd only looks at the end, and the message stands before it.
                    if inner.kind != Kind::Pool {
                        self.next();
                    }
                    self.warn("unexpected end of file");
                    return false;
                }
                Word::Keyword(word) => own(self, word, host.as_deref_mut()),
                _ => None,
            };
            match goes_on {
                Some(true) => {}
                Some(false) => return false,
                None => declaration = self.statement(inner, host.as_deref_mut(), declaration),
            }
        }
    }

    fn include(&mut self, place: Place) {
        let name = self.next();
        if name.kind != Word::String {
            return self.refuse("filename string expected.");
        }
        let name = name.c_text().to_vec();
        let failed = |verb: &str, message: &str| {
            let mut text = format!("{verb} ").into_bytes();
            text.extend_from_slice(&name);
            text.extend_from_slice(b": ");
            text.extend_from_slice(message.as_bytes());
            Line::error(text)
        };
        // Ours (D103): dhcpd goes on until its stack is full.
        let ours = if self.open_files.contains(&name) {
            Some(": this file includes itself.".to_owned())
        } else if self.open_files.len() > MAX_INCLUDE_DEPTH {
            Some(format!(": more than {MAX_INCLUDE_DEPTH} files include each other."))
        } else {
            None
        };
        if let Some(ours) = ours {
            self.warn([&*name, ours.as_bytes()].concat());
            self.cursor.semicolon();
            return;
        }
        let source = match self.loader.load(&name) {
            Ok(source) => source,
            Err(error) => {
                // EISDIR comes when reading, everything else when opening.
                let verb = if error.errno == Some(21) { "Can't read in" } else { "Can't open" };
                return self.cursor.fail(failed(verb, &error.message));
            }
        };
        self.included += source.len();
        if self.included > MOST_INCLUDED {
            self.give_up();
            return;
        }
        let (lines, fatal) = self.cursor.take_lines();
        let outer = std::mem::replace(&mut self.cursor, Cursor::new(&name, source.into()));
        self.cursor.continue_lines(lines, fatal);
        self.open_files.push(name.clone());
        self.file(place);
        self.open_files.pop();
        let (lines, fatal) = self.cursor.take_lines();
        let bad = self.cursor.warned();
        self.cursor = outer;
        self.cursor.continue_lines(lines, fatal);
        if bad {
            let mut text = name;
            text.extend_from_slice(b": bad parse.");
            self.warn(text);
        }
        self.cursor.semicolon();
    }

    pub(super) fn group(&mut self, place: Place) {
        let token = self.peek();
        let mut name = None;
        if token.is_identifier() || token.kind == Word::String {
            name = Some(self.next().c_text().to_vec());
        }
        let mut group = self.act(|builder| builder.open_group(place.scope, name.as_deref()));
        if !self.left_brace() {
            return;
        }
        let inner = Place::new(Kind::Group, group.scope);
        self.statements(inner, None, |walk, word, _| {
            if !matches!(word, "deleted" | "dynamic" | "static") {
                return None;
            }
            walk.next();
            walk.cursor.semicolon();
            match word {
                "deleted" => walk.builder.set_group_deleted(&mut group),
                "dynamic" => walk.builder.set_group_dynamic(&mut group),
                _ => walk.builder.set_group_static(&mut group),
            }
            // A statement has to follow: a `}` right behind those three words is taken for one. dhcpd does so in a
            // lease file, too, where it writes just that, and loses all that follows.
            walk.lease_file.then_some(true)
        });
        self.act(|builder| builder.close_group(group));
    }

    fn authoritative(&mut self, place: Place, authoritative: bool) {
        // A host is refused, but the statement goes on.
        let in_host = place.kind == Kind::Host;
        let _ = self.act(|builder| builder.set_authoritative(place.scope, authoritative, in_host));
        self.cursor.semicolon();
    }

    fn host_hardware(&mut self, host: Option<&mut HostDraft>) {
        let allowed = host.as_ref().map(|host| self.act(|builder| builder.expect_hardware(host)));
        if matches!(allowed, Some(Err(_))) {
            return;
        }
        let hardware = self.hardware();
        match host {
            Some(host) => {
                if let Some(hardware) = hardware {
                    self.act(|builder| builder.set_hardware(host, hardware));
                }
            }
            None => {
                self.act(|builder| builder.refuse_hardware());
            }
        }
    }

    /// ISC `parse_hardware_param`: what is known of it also when its address is bad.
    fn hardware(&mut self) -> Option<Hardware> {
        let token = self.next();
        let htype = match token.kind {
            Word::Keyword("ethernet") => 1,
            Word::Keyword("token-ring") => 6,
            Word::Keyword("fddi") => 8,
            Word::Keyword("infiniband") => 32,
            _ => match token.c_text().strip_prefix(b"unknown-") {
                Some(number) => crate::syntax::atoi(number) as u8,
                None => {
                    self.refuse("expecting a network hardware type");
                    return None;
                }
            },
        };
        let mut hardware = Hardware { htype, address: Vec::new() };
        if !self.peek().is(b';') {
            /// The longest hardware address.
            const LONGEST: usize = 20;
            let Some(address) = self.aggregate(None, b':', 16, 8) else { return Some(hardware) };
            if address.len() > LONGEST {
                self.warn("hardware address too long");
            } else {
                hardware.address = address;
            }
        }
        if !self.next().is(b';') {
            self.refuse("expecting semicolon.");
        }
        Some(hardware)
    }

    fn fixed_address(&mut self, host: Option<&mut HostDraft>, six: bool) {
        let (mut whole, mut addresses) = (None, Vec::new());
        loop {
            if six {
                let Some(address) = self.address6() else { return };
                addresses.push(address);
            } else {
                let Some(address) = self.address_or_host(true) else { return };
                whole = whole.or(Some(address));
            }
            if !self.peek().is(b',') {
                break;
            }
            self.next();
        }
        if !self.cursor.semicolon() {
            return;
        }
        let Some(host) = host else {
            self.act(|builder| builder.refuse_fixed_address());
            return;
        };
        // One of two is refused with a message; there is nothing to skip.
        let _ = self.act(|builder| {
            if six {
                builder.set_fixed_address6(host, addresses)
            } else {
                builder.set_fixed_address(host, whole.unwrap_or(Expr::Null))
            }
        });
    }

    fn lease_id_format(&mut self) {
        let format = match self.next().kind {
            Word::Keyword("octal") => LeaseIdFormat::Octal,
            Word::Keyword("hex") => LeaseIdFormat::Hex,
            _ => return self.refuse("lease-id-format is invalid:  it must be octal or hex."),
        };
        self.act(|builder| builder.set_lease_id_format(format));
        if !self.next().is(b';') {
            self.refuse("corrupt lease file; expecting a semicolon");
        }
    }

    /// ISC `parse_server_duid_conf`.
    fn server_duid(&mut self) {
        let token = self.next();
        let good = match token.kind {
            Word::Keyword("en") => self.duid_number("enterprise number expected") && self.duid_string(),
            Word::Keyword("ll") => {
                self.peek().is(b';') || (self.duid_hardware() && self.hex_list().is_some())
            }
            Word::Keyword("llt") => {
                self.peek().is(b';')
                    || (self.duid_hardware()
                        && self.duid_number("timestamp expected")
                        && self.hex_list().is_some())
            }
            Word::Number => self.duid_string(),
            _ => {
                self.refuse("DUID type of LLT, EN, or LL expected");
                false
            }
        };
        if good {
            self.builder.set_server_duid(ServerDuid::Octets(Octets::new(&[])));
            if !self.next().is(b';') {
                self.refuse("semicolon expected");
            }
        }
    }

    fn duid_number(&mut self, text: &str) -> bool {
        let good = self.next().kind == Word::Number;
        if !good {
            self.refuse(text);
        }
        good
    }

    fn duid_string(&mut self) -> bool {
        let good = self.next().kind == Word::String;
        if !good {
            self.refuse("identifier expected");
        }
        good
    }

    fn duid_hardware(&mut self) -> bool {
        let good = matches!(self.next().kind, Word::Keyword("ethernet" | "token-ring" | "fddi"));
        if !good {
            self.refuse("hardware type expected");
        }
        good
    }

    /// Refuses a statement that DHCPv4 does not know.
    pub(super) fn only_six(&mut self, statement: &str) -> bool {
        if self.family == Family::V6 {
            return true;
        }
        // The message is the only outcome.
        let _ = self.act(|builder| builder.only_dhcp6(statement));
        self.cursor.skip_to_semicolon();
        false
    }
}
