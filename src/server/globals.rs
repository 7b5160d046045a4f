//! Start-up: the root scope runs, and the parameters that are read only there are read.
//!
//! Mirrors ISC `server/dhcpd.c:postconf_initialization` and `server/ddns.c:get_conflict_mask`, in their order, which
//! shows in the lines. The expressions are evaluated in an odd context: `option` reads what the configuration set.

use crate::config::network::ScopeId;
use crate::config::{Config, Family};
use crate::eval::bindings::Bindings;
use crate::eval::settings::{self, Flag, code};
use crate::eval::{Context, Data, Environment, Fatal, Memory, ReplyOptions};
use crate::log::Line;
use crate::options::{Octets, Spaces};
use crate::time::{Now, Seconds};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// What the command line says, as far as the lines of start-up or the root scope have to do with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// `-4` or `-6`.
    pub family: Family,
    /// `-cf` or the built-in name, as printed.
    pub config_file: Vec<u8>,
    /// `-lf` or the built-in name; a parameter overrides it.
    pub lease_file: Vec<u8>,
    /// `-pf` or the built-in name; a parameter overrides it.
    pub pid_file: Vec<u8>,
    /// `-q`: no lines about the files.
    pub quiet: bool,
}

/// `ddns-update-style`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UpdateStyle {
    /// `none`
    #[default]
    None,
    /// `interim`
    Interim,
    /// `standard`
    Standard,
    /// Any other number, given as an expression: updates are on, in no particular style.
    Other(u8),
}

/// How DNS updates treat names that somebody else may own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConflictDetection {
    /// `update-conflict-detection`; without it the others are false.
    pub detect: bool,
    /// `ddns-dual-stack-mixed-mode`
    pub dual_stack_mixed_mode: bool,
    /// `ddns-guard-id-must-match`
    pub guard_id_must_match: bool,
    /// `ddns-other-guard-is-dynamic`
    pub other_guard_is_dynamic: bool,
}

/// The parameters that are read once, from the root scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Globals {
    /// `lease-file-name`, with `-6` `dhcpv6-lease-file-name`, else what the command line says.
    pub lease_file: Vec<u8>,
    /// `pid-file-name`, with `-6` `dhcpv6-pid-file-name`, else what the command line says.
    pub pid_file: Vec<u8>,
    /// `omapi-port`
    pub omapi_port: Option<u16>,
    /// `omapi-key`: the name of a key that is declared.
    pub omapi_key: Option<String>,
    /// `local-port`; overrides `-p`.
    pub local_port: Option<u16>,
    /// `remote-port`
    pub remote_port: Option<u16>,
    /// `limited-broadcast-address`; overrides `-s`.
    pub limited_broadcast: Option<Ipv4Addr>,
    /// `local-address`
    pub local_address: Option<Ipv4Addr>,
    /// `local-address6`
    pub local_address6: Option<Ipv6Addr>,
    /// `bind-local-address6`
    pub bind_local_address6: bool,
    /// `ddns-update-style`
    pub ddns_update_style: UpdateStyle,
    /// `ddns-local-address4`
    pub ddns_local_address4: Option<Ipv4Addr>,
    /// `ddns-local-address6`
    pub ddns_local_address6: Option<Ipv6Addr>,
    /// `update-conflict-detection` and its kin.
    pub ddns_conflicts: ConflictDetection,
    /// `log-facility`, where it takes effect.
    pub log_facility: Option<LogFacility>,
    /// `delayed-ack`, as dhcpd understands it: it swaps the octets on little-endian machines, so that 28 acts as 7168.
    pub delayed_ack: u16,
    /// `max-ack-delay`
    pub max_ack_delay: Duration,
    /// `dont-use-fsync`
    pub dont_use_fsync: bool,
    /// `server-id-check`
    pub server_id_check: bool,
    /// `prefix-length-mode`
    pub prefix_length_mode: Option<u8>,
    /// `abandon-lease-time`, seconds.
    pub abandon_lease_time: Seconds,
    /// `check-secs-byte-order`
    pub check_secs_byte_order: bool,
    /// `release-on-roam`
    pub release_on_roam: bool,
}

