//! What is not built yet ends the server with a message that names it, and status 1; `-t` takes the same configuration
//! as dhcpd does (D901 to D905 of dhcpd-differences(7)).

// The outside world is what is tested here.
#![allow(clippy::disallowed_methods)]

use std::process::Command;

/// Exit status and stderr of the server on a configuration, with these flags in front.
fn dhcpd(config: &str, flags: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("dhcpd.conf"), config).expect("written");
    std::fs::write(path("dhcpd.leases"), "").expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_dhcpd"))
        .args(flags)
        .args(["-f", "-cf", "dhcpd.conf", "-lf", "dhcpd.leases", "-pf", "dhcpd.pid"])
        .current_dir(folder.path())
        .output()
        .expect("the server runs");
    assert_eq!(std::fs::read(path("dhcpd.leases")).expect("still there"), b"", "the lease file is untouched");
    assert!(!path("dhcpd.pid").exists(), "no pid file is left");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[track_caller]
fn refused(config: &str, flags: &[&str], message: &str) {
    let (status, stderr) = dhcpd(config, flags);
    assert_eq!(status, Some(1), "{stderr}");
    assert!(stderr.lines().any(|line| line == message), "{message}\n--\n{stderr}");
}

#[test]
fn statements_whose_meaning_is_not_there_yet() {
    let subnet = "subnet 10.0.0.0 netmask 255.0.0.0 { pool { failover peer \"x\"; range 10.0.0.1; } }";
    let peer =
        "failover peer \"x\" { primary; address 10.0.0.2; peer address 10.0.0.3; mclt 60; split 128; }\n";
    for (config, message) in [
        (format!("{peer}{subnet}"), "dhcpd.conf line 1: failover peer is not built yet."),
        ("\nomapi-port 7911;".to_owned(), "dhcpd.conf line 2: omapi-port is not built yet."),
        (
            "ddns-update-style interim;".to_owned(),
            "dhcpd.conf line 1: ddns-update-style other than none is not built yet.",
        ),
    ] {
        refused(&config, &[], message);
        let (status, stderr) = dhcpd(&config, &["-t"]);
        assert_eq!(status, Some(0), "{stderr}");
    }
}

#[test]
fn flags_whose_meaning_is_not_there_yet() {
    refused("", &["-6"], "Serving DHCPv6 (-6) is not built yet.");
    refused("", &["-tf", "trace"], "Writing a trace (-tf) is not built yet.");
    refused("", &["-play", "trace"], "Replaying a trace (-play) is not built yet.");
}
