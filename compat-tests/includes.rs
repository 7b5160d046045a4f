//! `include` where a scenario cannot show it: thousands of files, files of any octets, files the user may not read, files
//! that include themselves. Where the real dhcpd is installed, both must say the same, octet for octet.

// The outside world is what is compared here.
#![allow(clippy::disallowed_methods)]

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use tempfile::TempDir;

/// Names and contents.
type Files<'a> = &'a [(&'a str, &'a [u8])];

/// A folder with these files; others may look into it.
fn folder(files: Files) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder for the test");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("opened");
    for (name, octets) in files {
        fs::write(folder.path().join(name), octets).expect("written");
    }
    folder
}

/// `dhcpd -t` on a file of that folder: how it ended, and its standard error.
fn check(dhcpd: &Path, folder: &Path, file: &str, user: Option<u32>) -> (ExitStatus, String) {
    let mut command = Command::new(dhcpd);
    command.args(["-t", "-cf", file]).current_dir(folder);
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
    let output = command.output().expect("dhcpd runs");
    (output.status, output.stderr.iter().map(|octet| char::from(*octet)).collect())
}

fn subject() -> PathBuf {
    env::var_os("RELET_SUBJECT").map_or(env!("CARGO_BIN_EXE_dhcpd").into(), PathBuf::from)
}

fn oracle() -> Option<PathBuf> {
    let path = env::var_os("RELET_ORACLE").map_or("/usr/sbin/dhcpd".into(), PathBuf::from);
    if path.exists() {
        return Some(path);
    }
    assert!(env::var_os("RELET_REQUIRE_ORACLE").is_none_or(|v| v != "1"), "the oracle is required");
    println!("no oracle ({}): nothing to compare with", path.display());
    None
}

/// Ours ends like this; the real dhcpd does and says just the same. Gives back what was said.
#[track_caller]
fn alike(folder: &Path, file: &str, accepted: bool) -> String {
    let (status, said) = check(&subject(), folder, file, None);
    assert_eq!(status.code(), Some(i32::from(!accepted)), "{said}");
    if let Some(oracle) = oracle() {
        let theirs = check(&oracle, folder, file, None);
        assert_eq!((status.code(), said.as_str()), (theirs.0.code(), theirs.1.as_str()));
    }
    said
}

#[test]
fn thousands_of_files() {
    const FILES: usize = 3000;
    let folder = folder(&[]);
    let mut all = String::from("subnet 10.0.0.0 netmask 255.0.0.0 { }\n");
    for n in 0..FILES {
        let text = format!(
            "host h{n} {{ hardware ethernet 2:0:0:0:{:x}:{:x}; fixed-address 10.1.{}.{}; }}\n",
            n / 256,
            n % 256,
            n / 256,
            n % 256
        );
        fs::write(folder.path().join(format!("host-{n}.conf")), text).expect("written");
        all += &format!("include \"host-{n}.conf\";\n");
    }
    fs::write(folder.path().join("dhcpd.conf"), &all).expect("written");
    alike(folder.path(), "dhcpd.conf", true);

    let in_blocks = all.replace("include", "group { include").replace("\";\n", "\"; }\n");
    fs::write(folder.path().join("groups.conf"), in_blocks).expect("written");
    alike(folder.path(), "groups.conf", true);

    fs::write(folder.path().join("host-2777.conf"), "\n\nhost h2776 { }\nnonsense here;\n").expect("written");
    let said = alike(folder.path(), "dhcpd.conf", false);
    for place in ["host-2777.conf line 3: ", "host-2777.conf line 4: ", "dhcpd.conf line 2779: "] {
        assert!(said.contains(place), "{said}");
    }
}

#[test]
fn any_octets() {
    let cases: [(&str, &[u8], bool); 15] = [
        ("no newline", b"option domain-name \"x\";", true),
        ("comment at the end", b"max-lease-time 600; # the last", true),
        ("only a comment", b"#", true),
        ("nothing", b"", true),
        ("blank", b"\n\n \t\r\n", true),
        ("CRLF", b"option domain-name \"x\";\r\nmax-lease-time 600;\r\n", true),
        ("0xff ends it", b"max-lease-time 600;\n\xff nonsense {", true),
        ("0xff in the middle of a statement", b"max-lease-time \xff 600;", false),
        ("NUL between statements", b"max-lease-time 600;\n\0min-lease-time 60;", true),
        ("Latin-1 in a string", b"option domain-name \"\xfcber\";", true),
        ("Latin-1 outside", b"option \xfcber 1;", false),
        ("no newline, no semicolon", b"max-lease-time 600", false),
        ("no newline, no brace", b"group { max-lease-time 600;", false),
        ("no newline, no quote", b"option domain-name \"x;", false),
        ("half a word", b"max-lease-ti", false),
    ];
    for (name, octets, accepted) in cases {
        let before = "include \"part\";\nsubnet 10.0.0.0 netmask 255.0.0.0 { include \"part\"; }\n";
        let folder = folder(&[("part", octets), ("dhcpd.conf", before.as_bytes())]);
        println!("{name}");
        alike(folder.path(), "dhcpd.conf", accepted);
        // And where the rest of the including file would make it whole.
        for after in [" 600;\n", ";\n", "\";\n", "}\n"] {
            fs::write(folder.path().join("after.conf"), format!("include \"part\";{after}"))
                .expect("written");
            alike(folder.path(), "after.conf", false);
        }
    }
}