/// A change of syslog facility.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogFacility {
    /// As `openlog` takes it: the number of the facility times eight.
    pub facility: u8,
    /// How many of the lines handed out belong to the old facility. dhcpd repeats its banner, to syslog only, here.
    pub after: usize,
}

/// Runs the root scope, reads the global parameters, and hands out the lines about both.
///
/// `bindings` are the global variables, empty before. On an error, the line of [`Fatal`] follows those in `log`.
pub fn read_globals(
    config: &Config,
    command_line: &CommandLine,
    now: Now,
    bindings: &mut Bindings,
    memory: &mut Memory,
    environment: &mut dyn Environment,
    log: &mut Vec<Line>,
) -> Result<Globals, Fatal> {
    let mut set = ReplyOptions::new();
    let mut context = Context::new(now, config, bindings, environment, memory, log);
    context.reply = Some(&mut set);
    super::scopes::in_scope(ScopeId::ROOT, None, &mut context)?;
    context.reading_globals = true;
    let globals = read(command_line, &mut context);
    // A function called by a parameter may have ended the server.
    context.fatal().map_or(globals, Err)
}

/// The second run of the root scope, which dhcpd makes just before `Server starting service.` to look for
/// `dhcp6.server-id` (ISC `server/dhcpv6.c:set_server_duid_from_option`), whatever it serves. That option, if set.
pub fn run_again(
    config: &Config,
    now: Now,
    bindings: &mut Bindings,
    memory: &mut Memory,
    environment: &mut dyn Environment,
    log: &mut Vec<Line>,
) -> Result<Option<Octets>, Fatal> {
    const SERVER_ID: u32 = 2;
    let mut set = ReplyOptions::new();
    let mut context = Context::new(now, config, bindings, environment, memory, log);
    context.reply = Some(&mut set);
    super::scopes::in_scope(ScopeId::ROOT, None, &mut context)?;
    context.reading_globals = true;
    let option = config.spaces.by_code(Spaces::DHCP6, SERVER_ID);
    let duid = settings::option(option, &mut context).map(Data::into_octets);
    context.fatal().map_or(Ok(duid), Err)
}

