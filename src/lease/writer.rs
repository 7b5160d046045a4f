//! Writing `dhcpd.leases`.
//!
//! Mirrors ISC `server/db.c` (`write_lease`, `write_failover_state`) and `server/mdb.c:write_leases`: one block at a time
//! for what is appended, and the whole file, in chunks, for a rewrite.

use super::others::{OtherBlock, OtherKind, PeerState};
use super::queue::Queue;
use super::{Lease, LeaseDb, LeaseId, date};
use crate::config::Config;
use crate::config::network::{ClassId, Hardware, LeaseIdFormat};
use crate::config::print::print_statements;
use crate::config::tree::Block;
use crate::eval::bindings::Value;
use crate::eval::classes::Spawned;
use crate::eval::{Handler, Handlers};
use crate::log::Line;
use crate::options::{Octets, PrintStyle, Spaces, print_option};
use crate::time::{NEVER, Seconds};
use std::io::Write;
use std::sync::Arc;

/// The version string dhcpd writes.
const HEADER: &str = "# The format of this file is documented in the dhcpd.leases(5) manual page.\n\
    # This lease file was written by isc-dhcp-4.4.3-P1\n\n\
    # authoring-byte-order entry is generated, DO NOT DELETE\n";

/// What the writer must be told about things that are not leases.
pub trait Words {
    /// The configuration in force.
    fn config(&self) -> &Config;
    /// Seconds to add to UTC for local time at that moment; asked with `db-time-format local` only.
    fn local_offset(&self, time: Seconds) -> Seconds {
        let _ = time;
        0
    }
    /// Appends the statements of an `on` block, each beginning with a newline and `indent` blanks.
    fn statements(&self, block: &Block, indent: usize, out: &mut Vec<u8>) {
        out.extend(print_statements(self.config(), block, indent));
    }
    /// The subclasses made while serving.
    fn spawned(&self) -> Option<&Spawned> {
        None
    }
}

/// How a class is named in the lease file: its name, or that of its superclass and the value it stands for.
fn class_name(class: ClassId, words: &dyn Words) -> Option<(&[u8], Option<&Octets>)> {
    let config = words.config();
    let (name, value) = match words.spawned() {
        Some(spawned) => (spawned.declaration(config, class)?, spawned.value(config, class)),
        None => config.classes.get(class.index()).map(|class| (class, class.hash_value.as_ref()))?,
    };
    Some((name.name.as_bytes(), value))
}

/// The plain configuration knows all but local time and statements.
impl Words for Config {
    fn config(&self) -> &Config {
        self
    }
}

/// The lines every rewritten file begins with.
pub fn header() -> Vec<u8> {
    let order = if cfg!(target_endian = "little") { "little" } else { "big" };
    format!("{HEADER}authoring-byte-order {order}-endian;\n\n").into_bytes()
}

