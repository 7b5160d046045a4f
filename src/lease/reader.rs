//! Reading `dhcpd.leases`.
//!
//! Mirrors ISC `server/confpars.c:lease_file_subparse` and `parse_lease_declaration`: what is tolerated, what is
//! refused, and every message. Nothing in a lease file stops the server; a block that cannot be read costs its lease.
//! Later entries win, which is the business of whoever takes the leases ([`Sink::lease`]).

use super::lexer::{Kind, Lexer, Token};
use super::others::OtherBlock;
use super::{AgentOption, BindingState, Lease, RawHandler};
use crate::config::Config;
use crate::config::lease_file::Declaration;
use crate::config::network::{ClassId, Hardware, PoolId, SubnetId};
use crate::config::tree::{Block, Events};
use crate::config::words::Declared;
use crate::eval::Handler;
use crate::eval::bindings::Value;
use crate::log::Line;
use crate::log::echo::Echo;
use crate::options::{Octets, Spaces};
use crate::time::Seconds;
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// Who takes what is read, and says what it means.
pub trait Sink {
    /// A lease; its pool and subnet are not filled in. The line to log when nothing can be done with it.
    fn lease(&mut self, lease: Lease) -> Option<Line>;
    /// Any other block.
    fn other(&mut self, block: OtherBlock);
    /// A class, subclass, host or group whose keyword stands at `keyword`; the file was read up to `at`. `None`: nobody
    /// reads it, so it is skipped.
    fn declaration(
        &mut self,
        declaration: Declaration,
        keyword: usize,
        at: usize,
        echo: &Echo<&[u8]>,
    ) -> Option<Declared> {
        let _ = (declaration, keyword, at, echo);
        None
    }
    /// A log line, in dhcpd's order.
    fn line(&mut self, line: Line);
    /// The statements of an `on` block: the text between its braces. `Ok(None)`: cannot say. Then, and on an error, the
    /// text is kept; the error is what stands against it, for messages at the end of the block.
    fn handler(&mut self, events: Events, body: &[u8]) -> Result<Option<Block>, Vec<Vec<u8>>> {
        let _ = (events, body);
        Ok(None)
    }
    /// How dhcpd reads the statements of an `on` block that is not closed, or that [`Sink::handler`] refused; they begin
    /// at `at`. `None`: what was said by that counts.
    fn explain(&mut self, at: usize, echo: &Echo<&[u8]>) -> Option<Declared> {
        let _ = (at, echo);
        None
    }
    /// A class by name; by default one of the configuration.
    fn class(&mut self, config: &Config, name: &[u8]) -> Option<ClassId> {
        let mut classes = config.classes.iter();
        let at = classes.position(|class| class.superclass.is_none() && class.name.as_bytes() == name)?;
        Some(ClassId(at as u32))
    }
    /// The subclass of a class that stands for a value. dhcpd makes one when there is none; by default only those of
    /// the configuration are known.
    fn subclass(&mut self, config: &Config, superclass: ClassId, value: &[u8]) -> Option<ClassId> {
        config.classes.get(superclass.index())?.subclasses.get(&Octets::new(value)).copied()
    }
}

/// Reads a lease file. `file` is the name messages give it.
pub fn read(source: &[u8], file: &[u8], config: &Config, now: Seconds, sink: &mut dyn Sink) {
    let names = HashMap::new();
    let mut reader = Reader { lexer: Lexer::new(source, file), config, now, sink, byte_order: false, names };
    reader.file();
}

/// The lease cannot be used: `possibly corrupt lease file`.
pub(super) struct Dropped;

pub(super) struct Reader<'a, 's> {
    pub lexer: Lexer<'a>,
    pub config: &'a Config,
    pub now: Seconds,
    pub sink: &'s mut dyn Sink,
    /// `authoring-byte-order` was seen.
    pub byte_order: bool,
    /// Names of variables, shared by all leases.
    names: HashMap<Vec<u8>, Arc<str>>,
}