fn read(command_line: &CommandLine, context: &mut Context<'_>) -> Result<Globals, Fatal> {
    let six = command_line.family == Family::V6;
    let mut lease_file = text(code::LEASE_FILE_NAME, context);
    let mut pid_file = text(code::PID_FILE_NAME, context);
    let (mut local_address6, mut bind_local_address6) = (None, false);
    if six {
        lease_file = text(code::DHCPV6_LEASE_FILE_NAME, context).or(lease_file);
        pid_file = text(code::DHCPV6_PID_FILE_NAME, context).or(pid_file);
        local_address6 = exact(code::LOCAL_ADDRESS6, context, "invalid local address data length")?;
        bind_local_address6 = is_true(code::BIND_LOCAL_ADDRESS6, context);
    }
    let lease_file = lease_file.unwrap_or_else(|| command_line.lease_file.clone());
    let pid_file = pid_file.unwrap_or_else(|| command_line.pid_file.clone());
    let omapi_port = exact(code::OMAPI_PORT, context, "invalid omapi port data length")?;
    let omapi_key = omapi_key(context)?;
    let local_port = exact(code::LOCAL_PORT, context, "invalid local port data length")?;
    let remote_port = exact(code::REMOTE_PORT, context, "invalid remote port data length")?;
    let limited_broadcast =
        exact(code::LIMITED_BROADCAST_ADDRESS, context, "invalid broadcast address data length")?;
    let local_address = exact(code::LOCAL_ADDRESS, context, "invalid local address data length")?;
    let ddns_update_style = update_style(context)?;
    let ddns_local_address4 = array(code::DDNS_LOCAL_ADDRESS4, context);
    let ddns_local_address6 = array(code::DDNS_LOCAL_ADDRESS6, context);
    let ddns_conflicts = conflict_detection(context);
    if !command_line.quiet {
        for (what, file) in [
            ("Config file", &command_line.config_file),
            ("Database file", &lease_file),
            ("PID file", &pid_file),
        ] {
            context.log.push(Line::info([what.as_bytes(), b": ", file].concat()));
        }
    }
    let facility: Option<[u8; 1]> = exact(code::LOG_FACILITY, context, "invalid log facility")?;
    let after = context.log.len();
    let log_facility = facility.map(|[facility]| LogFacility { facility, after });
    let delayed_ack: Option<u16> = exact(code::DELAYED_ACK, context, "invalid max delayed ACK count ")?;
    let max_ack_delay: Option<[u8; 4]> =
        exact(code::MAX_ACK_DELAY, context, "invalid max ack delay configuration")?;
    let dont_use_fsync = is_true(code::DONT_USE_FSYNC, context);
    if dont_use_fsync {
        context.log.push(Line::error("Not using fsync() to flush lease writes"));
    }
    let server_id_check = is_true(code::SERVER_ID_CHECK, context);
    if server_id_check {
        context.log.push(Line::info("Setting server-id-check true"));
    }
    let prefix_length_mode: Option<[u8; 1]> =
        exact(code::PREFIX_LENGTH_MODE, context, "invalid prefix-len-mode")?;
    let abandon_lease_time: Option<[u8; 4]> =
        exact(code::ABANDON_LEASE_TIME, context, "invalid abandon-lease-time")?;
    let check_secs_byte_order = is_true(code::CHECK_SECS_BYTE_ORDER, context);
    let release_on_roam = is_true(code::RELEASE_ON_ROAM, context);
    Ok(Globals {
        lease_file,
        pid_file,
        omapi_port,
        omapi_key,
        local_port,
        remote_port,
        limited_broadcast,
        local_address,
        local_address6,
        bind_local_address6,
        ddns_update_style,
        ddns_local_address4,
        ddns_local_address6,
        ddns_conflicts,
        log_facility,
        // As on the little-endian machines that dhcpd runs on.
        delayed_ack: delayed_ack.map_or(0, u16::swap_bytes),
        max_ack_delay: max_ack_delay.map_or(Duration::from_micros(250_000), |delay| {
            Duration::from_micros(u32::from_be_bytes(delay).into())
        }),
        dont_use_fsync,
        server_id_check,
        prefix_length_mode: prefix_length_mode.map(|[mode]| mode),
        abandon_lease_time: abandon_lease_time.map_or(86_400, |time| u32::from_be_bytes(time).into()),
        check_secs_byte_order,
        release_on_roam,
    })
}

/// What dhcpd takes from a fixed number of octets.
trait FromOctets: Sized {
    fn from_octets(octets: &[u8]) -> Option<Self>;
}

impl<const N: usize> FromOctets for [u8; N] {
    fn from_octets(octets: &[u8]) -> Option<Self> {
        octets.try_into().ok()
    }
}

impl FromOctets for u16 {
    fn from_octets(octets: &[u8]) -> Option<Self> {
        Some(Self::from_be_bytes(octets.try_into().ok()?))
    }
}

impl FromOctets for Ipv4Addr {
    fn from_octets(octets: &[u8]) -> Option<Self> {
        <[u8; 4]>::from_octets(octets).map(Self::from)
    }
}

impl FromOctets for Ipv6Addr {
    fn from_octets(octets: &[u8]) -> Option<Self> {
        <[u8; 16]>::from_octets(octets).map(Self::from)
    }
}

/// A parameter that is fatal if its length is not right.
fn exact<T: FromOctets>(code: u32, context: &mut Context<'_>, complaint: &str) -> Result<Option<T>, Fatal> {
    let Some(value) = settings::octets(code, context) else { return Ok(None) };
    T::from_octets(&value).map(Some).ok_or_else(|| Fatal(Line::error(complaint)))
}

/// A parameter that is ignored if its length is not right.
fn array<T: FromOctets>(code: u32, context: &mut Context<'_>) -> Option<T> {
    T::from_octets(&settings::octets(code, context)?)
}