/// Appends a lease block. What dhcpd logs about values it cannot write goes to `lines`.
pub fn write_lease(out: &mut Vec<u8>, lease: &Lease, now: Seconds, words: &dyn Words, lines: &mut Vec<Line>) {
    out.extend(b"lease ");
    write_address(out, lease.address.octets());
    out.extend(b" {");
    for (name, time) in [
        ("starts", lease.starts),
        ("ends", lease.ends),
        ("tstp", lease.tstp),
        ("tsfp", lease.tsfp),
        ("atsfp", lease.atsfp),
        ("cltt", lease.cltt),
    ] {
        // dhcpd cannot write a negative time: it would give up the whole file over it.
        if time > 0 {
            out.extend(b"\n  ");
            out.extend(name.as_bytes());
            out.push(b' ');
            write_time(out, time, words);
        }
    }
    out.extend(b"\n  binding state ");
    out.extend(lease.state.name().as_bytes());
    out.push(b';');
    if lease.next_state != lease.state {
        out.extend(b"\n  next binding state ");
        out.extend(lease.next_state.name().as_bytes());
        out.push(b';');
    }
    if lease.rewind_state != lease.state {
        out.extend(b"\n  rewind binding state ");
        out.extend(lease.rewind_state.name().as_bytes());
        out.push(b';');
    }
    if lease.reserved {
        out.extend(b"\n  reserved;");
    }
    if lease.dynamic_bootp {
        out.extend(b"\n  dynamic-bootp;");
    }
    let billed = lease.billing_class.filter(|_| lease.ends > now);
    if let Some(class) = billed.and_then(|class| class_name(class, words)) {
        write_billing(out, class);
    }
    if let Some(hardware) = &lease.hardware {
        out.extend(b"\n  ");
        write_hardware(out, hardware);
    }
    if let Some(uid) = lease.uid.as_ref().filter(|uid| !uid.is_empty()) {
        out.extend(b"\n  uid ");
        match words.config().lease_id_format {
            LeaseIdFormat::Octal => write_quoted(out, uid),
            LeaseIdFormat::Hex => write_hex(out, uid),
        }
        out.push(b';');
    }
    for (name, value) in &lease.bindings.entries {
        if let Some(value) = value {
            write_binding(out, name, value, lines);
        }
    }
    for (at, (code, value)) in lease.agent_options.iter().enumerate() {
        // A sub-option that came more than once hangs on the first one, which alone is written.
        let repeated = lease.agent_options[..at].iter().any(|(earlier, _)| earlier == code);
        if !value.is_empty() && !repeated {
            write_agent_option(out, *code, value, &words.config().spaces, lines);
        }
    }
    if let Some(name) = &lease.client_hostname
        && name.iter().all(|&c| is_printable(c) && c != b'"' && c != b'\\')
    {
        out.extend(b"\n  client-hostname \"");
        out.extend(name.as_slice());
        out.extend(b"\";");
    }
    write_handlers(out, &lease.handlers, words);
    for raw in lease.raw_handlers.iter().flatten() {
        let event = match (raw.events.expiry, raw.events.release) {
            (true, true) => "expiry or release",
            (true, false) => "expiry",
            _ => "release",
        };
        out.extend(format!("\n  on {event} {{").as_bytes());
        out.extend(raw.body.trim_ascii_end());
        out.extend(b"\n  }");
    }
    out.extend(b"\n}\n");
}

fn write_handlers(out: &mut Vec<u8>, handlers: &Handlers, words: &dyn Words) {
    let mut write = |event: &str, handler: &Handler| {
        out.extend(format!("\n  on {event} {{").as_bytes());
        words.statements(&handler.body, 4, out);
        out.extend(b"\n  }");
    };
    match (&handlers.expiry, &handlers.release) {
        // Equal texts are shared, so that alone does not make them one statement.
        (Some(expiry), Some(release))
            if expiry.events.release && release.events.expiry && Arc::ptr_eq(&expiry.body, &release.body) =>
        {
            write("expiry or release", expiry);
        }
        (expiry, release) => {
            if let Some(expiry) = expiry {
                write("expiry", expiry);
            }
            if let Some(release) = release {
                write("release", release);
            }
        }
    }
}

/// Appends the state of a failover peer: `my state`, `partner state`, and `mclt` on a secondary.
pub fn write_failover_state(
    out: &mut Vec<u8>,
    name: &[u8],
    mine: (PeerState, Seconds),
    partner: (PeerState, Seconds),
    mclt: Option<i64>,
    words: &dyn Words,
) {
    out.extend(b"\nfailover peer \"");
    out.extend(name);
    out.extend(b"\" state {");
    for (who, (state, time)) in [("my", mine), ("partner", partner)] {
        out.extend(format!("\n  {who} state {} at ", state.name()).as_bytes());
        write_time(out, time.max(0), words);
    }
    if let Some(mclt) = mclt {
        out.extend(format!("\n  mclt {mclt};").as_bytes());
    }
    out.extend(b"\n}\n");
}