/// Statements a lease may have once.
mod seen {
    pub const STARTS: u32 = 1;
    pub const ENDS: u32 = 1 << 1;
    pub const UID: u32 = 1 << 3;
    pub const CLASS: u32 = 1 << 5;
    pub const HARDWARE: u32 = 1 << 6;
    pub const NEXT: u32 = 1 << 7;
    pub const STATE: u32 = 1 << 8;
    pub const REWIND: u32 = 1 << 9;
    pub const CLIENT_HOSTNAME: u32 = 1 << 10;
    pub const BILLING: u32 = 1 << 11;
    pub const FORWARD_NAME: u32 = 1 << 12;
    pub const REVERSE_NAME: u32 = 1 << 13;
    pub const EXPIRY: u32 = 1 << 14;
    pub const RELEASE: u32 = 1 << 15;
    pub const TSTP: u32 = 1 << 16;
    pub const TSFP: u32 = 1 << 17;
    pub const ATSFP: u32 = 1 << 18;
    pub const CLTT: u32 = 1 << 19;
    /// These were read, not only announced.
    pub const STATE_READ: u32 = 1 << 20;
    pub const NEXT_READ: u32 = 1 << 21;
    pub const REWIND_READ: u32 = 1 << 22;
    pub const READ: u32 = STATE_READ | NEXT_READ | REWIND_READ;
}

/// The words that begin a statement of a lease.
#[derive(Clone, Copy)]
enum Word {
    Starts,
    Ends,
    Timestamp,
    Tstp,
    Tsfp,
    Atsfp,
    Cltt,
    Uid,
    Class,
    Hardware,
    Reserved,
    DynamicBootp,
    Abandoned,
    Next,
    Rewind,
    Binding,
    ClientHostname,
    Billing,
    On,
    Option,
    Set,
    ForwardName,
    ReverseName,
    Unknown,
}

impl Word {
    fn of(text: &[u8]) -> Self {
        match text {
            b"starts" => Self::Starts,
            b"ends" => Self::Ends,
            b"timestamp" => Self::Timestamp,
            b"tstp" => Self::Tstp,
            b"tsfp" => Self::Tsfp,
            b"atsfp" => Self::Atsfp,
            b"cltt" => Self::Cltt,
            b"uid" => Self::Uid,
            b"class" => Self::Class,
            b"hardware" => Self::Hardware,
            b"reserved" => Self::Reserved,
            b"dynamic-bootp" => Self::DynamicBootp,
            b"abandoned" => Self::Abandoned,
            b"next" => Self::Next,
            b"rewind" => Self::Rewind,
            b"binding" => Self::Binding,
            b"client-hostname" => Self::ClientHostname,
            b"billing" => Self::Billing,
            b"on" => Self::On,
            b"option" | b"supersede" => Self::Option,
            b"set" => Self::Set,
            b"ddns-fwd-name" => Self::ForwardName,
            b"ddns-rev-name" => Self::ReverseName,
            _ => Self::Unknown,
        }
    }
}