/// A text, cut at its first NUL.
fn text(code: u32, context: &mut Context<'_>) -> Option<Vec<u8>> {
    let value = settings::octets(code, context)?;
    Some(value.split(|&octet| octet == 0).next().unwrap_or_default().to_vec())
}

fn is_true(code: u32, context: &mut Context<'_>) -> bool {
    settings::flag(code, context).is_some_and(Flag::is_true)
}

/// The key must be declared. dhcpd's line is garbled here: it prints the name after having freed it.
fn omapi_key(context: &mut Context<'_>) -> Result<Option<String>, Fatal> {
    let Some(name) = text(code::OMAPI_KEY, context) else { return Ok(None) };
    let name = String::from_utf8_lossy(&name).into_owned();
    if context.config.keys.iter().any(|key| key.name.eq_ignore_ascii_case(&name)) {
        return Ok(Some(name));
    }
    Err(Fatal(Line::error(format!("OMAPI key {name}: not found"))))
}

fn update_style(context: &mut Context<'_>) -> Result<UpdateStyle, Fatal> {
    let style: Option<[u8; 1]> = exact(code::DDNS_UPDATE_STYLE, context, "invalid dns update type")?;
    Ok(match style {
        None | Some([0]) => UpdateStyle::None,
        Some([1]) => return Err(Fatal(Line::error("ddns-update-style ad_hoc no longer supported"))),
        Some([2]) => UpdateStyle::Interim,
        Some([3]) => UpdateStyle::Standard,
        Some([other]) => UpdateStyle::Other(other),
    })
}

