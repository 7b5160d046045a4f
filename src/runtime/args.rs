//! The command line of dhcpd, exactly as ISC reads it.
//!
//! ISC goes over the words twice. The first pass only looks for what decides between daemon and foreground and for
//! `--version`, `--help`, `-h`, wherever they stand, even as the value of another flag ([`Scan`]). The second pass is
//! strictly from left to right, so that the first fault is the one that is reported. ISC also spells long flags with
//! one dash. [`Cli::read`] is that second pass: it turns each of ISC's flags into clap's form and refuses what ISC
//! refuses in ISC's words; what it lets through, clap cannot refuse any more.
//! Mirrors ISC `server/dhcpd.c:main`, `common/inet.c:validate_port`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::config::Family;
use crate::log::Line;

/// What `--version` prints, and what we present ourselves as in the banner.
pub const VERSION: &str = "4.4.3-P1";

/// The longest interface name the kernel knows (`IFNAMSIZ` without its final NUL).
const LONGEST_INTERFACE_NAME: usize = 15;

/// The four lines every dhcpd starts with.
pub fn banner() -> [Line; 4] {
    [
        Line::info(format!("Internet Systems Consortium DHCP Server {VERSION}")),
        Line::info("Copyright 2004-2022 Internet Systems Consortium."),
        Line::info("All rights reserved."),
        Line::info("For info, please visit https://www.isc.org/software/dhcp/"),
    ]
}

/// The usage text, without its final newline. `program` is the base name of `argv[0]`.
pub fn usage(program: &OsStr) -> Vec<u8> {
    let program = program.as_bytes();
    let mut text = b"Usage: ".to_vec();
    text.extend_from_slice(program);
    text.extend_from_slice(
        b" [-p <UDP port #>] [-f] [-d] [-q] [-t|-T]\n\
          \x20            [-4|-6] [-cf config-file] [-lf lease-file]\n\
          \x20            [-user user] [-group group] [-chroot dir]\n\
          \x20            [-tf trace-output-file]\n\
          \x20            [-play trace-input-file]\n\
          \x20            [-pf pid-file] [--no-pid] [-s server]\n\
          \x20            [if0 [...ifN]]\n\
          \x20      ",
    );
    text.extend_from_slice(program);
    text.extend_from_slice(b" {--version|--help|-h}");
    text
}

/// What `--help` prints after ISC's usage text: the flags that only we have.
const OUR_FLAGS: &str = "\
In addition to those of ISC dhcpd:
       --check                   check the configuration and say more than -t does
       --dump-config             print the configuration as the server understands it
       --log-format {text|json}  how log lines are written (text: as ISC dhcpd does)
";

/// What the first pass over the words found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scan {
    /// `--version` or `--help`: write this to stderr and exit with status 0.
    Tell(Vec<u8>),
    /// Serve, or test, or refuse: go on with [`Cli::read`].
    Run {
        /// Stay in the foreground (`-f`, `-d`, `-t`, `-T`, `-play`, or one of our own testing flags).
        foreground: bool,
    },
}