#[test]
fn devices_and_links() {
    let folder =
        folder(&[("dhcpd.conf", b"include \"/dev/null\"; include \"link\"; include \"dangling\";\n")]);
    fs::write(folder.path().join("real"), "max-lease-time 600;\n").expect("written");
    std::os::unix::fs::symlink("real", folder.path().join("link")).expect("linked");
    std::os::unix::fs::symlink("gone", folder.path().join("dangling")).expect("linked");
    let said = alike(folder.path(), "dhcpd.conf", false);
    assert!(said.contains("Can't open dangling: No such file or directory\n"), "{said}");
    std::os::unix::fs::symlink("ring", folder.path().join("ring")).expect("linked");
    fs::write(folder.path().join("dhcpd.conf"), "include \"ring\";").expect("written");
    let said = alike(folder.path(), "dhcpd.conf", false);
    assert!(said.contains("Can't open ring: Too many levels of symbolic links\n"), "{said}");
}

/// Root may read everything, so somebody else has to try.
#[test]
fn files_that_must_not_be_read() {
    const NOBODY: u32 = 65534;
    let root = nix::unistd::geteuid().is_root();
    let folder = folder(&[("secret", b"max-lease-time 600;"), ("dhcpd.conf", b"include \"secret\";")]);
    fs::set_permissions(folder.path().join("secret"), fs::Permissions::from_mode(0o000)).expect("closed");
    // Where the server was built is nobody's business.
    let ours = folder.path().join("ours");
    fs::copy(subject(), &ours).expect("copied");
    let (status, said) = check(&ours, folder.path(), "dhcpd.conf", root.then_some(NOBODY));
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("Can't open secret: Permission denied\n"), "{said}");
    if let Some(oracle) = oracle() {
        let theirs = check(&oracle, folder.path(), "dhcpd.conf", root.then_some(NOBODY));
        assert_eq!((Some(1), said.as_str()), (theirs.0.code(), theirs.1.as_str()));
    }
}

/// D103 of dhcpd-differences(7): the real dhcpd overflows its stack.
#[test]
fn files_that_include_themselves() {
    let cases: [(Files, &str); 4] = [
        (&[("dhcpd.conf", b"\ninclude \"dhcpd.conf\";\n")], "dhcpd.conf line 2: "),
        (
            &[
                ("dhcpd.conf", b"include \"a\";\n"),
                ("a", b"\n\ninclude \"b\";\n"),
                ("b", b"include \"a\";\n"),
            ],
            "b line 1: ",
        ),
        (
            &[("dhcpd.conf", b"group { include \"a\"; }\n"), ("a", b"group { include \"dhcpd.conf\"; }\n")],
            "a line 1: ",
        ),
        (&[("dhcpd.conf", b"\ninclude \"./dhcpd.conf\";\n")], "./dhcpd.conf line 2: "),
    ];
    for (files, place) in cases {
        let folder = folder(files);
        let (status, said) = check(&subject(), folder.path(), "dhcpd.conf", None);
        assert_eq!(status.code(), Some(1), "{said}");
        let line = said.lines().find(|line| line.starts_with(place));
        assert!(line.is_some_and(|line| line.contains("includes itself")), "{place}: {said}");
        assert!(said.contains("Configuration file errors encountered -- exiting\n"), "{said}");
        if let Some(oracle) = oracle() {
            let (status, said) = check(&oracle, folder.path(), "dhcpd.conf", None);
            assert!(
                status.signal().is_some() || status.code().is_some_and(|code| code > 1),
                "D103 is over: {said}"
            );
        }
    }
}

/// Files `0` to `depth`, each including the next; the first is given to dhcpd.
fn chain(depth: usize) -> TempDir {
    let folder = folder(&[]);
    for n in 0..=depth {
        let next = if n < depth { format!("include \"{}\";\n", n + 1) } else { String::new() };
        fs::write(folder.path().join(n.to_string()), format!("max-lease-time {};\n{next}", n + 600))
            .expect("written");
    }
    folder
}

/// D103: fifty files deep, and no more.
#[test]
fn files_in_files() {
    alike(chain(relet::syntax::MAX_INCLUDE_DEPTH).path(), "0", true);
    let folder = chain(relet::syntax::MAX_INCLUDE_DEPTH + 1);
    let (status, said) = check(&subject(), folder.path(), "0", None);
    assert_eq!(status.code(), Some(1), "{said}");
    let place = format!("{} line 2: ", relet::syntax::MAX_INCLUDE_DEPTH);
    let line = said.lines().find(|line| line.starts_with(&place));
    assert!(line.is_some_and(|line| line.ends_with(": more than 50 files include each other.")), "{said}");
}