fn conflict_detection(context: &mut Context<'_>) -> ConflictDetection {
    let mut flag = |code, default| settings::flag(code, context).map_or(default, Flag::is_true);
    if !flag(code::UPDATE_CONFLICT_DETECTION, true) {
        return ConflictDetection {
            detect: false,
            dual_stack_mixed_mode: false,
            guard_id_must_match: false,
            other_guard_is_dynamic: false,
        };
    }
    ConflictDetection {
        detect: true,
        dual_stack_mixed_mode: flag(code::DDNS_DUAL_STACK_MIXED_MODE, false),
        guard_id_must_match: flag(code::DDNS_GUARD_ID_MUST_MATCH, true),
        other_guard_is_dynamic: flag(code::DDNS_OTHER_GUARD_IS_DYNAMIC, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::build;
    use crate::eval::tests::Isolated;
    use crate::syntax::{LoadError, parse};

    fn start(text: &str, family: Family) -> (Result<Globals, Fatal>, Vec<String>) {
        let mut loader = |_: &[u8]| Err(LoadError { errno: None, message: String::new() });
        let built = build(&parse(b"t", text.as_bytes().to_vec(), &mut loader), family);
        assert!(built.accepted(), "{:?}", built.diagnostics);
        let command_line = CommandLine {
            family,
            config_file: b"dhcpd.conf".to_vec(),
            lease_file: b"leases".to_vec(),
            pid_file: b"pid".to_vec(),
            quiet: false,
        };
        let (mut bindings, mut memory, mut log) = (Bindings::default(), Memory::default(), Vec::new());
        let now = Now { wall: 0, tick: Duration::ZERO };
        let globals = read_globals(
            &built.config,
            &command_line,
            now,
            &mut bindings,
            &mut memory,
            &mut Isolated::default(),
            &mut log,
        );
        (globals, log.into_iter().map(|line| String::from_utf8(line.text).unwrap()).collect())
    }

    fn fatal(text: &str) -> String {
        start(text, Family::V4).0.expect_err("fatal").to_string()
    }

    #[test]
    fn nothing_set() {
        let (globals, lines) = start("", Family::V4);
        let globals = globals.expect("fine");
        assert_eq!(lines, ["Config file: dhcpd.conf", "Database file: leases", "PID file: pid"]);
        assert_eq!((globals.local_port, globals.delayed_ack, globals.abandon_lease_time), (None, 0, 86_400));
        assert_eq!(globals.max_ack_delay, Duration::from_millis(250));
        assert!(globals.ddns_conflicts.detect && globals.ddns_conflicts.guard_id_must_match);
        assert_eq!(globals.ddns_update_style, UpdateStyle::None);
    }

    #[test]
    fn everything_set_and_in_order() {
        let text = r#"
log (info, "first");
lease-file-name "l4"; pid-file-name "p4"; dhcpv6-lease-file-name "l6";
omapi-port 7911; key k { algorithm hmac-md5; secret aaaa; } omapi-key k;
local-port 1067; remote-port 1068; limited-broadcast-address 10.0.0.255; local-address 10.0.0.1;
ddns-update-style interim; update-conflict-detection false; ddns-guard-id-must-match true;
log-facility local3; delayed-ack 28; max-ack-delay 1500000; dont-use-fsync true; server-id-check on;
abandon-lease-time 7; check-secs-byte-order true;
"#;
        let (globals, lines) = start(text, Family::V4);
        let globals = globals.expect("fine");
        assert_eq!(
            lines,
            [
                "first",
                "Config file: dhcpd.conf",
                "Database file: l4",
                "PID file: p4",
                "Not using fsync() to flush lease writes",
                "Setting server-id-check true"
            ]
        );
        // LOG_LOCAL3
        assert_eq!(globals.log_facility, Some(LogFacility { facility: 19 << 3, after: 4 }));
        assert_eq!((globals.omapi_port, globals.omapi_key.as_deref()), (Some(7911), Some("k")));
        assert_eq!((globals.local_port, globals.remote_port), (Some(1067), Some(1068)));
        assert_eq!(globals.limited_broadcast, Some(Ipv4Addr::new(10, 0, 0, 255)));
        assert_eq!(globals.local_address, Some(Ipv4Addr::new(10, 0, 0, 1)));
        assert_eq!(globals.ddns_update_style, UpdateStyle::Interim);
        assert!(!globals.ddns_conflicts.detect && !globals.ddns_conflicts.guard_id_must_match);
        assert_eq!((globals.delayed_ack, globals.max_ack_delay), (7168, Duration::from_micros(1_500_000)));
        assert!(globals.dont_use_fsync && globals.server_id_check && globals.check_secs_byte_order);
        assert_eq!(globals.abandon_lease_time, 7);
        assert_eq!(start(text, Family::V6).0.expect("fine").lease_file, b"l6");
    }

    #[test]
    fn wrong_lengths_end_the_server() {
        for (text, message) in [
            ("omapi-port = 01;", "invalid omapi port data length"),
            ("local-port = 01:02:03;", "invalid local port data length"),
            ("remote-port = 00;", "invalid remote port data length"),
            ("limited-broadcast-address = 01;", "invalid broadcast address data length"),
            ("local-address = 01;", "invalid local address data length"),
            ("ddns-update-style = 01:02;", "invalid dns update type"),
            ("ddns-update-style ad-hoc;", "ddns-update-style ad_hoc no longer supported"),
            ("log-facility = 01:02;", "invalid log facility"),
            ("delayed-ack = 01;", "invalid max delayed ACK count "),
            ("max-ack-delay = 01;", "invalid max ack delay configuration"),
            ("prefix-length-mode = 01:02;", "invalid prefix-len-mode"),
            ("abandon-lease-time = 01;", "invalid abandon-lease-time"),
            ("omapi-key nosuch;", "OMAPI key nosuch: not found"),
            ("log (fatal, \"over\");", "over"),
        ] {
            assert_eq!(fatal(text), message, "{text}");
        }
        assert!(start("ddns-local-address4 = 01;", Family::V4).0.is_ok(), "ignored");
    }

    #[test]
    fn option_reads_the_configuration() {
        let (globals, _) =
            start("option host-name \"name\"; lease-file-name = option host-name;", Family::V4);
        assert_eq!(globals.expect("fine").lease_file, b"name");
        let (globals, _) =
            start("option host-name \"name\"; lease-file-name = config-option host-name;", Family::V4);
        assert_eq!(globals.expect("fine").lease_file, b"leases");
    }
}