// The file.
impl<'a> Reader<'a, '_> {
    fn file(&mut self) {
        loop {
            let token = self.lexer.next();
            if token.kind == Kind::End {
                break;
            }
            if self.lexer.is_word(token, "lease") {
                match self.lease() {
                    Ok(lease) => {
                        self.flush();
                        let line = self.sink.lease(lease);
                        line.into_iter().for_each(|line| self.sink.line(line));
                    }
                    Err(Dropped) => self.lexer.warn(b"possibly corrupt lease file"),
                }
            } else if !self.other(token) {
                self.flush();
                self.sink.line(Line::error("Corrupt lease file - possible data loss!"));
                self.skip_to_semi();
            }
            self.flush();
        }
        self.flush();
    }

    /// Hands out the messages so far.
    pub fn flush(&mut self) {
        if !self.lexer.lines.is_empty() {
            self.lexer.lines.drain(..).for_each(|line| self.sink.line(line));
        }
    }

    /// A lease, behind its keyword.
    fn lease(&mut self) -> Result<Lease, Dropped> {
        let mut address = [0; 4];
        if !self.octets_of_address(&mut address) {
            return Err(Dropped);
        }
        if !self.left_brace() {
            return Err(Dropped);
        }
        // Where it lies is not known here.
        let mut lease = Lease::virgin(Ipv4Addr::from(address), PoolId(0), SubnetId(0));
        let mut mask = 0;
        loop {
            let token = self.lexer.next();
            if token.is(b'}') {
                break;
            }
            if token.kind == Kind::End {
                self.lexer.warn(b"unexpected end of file");
                break;
            }
            let seen = self.statement(token, &mut lease, mask)?;
            if mask & seen & !seen::READ != 0 {
                self.too_many(token, lease.address);
            }
            mask |= seen;
        }
        // dhcpd forgets a lease whose state could not be read; such a one goes without here.
        if mask & seen::STATE_READ == 0 {
            let busy = lease.ends > self.now
                || lease.handlers.expiry.is_some()
                || lease.handlers.release.is_some()
                || lease.raw_handlers.is_some();
            lease.state = if busy { BindingState::Active } else { BindingState::Free };
            lease.next_state = BindingState::Free;
            lease.rewind_state = lease.state;
        }
        if mask & seen::TSTP == 0 {
            lease.tstp = lease.ends;
        }
        Ok(lease)
    }

    /// A second statement of a kind. The token is a word, so its text stands in the file.
    #[cold]
    fn too_many(&mut self, token: Token, address: Ipv4Addr) {
        let mut text = b"Too many ".to_vec();
        text.extend(self.lexer.c_text(token).iter().take(31));
        text.extend(format!(" parameters in lease {address}\n").as_bytes());
        self.lexer.warn(&text);
    }

    /// One statement of a lease; its bit among the statements seen.
    fn statement(&mut self, token: Token, lease: &mut Lease, mask: u32) -> Result<u32, Dropped> {
        let mut lower = [0; 16];
        let text = self.lexer.text(token);
        let word = match lower.get_mut(..text.len()) {
            Some(lower) => {
                lower.copy_from_slice(text);
                lower.make_ascii_lowercase();
                Word::of(lower)
            }
            None => Word::Unknown,
        };
        // Only the two last may be spelled otherwise than as a word.
        let word = match (word, token.kind) {
            (Word::ForwardName | Word::ReverseName, _) | (_, Kind::Word | Kind::HexWord) => word,
            _ => Word::Unknown,
        };
        Ok(match word {
            Word::Starts => {
                lease.starts = self.date();
                seen::STARTS
            }
            Word::Ends => {
                lease.ends = self.date();
                seen::ENDS
            }
            Word::Timestamp => {
                self.date();
                // dhcpd never sets the bit of this one; it tests what the statement before it left.
                0
            }
            Word::Tstp => {
                lease.tstp = self.date();
                seen::TSTP
            }
            Word::Tsfp => {
                lease.tsfp = self.date();
                seen::TSFP
            }
            Word::Atsfp => {
                lease.atsfp = self.date();
                seen::ATSFP
            }
            Word::Cltt => {
                lease.cltt = self.date();
                seen::CLTT
            }
            Word::Uid => {
                lease.uid = Some(self.uid()?);
                seen::UID
            }
            Word::Class => {
                let name = self.lexer.next();
                if !self.lexer.is_identifier(name) {
                    if !name.is(b';') {
                        self.skip_to_rbrace(1);
                    }
                    return Err(Dropped);
                }
                self.semi();
                seen::CLASS
            }
            Word::Hardware => {
                if let Some(hardware) = self.hardware() {
                    lease.hardware = Some(hardware);
                }
                seen::HARDWARE
            }
            Word::Reserved => {
                lease.reserved = true;
                self.semi();
                0
            }
            Word::DynamicBootp => {
                lease.dynamic_bootp = true;
                self.semi();
                0
            }
            Word::Abandoned => {
                lease.state = BindingState::Abandoned;
                lease.next_state = BindingState::Abandoned;
                if mask & seen::REWIND_READ == 0 {
                    lease.rewind_state = BindingState::Abandoned;
                }
                self.semi();
                seen::STATE | seen::STATE_READ
            }
            Word::Next => self.following_state(lease, mask, seen::NEXT)?,
            Word::Rewind => self.following_state(lease, mask, seen::REWIND)?,
            Word::Binding => self.binding_state(lease, mask, seen::STATE)?,
            Word::ClientHostname => {
                lease.client_hostname = Some(self.client_hostname()?);
                seen::CLIENT_HOSTNAME
            }
            Word::Billing => {
                if let Some(class) = self.billing() {
                    lease.billing_class = class;
                }
                seen::BILLING
            }
            Word::On => self.on(lease)?,
            Word::Option => {
                self.agent_option(lease);
                0
            }
            Word::Set => {
                let name = self.lexer.next();
                // A word that named a variable before is no keyword.
                if !self.names.contains_key(self.lexer.text(name)) && !self.lexer.is_name(name) {
                    let mut text = self.lexer.c_text(name).to_vec();
                    text.extend(b" can't be a variable name");
                    self.lexer.warn(&text);
                    self.skip_to_semi();
                    return Err(Dropped);
                }
                self.set(lease, name, true)?;
                0
            }
            Word::ForwardName => {
                self.set(lease, token, false)?;
                seen::FORWARD_NAME
            }
            Word::ReverseName => {
                self.set(lease, token, false)?;
                seen::REVERSE_NAME
            }
            Word::Unknown => {
                self.lexer.warn(b"Unexpected configuration directive.");
                self.skip_to_semi();
                return Err(Dropped);
            }
        })
    }
}

