//! Programs that read the lease files of ISC dhcpd read ours: dhcpd-pools, dhcp-lease-list, the Python and the Perl
//! module, and the real dhcpd itself. Each gets the file that the real dhcpd has rewritten and the one that ours has,
//! and must say the same.
//!
//! The two files are equal octet for octet (`lease_files` holds that for many more), so what other programs make of
//! them cannot differ either; this test shows that with those that Debian has. One that is not installed is named, and
//! passed over.

// The outside world is what is tested here.
#![allow(clippy::disallowed_methods)]

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const CONFIG: &str = r#"
ddns-update-style none;
class "port" { spawn with option agent.circuit-id; lease limit 9; }
shared-network office {
  subnet 10.0.0.0 netmask 255.255.255.0 { range 10.0.0.10 10.0.0.200; }
  subnet 10.0.1.0 netmask 255.255.255.0 { range 10.0.1.10 10.0.1.200; }
}
subnet 10.0.2.0 netmask 255.255.255.0 { range 10.0.2.10 10.0.2.60; }
"#;

/// Leases in all states, with all statements.
fn leases() -> String {
    let mut text = String::new();
    for n in 0..120u32 {
        let (third, last) = (n % 3, 10 + n / 3);
        let state =
            ["active", "active", "free", "abandoned", "expired", "released", "active"][n as usize % 7];
        let end = if matches!(state, "active" | "abandoned") { 2036 } else { 2021 };
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "lease 10.0.{third}.{last} {{\n  starts 2 2020/11/24 12:00:{:02};\n  ends 2 {end}/11/25 13:{:02}:00;\n  \
             tstp 2 {end}/11/25 13:{:02}:00;\n  cltt 2 2020/11/24 12:00:00;\n  binding state {state};\n",
            n % 60,
            n % 60,
            n % 60
        );
        if state == "active" {
            text.push_str("  next binding state free;\n  rewind binding state free;\n");
        }
        if n % 11 == 0 && state == "active" {
            let _ = writeln!(text, "  billing subclass \"port\" \"p{n}\";");
        }
        if state != "abandoned" {
            let _ = writeln!(text, "  hardware ethernet 02:00:00:00:{:02x}:{:02x};", n / 16, n % 256);
            if n % 2 == 0 {
                let _ = writeln!(text, "  uid \"\\001\\002\\000\\\"\\\\a{n}\\377\";");
            }
            if n % 5 == 0 {
                text.push_str(
                    "  set vendor-class-identifier = \"MSFT 5.0\";\n  set n = %7;\n  set truth = true;\n",
                );
                text.push_str("  option agent.circuit-id \"port\";\n  option agent.remote-id 1:2:ff;\n");
            }
            let _ = writeln!(text, "  client-hostname \"pc-{n}\";");
            if n % 13 == 0 && state == "active" {
                text.push_str("  on expiry or release {\n    log (info, \"over\");\n  }\n");
            }
        }
        text.push_str("}\n");
    }
    text
}

/// What a server leaves of the leases: it ends where it finds no interface to serve.
fn rewritten(server: &Path, folder: &Path, leases: &str) -> Vec<u8> {
    fs::create_dir(folder).expect("made");
    fs::write(folder.join("dhcpd.conf"), CONFIG).expect("written");
    fs::write(folder.join("dhcpd.leases"), leases).expect("written");
    let run = Command::new(server)
        .args(["-4", "-f", "-d", "-cf", "dhcpd.conf", "-lf", "dhcpd.leases", "-pf", "dhcpd.pid", "lo"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("the server runs");
    assert_eq!(run.status.code(), Some(1), "{}", String::from_utf8_lossy(&run.stderr));
    let file = fs::read(folder.join("dhcpd.leases")).expect("there");
    assert!(file.starts_with(b"# The format of this file"), "{}", String::from_utf8_lossy(&run.stderr));
    file
}

/// A program and how it is asked about `dhcpd.leases` in its directory.
struct Tool {
    name: &'static str,
    package: &'static str,
    command: &'static [&'static str],
    /// It is there when this runs well.
    there: &'static [&'static str],
}

const PYTHON: &str = "
from isc_dhcp_leases import IscDhcpLeases
for lease in IscDhcpLeases('dhcpd.leases').get(include_backups=True):
    print(lease.ip, lease.ethernet, lease.hostname, lease.start, lease.end, lease.binding_state, lease.valid, lease.active,
          lease.hardware, sorted(lease.options.items()), sorted(lease.sets.items()))