impl Scan {
    /// The first pass over `words`, which do not include the program name.
    pub fn over(program: &OsStr, words: &[OsString]) -> Self {
        let mut foreground = false;
        for word in words {
            match word.as_bytes() {
                b"-f" | b"-d" | b"-t" | b"-T" | b"-play" | b"--check" | b"--dump-config" => {
                    foreground = true;
                }
                b"--version" => return Self::Tell(format!("isc-dhcpd-{VERSION}\n").into_bytes()),
                b"--help" | b"-h" => {
                    let mut text = usage(program);
                    text.push(b'\n');
                    text.extend_from_slice(OUR_FLAGS.as_bytes());
                    return Self::Tell(text);
                }
                _ => {}
            }
        }
        Self::Run { foreground }
    }
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// As ISC dhcpd does.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The command line, read.
#[derive(Clone, Debug, Default, Parser)]
#[command(name = "dhcpd", disable_help_flag = true, disable_version_flag = true, args_override_self = true)]
pub struct Cli {
    /// `-p`: the port to listen on.
    #[arg(long)]
    pub port: Option<u16>,
    /// `-f`: stay in the foreground. Decided by [`Scan`]; kept for completeness.
    #[arg(long)]
    pub foreground: bool,
    /// `-d`: go on logging to stderr.
    #[arg(long)]
    pub debug: bool,
    /// `-q`: no banner, nothing on stderr.
    #[arg(long)]
    pub quiet: bool,
    /// `-t`: test the configuration.
    #[arg(long)]
    pub test_config: bool,
    /// `-T`: test the configuration and the lease file.
    #[arg(long)]
    pub test_leases: bool,
    /// `-4`.
    #[arg(long)]
    pub ipv4: bool,
    /// `-6`.
    #[arg(long)]
    pub ipv6: bool,
    /// `-cf`: configuration file.
    #[arg(long)]
    pub config_file: Option<PathBuf>,
    /// `-lf`: lease file.
    #[arg(long)]
    pub lease_file: Option<PathBuf>,
    /// `-pf`: pid file.
    #[arg(long)]
    pub pid_file: Option<PathBuf>,
    /// `--no-pid`: neither check nor write a pid file.
    #[arg(long)]
    pub no_pid: bool,
    /// `-s`: destination of replies instead of 255.255.255.255.
    #[arg(long)]
    pub server: Option<OsString>,
    /// `-user`.
    #[arg(long)]
    pub user: Option<OsString>,
    /// `-group`.
    #[arg(long)]
    pub group: Option<OsString>,
    /// `-chroot`.
    #[arg(long)]
    pub chroot: Option<PathBuf>,
    /// `-tf`: write a trace.
    #[arg(long)]
    pub trace_out: Option<PathBuf>,
    /// `-play`: replay a trace.
    #[arg(long)]
    pub trace_in: Option<PathBuf>,
    /// Ours, `--check`.
    #[arg(long)]
    pub check: bool,
    /// Ours, `--dump-config`.
    #[arg(long)]
    pub dump_config: bool,
    /// Ours, `--log-format`.
    #[arg(long, value_enum, default_value_t)]
    pub log_format: LogFormat,
    /// Interfaces to serve, in the order given.
    #[arg(last = true)]
    pub interfaces: Vec<OsString>,
}

/// The outcome of the second pass: what it logged on the way, and the command line or the fatal error that ended it.
#[derive(Debug)]
pub struct Reading {
    /// Lines logged before the end, in order.
    pub lines: Vec<Line>,
    /// The command line, or the text of the fatal error.
    pub outcome: Result<Cli, Vec<u8>>,
}

impl Cli {
    /// The second pass over `words`, which do not include the program name.
    pub fn read(program: &OsStr, words: &[OsString]) -> Reading {
        let mut lines = Vec::new();
        let outcome = translate(program, words, &mut lines).and_then(|translated| {
            // `translate` has refused everything clap could; a refusal here would be a flag missing in `Cli`.
            Cli::try_parse_from(translated).map_err(|error| error.to_string().into_bytes())
        });
        Reading { lines, outcome }
    }

    /// The address family asked for.
    pub fn family(&self) -> Family {
        if self.ipv6 { Family::V6 } else { Family::V4 }
    }
}

/// A flag: as ISC (or we) spell it, as clap does, and whether a value follows.
const FLAGS: &[(&str, &str, bool)] = &[
    ("-p", "--port", true),
    ("-f", "--foreground", false),
    ("-d", "--debug", false),
    ("-s", "--server", true),
    ("-user", "--user", true),
    ("-group", "--group", true),
    ("-chroot", "--chroot", true),
    ("-cf", "--config-file", true),
    ("-lf", "--lease-file", true),
    ("-pf", "--pid-file", true),
    ("--no-pid", "--no-pid", false),
    ("-t", "--test-config", false),
    ("-T", "--test-leases", false),
    ("-q", "--quiet", false),
    ("-4", "--ipv4", false),
    ("-6", "--ipv6", false),
    ("-tf", "--trace-out", true),
    ("-play", "--trace-in", true),
    ("--check", "--check", false),
    ("--dump-config", "--dump-config", false),
    ("--log-format", "--log-format", true),
];

/// Turns ISC's words into clap's, or says why ISC would not have them.
fn translate(program: &OsStr, words: &[OsString], lines: &mut Vec<Line>) -> Result<Vec<OsString>, Vec<u8>> {
    let mut translated = vec![program.to_owned()];
    let mut interfaces = Vec::new();
    let mut family = None;
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let octets = word.as_bytes();
        let Some(&(flag, long, takes_value)) = FLAGS.iter().find(|(flag, ..)| flag.as_bytes() == octets)
        else {
            if octets.starts_with(b"-") {
                return Err(usage_error(program, lines, b"Unknown command ", octets, b""));
            }
            if octets.len() > LONGEST_INTERFACE_NAME {
                let length = octets.len();
                return Err([octets, format!(": interface name too long (is {length})").as_bytes()].concat());
            }
            interfaces.push(word.clone());
            continue;
        };
        if !takes_value {
            if flag == "-4" || flag == "-6" {
                if family.is_some_and(|chosen| chosen != flag) {
                    return Err(b"Server cannot run in both IPv4 and IPv6 mode at the same time.".to_vec());
                }
                family = Some(flag);
            }
            translated.push(long.into());
            continue;
        }
        let Some(value) = rest.next() else {
            return Err(usage_error(program, lines, b"No argument for command: ", octets, b" "));
        };
        let value = match flag {
            "-p" => {
                let port = validate_port(value.as_bytes())?;
                lines.push(Line::debug(format!("binding to user-specified port {port}")));
                OsString::from(port.to_string())
            }
            "--log-format" if !matches!(value.as_bytes(), b"text" | b"json") => {
                return Err([b"Unknown log format: ", value.as_bytes()].concat());
            }
            _ => value.clone(),
        };
        let mut joined = OsString::from(long).into_vec();
        joined.push(b'=');
        joined.extend_from_slice(value.as_bytes());
        translated.push(OsString::from_vec(joined));
    }
    translated.push("--".into());
    translated.append(&mut interfaces);
    Ok(translated)
}