/// Appends a `server-duid` entry. dhcpd writes one at every start, DHCPv4 servers included.
pub fn write_server_duid(out: &mut Vec<u8>, duid: &[u8], format: LeaseIdFormat) {
    out.extend_from_slice(b"server-duid ");
    match format {
        LeaseIdFormat::Octal => write_quoted(out, duid),
        LeaseIdFormat::Hex => write_hex(out, duid),
    }
    out.extend_from_slice(b";\n\n");
}

/// Appends a date with its semicolon, in the format the configuration asks for.
fn write_time(out: &mut Vec<u8>, time: Seconds, words: &dyn Words) {
    if time == NEVER {
        out.extend(b"never;");
    } else if words.config().db_time_format_local {
        const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let local = date::civil(time.saturating_add(words.local_offset(time)));
        let day = DAYS.get(usize::from(local.weekday)).unwrap_or(&"");
        let month = MONTHS.get(usize::from(local.month).wrapping_sub(1)).unwrap_or(&"");
        let text = format!(
            "epoch {time}; # {day} {month} {:02} {:02}:{:02}:{:02} {}",
            local.day, local.hour, local.minute, local.second, local.year
        );
        out.extend(text.as_bytes());
    } else {
        date::write_utc(out, time);
        out.push(b';');
    }
}

fn write_address(out: &mut Vec<u8>, octets: [u8; 4]) {
    for (at, octet) in octets.into_iter().enumerate() {
        if at > 0 {
            out.push(b'.');
        }
        if octet >= 100 {
            out.push(b'0' + octet / 100);
        }
        if octet >= 10 {
            out.push(b'0' + octet / 10 % 10);
        }
        out.push(b'0' + octet % 10);
    }
}

fn write_hardware(out: &mut Vec<u8>, hardware: &Hardware) {
    out.extend(b"hardware ");
    match hardware.htype {
        1 => out.extend(b"ethernet"),
        6 => out.extend(b"token-ring"),
        8 => out.extend(b"fddi"),
        32 => out.extend(b"infiniband"),
        other => out.extend(format!("unknown-{other}").as_bytes()),
    }
    out.push(b' ');
    write_hex(out, &hardware.address);
    out.push(b';');
}

fn write_billing(out: &mut Vec<u8>, (name, value): (&[u8], Option<&Octets>)) {
    match value {
        None => {
            out.extend(b"\n  billing class \"");
            out.extend(name);
            out.extend(b"\";");
        }
        Some(value) => {
            out.extend(b"\n  billing subclass \"");
            out.extend(name);
            out.extend(b"\" ");
            if value.iter().all(|&c| is_printable(c)) {
                // Not escaped.
                out.push(b'"');
                out.extend(value.as_slice());
                out.push(b'"');
            } else {
                write_hex(out, value);
            }
            out.push(b';');
        }
    }
}

fn write_binding(out: &mut Vec<u8>, name: &str, value: &Value, lines: &mut Vec<Line>) {
    let start = |out: &mut Vec<u8>| {
        out.extend(b"\n  set ");
        out.extend(name.as_bytes());
        out.extend(b" = ");
    };
    match value {
        Value::Data(octets) => {
            start(out);
            write_quoted(out, octets);
        }
        Value::Number(number) => {
            start(out);
            // Writing to a Vec cannot fail.
            let _ = write!(out, "%{number}");
        }
        Value::Boolean(truth) => {
            start(out);
            out.extend(if *truth { &b"true"[..] } else { b"false" });
        }
        Value::Function(_) => {
            lines.push(Line::error(format!("{name}: persistent functions not supported.")));
            return;
        }
    }
    out.push(b';');
}

fn write_agent_option(out: &mut Vec<u8>, code: u8, value: &[u8], spaces: &Spaces, lines: &mut Vec<Line>) {
    let option = spaces.by_code(Spaces::AGENT, u32::from(code));
    out.extend(b"\n  option agent.");
    out.extend(spaces.name(option).as_bytes());
    out.push(b' ');
    out.extend(print_option(spaces, option, value, PrintStyle::CONFIGURATION, lines));
    out.push(b';');
}