";
const PERL: &str = "
use Text::DHCPLeases; use Data::Dumper; $Data::Dumper::Sortkeys = 1;
my $leases = Text::DHCPLeases->new(file => 'dhcpd.leases');
print Dumper($_) for $leases->get_objects();
";

const TOOLS: &[Tool] = &[
    Tool {
        name: "dhcpd-pools",
        package: "dhcpd-pools",
        command: &["dhcpd-pools", "-c", "dhcpd.conf", "-l", "dhcpd.leases", "-f", "j", "-L", "77"],
        there: &["dhcpd-pools", "--version"],
    },
    Tool {
        name: "dhcp-lease-list",
        package: "isc-dhcp-server",
        command: &["dhcp-lease-list", "--parsable", "--all", "--lease", "dhcpd.leases"],
        there: &["sh", "-c", "command -v dhcp-lease-list"],
    },
    Tool {
        name: "python3-isc-dhcp-leases",
        package: "python3-isc-dhcp-leases",
        command: &["/usr/bin/python3", "-c", PYTHON],
        there: &["/usr/bin/python3", "-c", "import isc_dhcp_leases"],
    },
    Tool {
        name: "Text::DHCPLeases",
        package: "libtext-dhcpleases-perl",
        command: &["perl", "-e", PERL],
        there: &["perl", "-MText::DHCPLeases", "-e", "1"],
    },
];

fn command(words: &[&str], folder: &Path) -> Option<Command> {
    let (program, arguments) = words.split_first()?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).env("TZ", "UTC").stdin(Stdio::null());
    command.env("PATH", format!("{}:/usr/sbin:/sbin", env::var("PATH").unwrap_or_default()));
    Some(command)
}

/// Standard output of a tool over the file in a folder.
fn told(tool: &Tool, folder: &Path) -> String {
    let run = command(tool.command, folder).and_then(|mut command| command.output().ok());
    let run = run.unwrap_or_else(|| panic!("{} does not run", tool.name));
    assert!(run.status.success(), "{}: {}", tool.name, String::from_utf8_lossy(&run.stderr));
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    // The last is about who reads it.
    text.lines()
        .filter(|line| !line.contains("dhcpd.leases") && !line.contains("mtime"))
        .fold(String::new(), |all, line| all + line + "\n")
}

#[test]
fn programs_that_read_lease_files_read_ours() {
    let oracle = env::var_os("RELET_ORACLE").map_or_else(|| PathBuf::from("/usr/sbin/dhcpd"), PathBuf::from);
    if !oracle.exists() {
        assert!(env::var_os("RELET_REQUIRE_ORACLE").is_none(), "{} is not there", oracle.display());
        eprintln!("{} is absent: nothing to compare with", oracle.display());
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for the test");
    let (theirs, ours) = (folder.path().join("theirs"), folder.path().join("ours"));
    let subject = Path::new(env!("CARGO_BIN_EXE_dhcpd"));
    let written = rewritten(subject, &ours, &leases());
    assert!(rewritten(&oracle, &theirs, &leases()) == written, "the files are equal");
    for tool in TOOLS {
        let there = command(tool.there, folder.path())
            .and_then(|mut command| command.stdout(Stdio::null()).stderr(Stdio::null()).status().ok());
        if !there.is_some_and(|status| status.success()) {
            eprintln!("{} is not installed (package {}): passed over", tool.name, tool.package);
            continue;
        }
        let (a, b) = (told(tool, &theirs), told(tool, &ours));
        assert!(a.len() > 500, "{} has something to say: {a}", tool.name);
        assert_eq!(a, b, "{}", tool.name);
    }
    // Each takes over what the other wrote, and changes nothing more.
    let text = String::from_utf8(written.clone()).expect("text");
    for (name, server) in [("back", oracle.as_path()), ("again", subject)] {
        let back = rewritten(server, &folder.path().join(name), &text);
        // Variables are a stack: each reading turns their order.
        let sorted = |file: &[u8]| {
            let mut lines: Vec<String> = String::from_utf8_lossy(file).lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!(sorted(&back), sorted(&written), "{name}");
    }
}