/// The banner and the specific error go out as lines; the usage text is the fatal error (`usage()` of dhcpd.c).
fn usage_error(program: &OsStr, lines: &mut Vec<Line>, before: &[u8], word: &[u8], after: &[u8]) -> Vec<u8> {
    lines.extend(banner());
    lines.push(Line::error([before, word, after].concat()));
    usage(program)
}

/// A port as `strtol` in base 10 reads it: leading white space and a sign are fine, trailing characters are not.
///
/// # Errors
/// The text of the fatal error.
pub fn validate_port(text: &[u8]) -> Result<u16, Vec<u8>> {
    let invalid = || [b"Invalid port number specification: ", text].concat();
    let blanks = text.iter().take_while(|octet| octet.is_ascii_whitespace() || **octet == 0x0b).count();
    let number = &text[blanks..];
    let (negative, digits) = match number.split_first() {
        Some((b'-', digits)) => (true, digits),
        Some((b'+', digits)) => (false, digits),
        _ => (false, number),
    };
    let mut value: i64 = 0;
    if digits.is_empty() {
        // strtol converts nothing and leaves the end pointer at the start: only an empty string passes that test.
        if !text.is_empty() {
            return Err(invalid());
        }
    }
    for digit in digits {
        if !digit.is_ascii_digit() {
            return Err(invalid());
        }
        let next = value.checked_mul(10).and_then(|value| value.checked_add(i64::from(digit - b'0')));
        value = next.ok_or_else(invalid)?;
    }
    let value = if negative { -value } else { value };
    match u16::try_from(value) {
        Ok(port) if port != 0 => Ok(port),
        _ => Err(b"Port number specified is out of range (1-65535).".to_vec()),
    }
}