// Statements.
impl<'a> Reader<'a, '_> {
    fn uid(&mut self) -> Result<Octets, Dropped> {
        let token = self.lexer.peek();
        let uid = if token.kind == Kind::String {
            self.lexer.next();
            Octets::new(self.lexer.text(token))
        } else {
            Octets::from(self.hex_list().ok_or(Dropped)?)
        };
        self.semi();
        Ok(uid)
    }

    /// `next binding state` and `rewind binding state`, behind their first word.
    fn following_state(&mut self, lease: &mut Lease, mask: u32, which: u32) -> Result<u32, Dropped> {
        let token = self.lexer.next();
        if self.lexer.is_word(token, "binding") {
            return self.binding_state(lease, mask, which);
        }
        self.lexer.warn(b"expecting 'binding'");
        self.skip_to_semi();
        Ok(which)
    }

    /// `state STATE;`
    fn binding_state(&mut self, lease: &mut Lease, mask: u32, which: u32) -> Result<u32, Dropped> {
        let token = self.lexer.next();
        if !self.lexer.is_word(token, "state") {
            self.lexer.warn(b"expecting 'state'");
            self.skip_to_semi();
            return Ok(which);
        }
        let token = self.lexer.next();
        let Some(state) = self.state(token, lease) else {
            let mut text = self.lexer.c_text(token).to_vec();
            text.extend(b": expecting a binding state.");
            self.lexer.warn(&text);
            self.skip_to_semi();
            return Err(Dropped);
        };
        let read = match which {
            seen::NEXT => {
                lease.next_state = state;
                seen::NEXT_READ
            }
            seen::REWIND => {
                lease.rewind_state = state;
                seen::REWIND_READ
            }
            _ => {
                lease.state = state;
                if mask & seen::NEXT_READ == 0 {
                    lease.next_state = state;
                }
                if mask & seen::REWIND_READ == 0 {
                    lease.rewind_state = state;
                }
                seen::STATE_READ
            }
        };
        self.semi();
        Ok(which | read)
    }

    /// A state by name; two old ones set a flag.
    fn state(&self, token: Token, lease: &mut Lease) -> Option<BindingState> {
        use BindingState::{Abandoned, Active, Backup, Expired, Free, Released, Reset};
        let states = [Active, Free, Expired, Released, Abandoned, Reset, Backup];
        if let Some(state) = states.into_iter().find(|state| self.lexer.is_word(token, state.name())) {
            return Some(state);
        }
        if self.lexer.is_word(token, "reserved") {
            lease.reserved = true;
            return Some(Active);
        }
        if self.lexer.is_word(token, "bootp") {
            lease.dynamic_bootp = true;
            return Some(Active);
        }
        None
    }

    fn client_hostname(&mut self) -> Result<Octets, Dropped> {
        if self.lexer.peek().kind == Kind::String {
            let token = self.lexer.next();
            // Kept as a C string.
            let name = Octets::new(self.lexer.c_text(token));
            return if self.semi() { Ok(name) } else { Err(Dropped) };
        }
        match self.host_name() {
            Some(name) => {
                self.semi();
                Ok(Octets::from(name))
            }
            None => {
                self.lexer.warn(b"expecting a hostname.");
                self.skip_to_semi();
                Err(Dropped)
            }
        }
    }

    /// `billing class "NAME";` or `billing subclass "SUPER" VALUE;`. `None`: what was there stays.
    fn billing(&mut self) -> Option<Option<ClassId>> {
        let token = self.lexer.next();
        if self.lexer.is_word(token, "class") {
            let name = self.lexer.next();
            if name.kind != Kind::String {
                self.lexer.warn(b"expecting string");
                if !name.is(b';') {
                    self.skip_to_semi();
                }
                return None;
            }
            let name = self.lexer.c_text(name).to_vec();
            let class = self.sink.class(self.config, &name);
            if class.is_none() {
                self.lexer.warn(&[b"unknown class ", &name[..]].concat());
            }
            self.semi();
            Some(class)
        } else if self.lexer.is_word(token, "subclass") {
            Some(self.billing_subclass())
        } else {
            self.lexer.warn(b"expecting \"class\"");
            if !token.is(b';') {
                self.skip_to_semi();
            }
            None
        }
    }

    fn billing_subclass(&mut self) -> Option<ClassId> {
        let name = self.lexer.next();
        if name.kind != Kind::String {
            self.lexer.warn(b"Expecting class name");
            self.skip_to_semi();
            return None;
        }
        let name = self.lexer.c_text(name).to_vec();
        let Some(superclass) = self.sink.class(self.config, &name) else {
            self.lexer.warn(&[b"no class named ", &name[..]].concat());
            self.skip_to_semi();
            return None;
        };
        let value = self.class_value()?;
        let class = self.sink.subclass(self.config, superclass, &value);
        if self.lexer.peek().is(b';') {
            self.lexer.next();
        } else if self.left_brace() {
            self.skip_to_rbrace(1);
        } else {
            return None;
        }
        class
    }

    /// The value a subclass stands for.
    pub fn class_value(&mut self) -> Option<Vec<u8>> {
        let token = self.lexer.peek();
        match token.kind {
            Kind::String => {
                self.lexer.next();
                Some(self.lexer.text(token).to_vec())
            }
            Kind::Number => self.colon_separated_hex(),
            _ if self.lexer.is_number_or_name(token) => self.colon_separated_hex(),
            _ => {
                self.lexer.warn(b"Expecting string or hex list.");
                None
            }
        }
    }

    /// `on EVENT or EVENT { }`, behind `on`.
    fn on(&mut self, lease: &mut Lease) -> Result<u32, Dropped> {
        let mut events = Events::default();
        let mut token;
        loop {
            token = self.lexer.next();
            let event = [
                ("expiry", &mut events.expiry),
                ("commit", &mut events.commit),
                ("release", &mut events.release),
                ("transmission", &mut events.transmission),
            ];
            match event.into_iter().find(|(word, _)| self.lexer.is_word(token, word)) {
                Some((_, flag)) => *flag = true,
                None => {
                    self.lexer.warn(b"expecting a lease event type");
                    self.skip_to_semi();
                    self.skip_to_rbrace(1);
                    return Err(Dropped);
                }
            }
            token = self.lexer.next();
            if !self.lexer.is_word(token, "or") {
                break;
            }
        }
        if token.is(b';') {
            return Ok(0);
        }
        if !token.is(b'{') {
            self.lexer.warn(b"left brace expected.");
            self.skip_to_semi();
            self.skip_to_rbrace(1);
            return Err(Dropped);
        }
        let start = token.offset() + 1;
        let (at, echo) = self.lexer.leave();
        let echo = echo.clone();
        let said = self.lexer.lines.len();
        let Some(end) = self.block_end() else {
            match self.sink.explain(at, &echo).filter(|read| !read.lines.is_empty()) {
                Some(read) => {
                    self.lexer.lines.truncate(said);
                    self.go_on(read);
                    self.skip_to_rbrace(1);
                }
                None => self.lexer.warn(b"right brace expected."),
            }
            return Err(Dropped);
        };
        self.handlers(lease, events, self.lexer.slice(start, end), (at, &echo))
    }

    /// Goes on where dhcpd does, after it has said what it says.
    pub fn go_on(&mut self, read: Declared) {
        self.lexer.lines.extend(read.lines);
        self.lexer.resume(read.reached, &read.echo, read.peeked);
    }

    fn handlers(
        &mut self,
        lease: &mut Lease,
        events: Events,
        body: &'a [u8],
        (at, echo): (usize, &Echo<&'a [u8]>),
    ) -> Result<u32, Dropped> {
        let mut mask = 0;
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(mask);
        }
        if events.expiry {
            mask |= seen::EXPIRY;
        }
        if events.release {
            mask |= seen::RELEASE;
        }
        if mask == 0 {
            return Ok(mask);
        }
        self.flush();
        match self.sink.handler(events, body) {
            Ok(Some(body)) => {
                let handler = Handler { events, body };
                if events.expiry {
                    lease.handlers.expiry = Some(handler.clone());
                }
                if events.release {
                    lease.handlers.release = Some(handler);
                }
                return Ok(mask);
            }
            Ok(None) => {}
            Err(faults) => match self.sink.explain(at, echo) {
                Some(read) if is_torn(body) => {
                    self.go_on(read);
                    self.skip_to_rbrace(1);
                    return Err(Dropped);
                }
                Some(read) => self.lexer.lines.extend(read.lines),
                None => faults.iter().for_each(|fault| self.lexer.warn(fault)),
            },
        }
        let mut raw = lease.raw_handlers.take().map_or_else(Vec::new, Vec::from);
        raw.push(RawHandler { events, body: body.into() });
        lease.raw_handlers = Some(raw.into());
        Ok(mask)
    }

    /// `option agent.NAME VALUE;`, behind `option`.
    fn agent_option(&mut self, lease: &mut Lease) {
        if let Some((option, value)) = self.option() {
            if option.space != Spaces::AGENT {
                self.lexer.warn(b"agent option expected.");
                return;
            }
            // Sub-options have one octet for their code.
            lease.agent_options.push(AgentOption { code: option.code as u8, value, configured: false });
        }
    }

    /// `NAME = VALUE;`, or without the equals sign; the name is a word in the file, or spelled like one.
    fn set(&mut self, lease: &mut Lease, name: Token, equals: bool) -> Result<(), Dropped> {
        let name = self.variable(name);
        if equals && !self.lexer.next().is(b'=') {
            self.lexer.warn(b"expecting '=' in set statement.");
            self.skip_to_semi();
            return Err(Dropped);
        }
        let value = Some(self.binding_value()?);
        let entries = &mut lease.bindings.entries;
        match entries.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&name)) {
            Some((_, old)) => *old = value,
            None => {
                // Most leases have one, and there are many leases.
                entries.reserve_exact(1);
                entries.insert(0, (name, value));
            }
        }
        self.semi();
        Ok(())
    }

    /// The shared name of a variable. Names are ASCII.
    fn variable(&mut self, token: Token) -> Arc<str> {
        let name = self.lexer.c_text(token);
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        let shared: Arc<str> = String::from_utf8_lossy(name).into();
        self.names.insert(name.to_vec(), Arc::clone(&shared));
        shared
    }

    fn binding_value(&mut self) -> Result<Value, Dropped> {
        let token = self.lexer.peek();
        match token.kind {
            Kind::String => {
                self.lexer.next();
                Ok(Value::Data(Octets::new(self.lexer.text(token))))
            }
            Kind::Other(b'%') => {
                self.lexer.next();
                let token = self.lexer.next();
                if token.kind == Kind::Number {
                    return Ok(Value::Number(atol(self.lexer.text(token))));
                }
                self.lexer.warn(b"expecting decimal number.");
                if !token.is(b';') {
                    self.skip_to_semi();
                }
                Err(Dropped)
            }
            _ if self.lexer.is_number_or_name(token) => match self.hex_list() {
                Some(octets) => Ok(Value::Data(Octets::from(octets))),
                None => {
                    self.skip_to_semi();
                    Err(Dropped)
                }
            },
            Kind::Word if self.lexer.is_name(token) => {
                self.lexer.next();
                let text = self.lexer.text(token);
                if text.eq_ignore_ascii_case(b"true") {
                    return Ok(Value::Boolean(true));
                }
                if text.eq_ignore_ascii_case(b"false") {
                    return Ok(Value::Boolean(false));
                }
                self.lexer.warn(b"expecting true or false");
                self.skip_to_semi();
                Err(Dropped)
            }
            _ => {
                self.lexer.warn(b"expecting a constant value.");
                if !token.is(b';') {
                    self.skip_to_semi();
                }
                Err(Dropped)
            }
        }
    }

    /// ISC `parse_hardware_param`.
    fn hardware(&mut self) -> Option<Hardware> {
        let token = self.lexer.next();
        let named = [("ethernet", 1), ("token-ring", 6), ("fddi", 8), ("infiniband", 32)];
        let htype = match named.into_iter().find(|(word, _)| self.lexer.is_word(token, word)) {
            Some((_, htype)) => htype,
            None => match self.lexer.c_text(token).strip_prefix(b"unknown-") {
                // Cut to an octet, as dhcpd does.
                Some(number) => atoi(number) as u8,
                None => {
                    self.lexer.warn(b"expecting a network hardware type");
                    self.skip_to_semi();
                    return None;
                }
            },
        };
        let mut hardware = Some(Hardware { htype, address: Vec::new() });
        if !self.lexer.peek().is(b';') {
            match self.hex_list() {
                None => return hardware,
                Some(address) if address.len() <= 20 => hardware = Some(Hardware { htype, address }),
                Some(_) => {
                    self.lexer.warn(b"hardware address too long");
                    hardware = None;
                }
            }
        }
        if !self.lexer.next().is(b';') {
            self.lexer.warn(b"expecting semicolon.");
            self.skip_to_semi();
        }
        hardware
    }
}

/// Whether the braces of an `on` block are wrong, so that the text between them is not its own: a server begins no line
/// inside, nor that of the closing brace, in the first column.
fn is_torn(body: &[u8]) -> bool {
    body.ends_with(b"\n")
        || body.windows(2).any(|two| matches!(two, [b'\n', next] if !next.is_ascii_whitespace()))
}

/// C's `atoi`: what does not fit in 64 bit is the nearest that does, then cut to 32.
pub(super) fn atoi(text: &[u8]) -> i32 {
    atol(text) as i32
}

/// C's `atol` for the text of a number token.
pub(super) fn atol(text: &[u8]) -> i64 {
    let (negative, digits) = match text.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let mut value: i64 = 0;
    for digit in digits.iter().take_while(|c| c.is_ascii_digit()).map(|c| i64::from(c - b'0')) {
        let digit = if negative { -digit } else { digit };
        value = value.saturating_mul(10).saturating_add(digit);
    }
    value
}
