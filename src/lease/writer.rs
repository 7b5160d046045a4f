//! Writing `dhcpd.leases`, one block at a time.
//!
//! Mirrors ISC `server/db.c` (`write_lease`, `write_failover_state`, `write_server_duid`). The whole file is the business
//! of [`super::Rewrite`].

use super::others::PeerState;
use super::{Lease, date};
use crate::config::Config;
use crate::config::network::{ClassId, Hardware, Host, HostId, LeaseIdFormat};
use crate::config::print::print_statements;
use crate::config::tree::Block;
use crate::config::tree::Expr;
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
    /// The fixed addresses of a host, as dhcpd looks them up when it writes the host: four octets each. `None` when there
    /// are none to be had. By default names are not looked up.
    fn fixed_addresses(&self, id: HostId, host: &Host) -> Option<Octets> {
        let _ = id;
        match host.fixed_address.as_deref() {
            Some(Expr::Data(octets)) => Some(octets.clone()),
            _ => None,
        }
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
    for (at, option) in lease.agent_options.iter().enumerate() {
        // A sub-option that came more than once hangs on the first one, which alone is written.
        let repeated = lease.agent_options[..at].iter().any(|earlier| earlier.code == option.code);
        if !option.value.is_empty() && !option.configured && !repeated {
            write_agent_option(out, option.code, &option.value, &words.config().spaces, lines);
        }
    }
    if let Some(name) = &lease.client_hostname
        && name.iter().copied().all(is_plain)
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

pub(super) fn write_address(out: &mut Vec<u8>, octets: [u8; 4]) {
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

pub(super) fn write_hardware(out: &mut Vec<u8>, hardware: &Hardware) {
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
            out.extend(b"\n  billing class ");
            write_quoted(out, name);
            out.push(b';');
        }
        Some(value) => {
            out.extend(b"\n  billing subclass ");
            write_quoted(out, name);
            out.push(b' ');
            write_class_value(out, value);
            out.push(b';');
        }
    }
}

/// The value a subclass stands for (ISC `print_hash_string`): as text where dhcpd would read the same from it. dhcpd does
/// not escape it either, so a quote in what a relay agent says makes it lose the whole file at its next start.
pub(super) fn write_class_value(out: &mut Vec<u8>, value: &[u8]) {
    if value.iter().copied().all(is_plain) {
        out.push(b'"');
        out.extend(value);
        out.push(b'"');
    } else {
        write_hex(out, value);
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
        Value::Nowhere => return,
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
pub(super) fn write_quoted(out: &mut Vec<u8>, octets: &[u8]) {
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
pub(super) fn write_hex(out: &mut Vec<u8>, octets: &[u8]) {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    for (at, octet) in octets.iter().enumerate() {
        if at > 0 {
            out.push(b':');
        }
        // Four bits index sixteen digits.
        out.extend([DIGITS[usize::from(octet >> 4)], DIGITS[usize::from(octet & 15)]]);
    }
}

/// Means itself between quotes (ISC `db_printable`).
pub(super) fn is_plain(c: u8) -> bool {
    is_printable(c) && c != b'"' && c != b'\\'
}

/// C's `isascii` and `isprint`.
fn is_printable(c: u8) -> bool {
    (b' '..=b'~').contains(&c)
}