/// The base name of `argv[0]`: what stands after its last slash (ISC `isc_file_basename`).
pub fn program_name(argv0: Option<&OsStr>) -> OsString {
    let Some(argv0) = argv0 else { return "dhcpd".into() };
    let octets = argv0.as_bytes();
    let start = octets.iter().rposition(|octet| *octet == b'/').map_or(0, |slash| slash + 1);
    OsStr::from_bytes(&octets[start..]).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const USAGE: &str = "\
Usage: dhcpd [-p <UDP port #>] [-f] [-d] [-q] [-t|-T]
             [-4|-6] [-cf config-file] [-lf lease-file]
             [-user user] [-group group] [-chroot dir]
             [-tf trace-output-file]
             [-play trace-input-file]
             [-pf pid-file] [--no-pid] [-s server]
             [if0 [...ifN]]
       dhcpd {--version|--help|-h}";

    fn words(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(OsString::from).collect()
    }

    fn read(text: &str) -> Reading {
        Cli::read(OsStr::new("dhcpd"), &words(text))
    }

    fn refused(text: &str) -> String {
        String::from_utf8(read(text).outcome.expect_err("must be refused")).expect("ASCII")
    }

    #[test]
    fn usage_text_is_isc_s() {
        assert_eq!(usage(OsStr::new("dhcpd")), USAGE.as_bytes());
    }

    #[test]
    fn help_begins_with_isc_s_text_and_version_is_isc_s() {
        let Scan::Tell(help) = Scan::over(OsStr::new("dhcpd"), &words("-cf -h")) else { panic!("no help") };
        assert!(help.starts_with(format!("{USAGE}\n").as_bytes()));
        let scan = Scan::over(OsStr::new("x"), &words("-foo --version --help"));
        assert_eq!(scan, Scan::Tell(b"isc-dhcpd-4.4.3-P1\n".to_vec()));
    }

    #[test]
    fn foreground_is_found_even_as_a_value() {
        assert_eq!(Scan::over(OsStr::new("x"), &words("-cf -f")), Scan::Run { foreground: true });
        assert_eq!(Scan::over(OsStr::new("x"), &words("-q eth0")), Scan::Run { foreground: false });
        assert_eq!(Scan::over(OsStr::new("x"), &words("--dump-config -6")), Scan::Run { foreground: true });
        let cli = read("--dump-config -6 -cf a").outcome.expect("fine");
        assert!(cli.dump_config && !cli.test_config && cli.family() == Family::V6);
    }

    #[test]
    fn unknown_word_and_missing_value() {
        let reading = read("-q -foo -p abc");
        assert_eq!(reading.outcome.expect_err("refused"), USAGE.as_bytes());
        assert_eq!(reading.lines[..4], banner());
        assert_eq!(reading.lines[4], Line::error("Unknown command -foo"));
        let reading = read("-4 -cf");
        assert_eq!(reading.lines[4], Line::error("No argument for command: -cf "));
        assert!(read("-4o6 67").outcome.is_err());
        assert!(read("--foreground").outcome.is_err());
        assert!(read("--").outcome.is_err());
    }

    #[test]
    fn the_first_fault_counts() {
        assert_eq!(refused("-p abc -foo"), "Invalid port number specification: abc");
        assert_eq!(refused("-4 -6 -foo"), "Server cannot run in both IPv4 and IPv6 mode at the same time.");
        assert_eq!(refused("abcdefghijklmnop -foo"), "abcdefghijklmnop: interface name too long (is 16)");
    }

    #[test]
    fn ports() {
        assert_eq!(validate_port(b"67"), Ok(67));
        assert_eq!(validate_port(b" +0067"), Ok(67));
        for out_of_range in ["0", "65536", "-1", ""] {
            assert_eq!(
                validate_port(out_of_range.as_bytes()),
                Err(b"Port number specified is out of range (1-65535).".to_vec())
            );
        }
        for invalid in ["abc", "67x", "67 ", "-", "99999999999999999999"] {
            assert_eq!(
                validate_port(invalid.as_bytes()),
                Err(format!("Invalid port number specification: {invalid}").into_bytes())
            );
        }
    }

    #[test]
    fn flags_values_and_interfaces_in_any_order() {
        let reading =
            read("eth1 -cf -weird -p 1067 -lf a -lf b eth0 -user nobody -T -q --log-format json -4 -4");
        assert_eq!(reading.lines, [Line::debug("binding to user-specified port 1067")]);
        let cli = reading.outcome.expect("fine");
        assert_eq!(cli.interfaces, ["eth1", "eth0"]);
        assert_eq!(cli.config_file, Some("-weird".into()));
        assert_eq!(cli.lease_file, Some("b".into()));
        assert_eq!(cli.port, Some(1067));
        assert_eq!(cli.user, Some("nobody".into()));
        assert!(cli.test_leases && cli.quiet && !cli.test_config && cli.ipv4);
        assert_eq!(cli.family(), Family::V4);
        assert_eq!(cli.log_format, LogFormat::Json);
    }

    #[test]
    fn octets_that_are_not_text_pass() {
        let word = OsString::from_vec(vec![0xff, b'a']);
        let cli = Cli::read(OsStr::new("dhcpd"), &["-cf".into(), word.clone(), word.clone(), "".into()]);
        let cli = cli.outcome.expect("fine");
        assert_eq!(cli.config_file, Some(PathBuf::from(word.clone())));
        assert_eq!(cli.interfaces, [word, OsString::new()]);
    }

    #[test]
    fn program_names() {
        assert_eq!(program_name(Some(OsStr::new("/x/y/foo"))), "foo");
        assert_eq!(program_name(Some(OsStr::new("foo"))), "foo");
        assert_eq!(program_name(None), "dhcpd");
    }
}