/// Double-quoted with octal escapes.
fn write_quoted(out: &mut Vec<u8>, octets: &[u8]) {
    out.push(b'"');
    for &c in octets {
        match c {
            b'"' | b'\\' => out.extend([b'\\', c]),
            _ if is_printable(c) => out.push(c),
            _ => out.extend([b'\\', b'0' + (c >> 6), b'0' + (c >> 3 & 7), b'0' + (c & 7)]),
        }
    }
    out.push(b'"');
}

/// `xx:xx:xx`
fn write_hex(out: &mut Vec<u8>, octets: &[u8]) {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    for (at, octet) in octets.iter().enumerate() {
        if at > 0 {
            out.push(b':');
        }
        // Four bits index sixteen digits.
        out.extend([DIGITS[usize::from(octet >> 4)], DIGITS[usize::from(octet & 15)]]);
    }
}

/// C's `isascii` and `isprint`.
fn is_printable(c: u8) -> bool {
    (b' '..=b'~').contains(&c)
}

/// The blocks of a lease file that are no leases, as they stand after all of the file was read.
#[derive(Clone, Debug, Default)]
pub struct Others {
    /// Dynamic classes, in order.
    pub classes: Vec<OtherBlock>,
    /// Dynamic subclasses, in order.
    pub subclasses: Vec<OtherBlock>,
    /// Named groups, in order.
    pub groups: Vec<OtherBlock>,
    /// Hosts, in order.
    pub hosts: Vec<OtherBlock>,
    /// The last state of each peer, in order of first mention.
    pub failover: Vec<OtherBlock>,
    /// `server-duid`
    pub server_duid: Option<Vec<u8>>,
    /// A host was declared at all, perhaps deleted since; dhcpd counts hosts then.
    pub any_host: bool,
    /// Likewise for named groups.
    pub any_group: bool,
}

impl Others {
    /// Takes a block as it is read: a later one replaces an earlier one of the same name, or deletes it.
    pub fn add(&mut self, block: OtherBlock) {
        let list = match block.kind {
            OtherKind::ServerDuid => {
                self.server_duid = block.value;
                return;
            }
            OtherKind::Class => &mut self.classes,
            OtherKind::Subclass => &mut self.subclasses,
            OtherKind::Failover => &mut self.failover,
            OtherKind::Host => {
                self.any_host |= !block.deleted;
                &mut self.hosts
            }
            OtherKind::Group => {
                self.any_group |= !block.deleted && !block.name.is_empty();
                &mut self.groups
            }
        };
        let known = list.iter().position(|old| old.name == block.name && old.value == block.value);
        match known {
            Some(at) if block.deleted => {
                list.remove(at);
            }
            Some(at) => list[at] = block,
            None if block.deleted => {}
            None => list.push(block),
        }
    }
}

/// A rewrite of the whole file, in chunks. The order of the leases is fixed when it begins; each is written as it stands
/// when its turn comes, so the database may go on changing in between, if what changes is appended afterwards as well.
#[derive(Clone, Debug)]
pub struct Rewrite {
    order: Vec<LeaseId>,
    at: usize,
    begun: bool,
    written: usize,
    lines: Vec<Line>,
}

impl Rewrite {
    /// About how many octets a chunk has.
    const CHUNK: usize = 1 << 18;

    /// Fixes the order: dhcpd's pools, their queues, the queues front to back.
    pub fn new(db: &LeaseDb) -> Self {
        let pools = db.pool_order().iter();
        let queues =
            pools.flat_map(|&pool| Queue::ALL.into_iter().flat_map(move |queue| db.used(pool, queue)));
        let order = queues.collect();
        Self { order, at: 0, begun: false, written: 0, lines: Vec::new() }
    }

    /// The next chunk; `None` when the file is complete. What dhcpd logs is in [`Rewrite::take_lines`].
    pub fn next_chunk(
        &mut self,
        db: &LeaseDb,
        others: &Others,
        now: Seconds,
        words: &dyn Words,
    ) -> Option<Vec<u8>> {
        if !self.begun {
            self.begun = true;
            let mut out = header();
            self.others(&mut out, others, words);
            return Some(out);
        }
        if self.at > self.order.len() {
            return None;
        }
        let mut out = Vec::with_capacity(Self::CHUNK + 1024);
        while out.len() < Self::CHUNK {
            let Some(&id) = self.order.get(self.at) else {
                // One step past the end: complete.
                self.at += 1;
                self.lines.push(Line::info(format!("Wrote {} leases to leases file.", self.written)));
                return (!out.is_empty()).then_some(out);
            };
            self.at += 1;
            let lease = db.lease(id);
            if is_worth_writing(&lease) {
                write_lease(&mut out, &lease, now, words, &mut self.lines);
                self.written += 1;
            }
        }
        Some(out)
    }

    /// The log lines since the last call.
    pub fn take_lines(&mut self) -> Vec<Line> {
        std::mem::take(&mut self.lines)
    }

    fn others(&mut self, out: &mut Vec<u8>, others: &Others, words: &dyn Words) {
        let config = words.config();
        let mut count = 0;
        let mut class = |out: &mut Vec<u8>, block: &OtherBlock| {
            if block.dynamic {
                write_block(out, block);
                out.push(b'\n');
                count += 1;
            }
        };
        let declared = config.class_order.iter().filter_map(|id| config.classes.get(id.index()));
        let declared: Vec<&[u8]> = declared.map(|class| class.name.as_bytes()).collect();
        for name in declared.iter().copied().chain(others.classes.iter().map(|block| &block.name[..])) {
            if let Some(block) = others.classes.iter().find(|block| block.name == name) {
                class(out, block);
            }
            others.subclasses.iter().filter(|block| block.name == name).for_each(|block| class(out, block));
        }
        if !config.classes.is_empty() || !others.classes.is_empty() {
            self.lines.push(Line::info(format!("Wrote {count} class decls to leases file.")));
        }
        if !config.groups.is_empty() || others.any_group {
            let dynamic = others.groups.iter().filter(|block| block.dynamic);
            let count = dynamic.map(|block| write_block(out, block)).count();
            self.lines.push(Line::info(format!("Wrote {count} group decls to leases file.")));
        }
        if !config.hosts.is_empty() || others.any_host {
            others.hosts.iter().filter(|block| block.dynamic).for_each(|block| write_block(out, block));
            self.lines.push(Line::info("Wrote 0 deleted host decls to leases file."));
            // dhcpd counts the hosts it failed to write.
            self.lines.push(Line::info("Wrote 0 new dynamic host decls to leases file."));
        }
        for block in &others.failover {
            out.push(b'\n');
            write_block(out, block);
        }
    }
}

/// A block as it was read; one that was cut off only by its name and flags.
fn write_block(out: &mut Vec<u8>, block: &OtherBlock) {
    if block.complete {
        out.extend(&block.text);
        out.push(b'\n');
        return;
    }
    let (word, quote) = match block.kind {
        OtherKind::Class => ("class", "\""),
        OtherKind::Host => ("host", ""),
        OtherKind::Group => ("group", ""),
        // The others are complete or not kept.
        OtherKind::Subclass | OtherKind::Failover | OtherKind::ServerDuid => return,
    };
    out.extend(format!("{word} {quote}").as_bytes());
    out.extend(&block.name);
    out.extend(format!("{quote} {{\n").as_bytes());
    for (flag, text) in [(block.dynamic, "  dynamic;\n"), (block.fixed, "  static;\n")] {
        if flag {
            out.extend(text.as_bytes());
        }
    }
    out.extend(b"}\n");
}

/// dhcpd leaves out what says nothing: free, without identity, never heard of from a peer.
fn is_worth_writing(lease: &Lease) -> bool {
    lease.hardware.is_some()
        || lease.uid.as_ref().is_some_and(|uid| !uid.is_empty())
        || lease.tsfp != 0
        || lease.state != super::BindingState::Free
}
