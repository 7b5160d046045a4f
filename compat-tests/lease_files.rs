//! Holds the reading and rewriting of whole lease files against the real dhcpd: what `-T` says, what a start says, and
//! the file it leaves, which must be equal octet for octet. So every program that reads the lease files of ISC dhcpd
//! reads ours.
//!
//! Files: those below, damaged ones made of them with a fixed seed (something cut out, put in twice, a token lost), and
//! where they are at hand the collected ones (`RELET_SHARED`, by default `../shared`). No interface is served, so both
//! servers end after they have rewritten the file.

// The outside world is what is compared here.
#![allow(clippy::disallowed_methods)]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A configuration for the files below and for what is made of them.
const CONFIG: &str = r#"
option custom code 222 = text;
group gstat { option domain-name "gstat"; }
class "cstat" { match hardware; lease limit 4; }
class "spawner" { spawn with option agent.circuit-id; lease limit 2; }
host hstat { hardware ethernet 2:0:0:0:0:1; }
subnet 10.0.0.0 netmask 255.255.255.0 { range 10.0.0.10 10.0.0.60; }
subnet 10.0.1.0 netmask 255.255.255.0 { pool { range 10.0.1.10 10.0.1.60; } pool { range 10.0.1.100 10.0.1.160; } }
"#;

const LEASES: &str = r#"# The format of this file is documented in the dhcpd.leases(5) manual page.
# This lease file was written by isc-dhcp-4.4.3-P1

# authoring-byte-order entry is generated, DO NOT DELETE
authoring-byte-order little-endian;

lease 10.0.0.10 {
  starts 0 2020/11/22 00:00:00;
  ends 6 2036/11/22 13:00:00;
  tstp 6 2036/11/22 13:00:00;
  tsfp 6 2036/11/22 13:00:00;
  atsfp 6 2036/11/22 13:00:00;
  cltt 0 2020/11/22 00:00:00;
  binding state active;
  next binding state free;
  rewind binding state free;
  billing subclass "spawner" "circ";
  hardware ethernet 02:00:00:00:00:20;
  uid "\001\002\000\"\\ab\377";
  set vendor-class-identifier = "MSFT 5.0";
  set number = %-42;
  set truth = true;
  set octets = "\000\001";
  option agent.circuit-id "port1";
  option agent.remote-id 1:2:ff:0;
  client-hostname "pc-1";
  on expiry {
    set late = concat ("a", binary-to-ascii (10, 8, ".", leased-address));
    log (info, "gone");
  }
  on release {
    unset late;
    if option custom = "x" {
      log (error, option custom);
    } else {
      execute ("true", "a", hardware);
    }
  }
}
lease 10.0.0.11 {
  starts epoch 1700000000; # a comment
  ends never;
  binding state active;
  reserved;
  dynamic-bootp;
  billing class "cstat";
  hardware token-ring 02:00:00:00:00:21;
}
lease 10.0.1.12 {
  starts 2 2020/11/24 12:00:00;
  ends 2 2020/11/24 13:00:00;
  tstp 2 2020/11/24 13:00:00;
  cltt 2 2020/11/24 12:00:00;
  binding state free;
  hardware ethernet 02:00:00:00:00:22;
  uid 01:02:00:00:00:00:22;
}
lease 10.0.1.101 {
  starts 2 2020/11/24 12:00:00;
  ends 2 2036/11/25 13:00:00;
  binding state abandoned;
  next binding state free;
  client-hostname "declined";
}
lease 10.0.1.102 {
  starts 2 2020/11/24 12:00:00;
  ends 2 2020/11/24 13:00:00;
  binding state active;
  next binding state free;
  rewind binding state free;
  hardware unknown-7 01:02;
  option agent.unknown-9 41:42;
  on expiry or release {
    log (info, "over");
  }
}
lease 10.0.1.10 {
  starts 2 2020/11/24 12:00:00;
  ends 2 2020/11/24 13:00:00;
  binding state released;
  hardware ethernet 02:00:00:00:00:23;
}
lease 10.0.0.10 {
  starts 0 2021/11/22 00:00:00;
  ends 6 2037/11/22 13:00:00;
  binding state active;
  billing subclass "cstat" 01:02:03;
  hardware ethernet 02:00:00:00:00:24;
}
server-duid "\000\001\000\001\346\000\000\001\002\000\000\000\231\001";

"#;

const DECLARATIONS: &str = r#"class "cdyn" {
  dynamic;
  lease limit 3;
  match if option vendor-class-identifier = "foo";
  match 
     substring (option user-class, 0, 4);
  option domain-name "x";
}

subclass "cdyn" "sub1" {
  dynamic;
  lease limit 9;
}

subclass "cdyn" 01:02:ff {
  dynamic;
}

subclass "cstat" "st1" {
  dynamic;
  option routers 10.0.0.1;
}

subclass "spawner" "abc";
group gdyn {
  dynamic;
        supersede domain-name = "gdyn";
        supersede server.default-lease-time = 00:00:00:05;
}
group gone {
  dynamic;
        supersede domain-name = "gone";
}
group gone {
  deleted;
        supersede domain-name = "gone";
}
host h1 {
  dynamic;
  hardware ethernet 02:00:00:00:00:11;
  uid "abc";
  fixed-address 10.0.0.100,10.0.0.101;
  group "gdyn";
        supersede host-name = "h1";
        supersede server.default-lease-time = 00:00:00:05;
}
host h2 {
  dynamic;
  hardware ethernet 02:00:00:00:00:12;
  group "gstat";
}
host h3.example.org {
  dynamic;
  uid 01:02:ff;
        supersede routers = 0a:00:00:01;
        if known {
          log (info, "x");
        }
        on commit {
          set a = pick-first-value (option host-name, "none");
        }
}
host h4 {
  dynamic;
  hardware ethernet 02:00:00:00:00:14;
}
host h4 {
  dynamic;
  deleted;
}
host hstat {
  deleted;
}
lease 10.0.0.10 {
  starts 0 2020/11/22 00:00:00;
  ends 6 2036/11/22 13:00:00;
  binding state active;
  hardware ethernet 02:00:00:00:00:20;
}
host h5 {
  dynamic;
  hardware ethernet 02:00:00:00:00:15;
}
"#;

/// One way to run a server over a lease file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    /// `-T`
    Test,
    /// A start on an interface without a subnet.
    Start,
}

/// What a server did with a lease file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Outcome {
    /// 124 for a hang.
    status: i32,
    /// Lines after those about the files it reads.
    said: String,
    leases: Vec<u8>,
}

fn ask(binary: &Path, run: Run, config: &[u8], leases: &[u8]) -> Outcome {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = |name: &str| folder.path().join(name);
    fs::write(path("dhcpd.conf"), config).expect("written");
    fs::write(path("dhcpd.leases"), leases).expect("written");
    let flags: &[&str] = match run {
        Run::Test => &["-T"],
        Run::Start => &["-f", "-d"],
    };
    let mut command = Command::new(binary);
    command.arg("-4").args(flags).args(["-cf", "dhcpd.conf", "-lf", "dhcpd.leases", "-pf", "dhcpd.pid"]);
    if run == Run::Start {
        command.arg("lo");
    }
    let mut child = command
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the server runs");
    let mut pipe = child.stderr.take().expect("stderr was piped");
    let reader = thread::spawn(move || {
        let mut all = Vec::new();
        let _ = std::io::Read::read_to_end(&mut pipe, &mut all);
        all
    });
    let end = Instant::now() + Duration::from_secs(30);
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status.code().unwrap_or(128),
            Ok(None) if Instant::now() < end => thread::sleep(Duration::from_millis(2)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                break 124;
            }
        }
    };
    let text: String = reader.join().unwrap_or_default().iter().map(|b| char::from(*b)).collect();
    let said = text.split_once("PID file: dhcpd.pid\n").map_or(text.as_str(), |(_, rest)| rest);
    let said = said.replace(&format!("{}/", folder.path().display()), "");
    // dhcpd looks names up between the counts.
    let said: String = said
        .lines()
        .filter(|line| !line.ends_with("host unknown."))
        .fold(String::new(), |all, line| all + line + "\n");
    // What follows is about interfaces, and `DB.T` names the time.
    let said = said.split("\nNo subnet declaration").next().unwrap_or_default();
    let said = match said.split_once("temp lease file: dhcpd.leases.") {
        Some((before, _)) => before,
        None => said,
    };
    Outcome { status, said: said.to_owned(), leases: fs::read(path("dhcpd.leases")).unwrap_or_default() }
}

/// One lease file to try.
struct Case {
    name: String,
    config: Vec<u8>,
    leases: Vec<u8>,
}

/// SplitMix64: the same numbers everywhere.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

/// Where tokens begin and end.
fn tokens(text: &[u8]) -> Vec<(usize, usize)> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&c) = text.get(at) {
        let start = at;
        at += 1;
        if c.is_ascii_whitespace() {
            continue;
        }
        let word = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
        if c == b'"' {
            while text.get(at).is_some_and(|&c| c != b'"') {
                at += if text[at] == b'\\' { 2 } else { 1 };
            }
            at = (at + 1).min(text.len());
        } else if word(&c) {
            while text.get(at).is_some_and(word) {
                at += 1;
            }
        }
        tokens.push((start, at));
    }
    tokens
}

/// A damaged copy.
fn damage(text: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut text = text.to_vec();
    for _ in 0..=numbers.below(2) {
        let tokens = tokens(&text);
        if tokens.is_empty() {
            return text;
        }
        let (start, end) = tokens[numbers.below(tokens.len())];
        match numbers.below(8) {
            // The file ends here.
            0 => text.truncate(numbers.below(text.len())),
            // Something is missing.
            1 => {
                let from = numbers.below(text.len());
                let to = (from + numbers.below(60)).min(text.len());
                text.drain(from..to);
            }
            // Something is there twice.
            2 => {
                let to = (start + numbers.below(200)).min(text.len());
                let copy = text[start..to].to_vec();
                text.splice(start..start, copy);
            }
            // A token is missing, is there twice, is another.
            3 | 4 => drop(text.drain(start..end)),
            5 => {
                let mut copy = text[start..end].to_vec();
                copy.push(b' ');
                text.splice(start..start, copy);
            }
            6 => {
                let (from, to) = tokens[numbers.below(tokens.len())];
                let copy = text[from..to].to_vec();
                text.splice(start..end, copy);
            }
            // An octet is another.
            _ => {
                let at = numbers.below(text.len());
                const ODD: &[u8] = b"{};\"\\\n #0a-:.\x00\xff\xe9%(";
                text[at] = ODD[numbers.below(ODD.len())];
            }
        }
    }
    text
}

fn shared() -> Option<PathBuf> {
    let shared = env::var_os("RELET_SHARED").map(PathBuf::from);
    let shared = shared.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    if shared.is_dir() {
        return Some(shared);
    }
    eprintln!("{} is absent: only the test's own lease files are compared", shared.display());
    None
}

/// A configuration with the addresses of a lease file.
fn config_for(leases: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(leases);
    let mut networks: Vec<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("lease "))
        .filter_map(|line| Some(line.split(' ').next()?.rsplit_once('.')?.0.to_owned()))
        .filter(|network| network.split('.').filter(|part| part.parse::<u8>().is_ok()).count() == 3)
        .collect();
    networks.sort();
    networks.dedup();
    let subnet = |network: &String| {
        format!("subnet {network}.0 netmask 255.255.255.0 {{ range {network}.1 {network}.254; }}\n")
    };
    networks.iter().map(subnet).collect::<String>().into_bytes()
}

fn collected() -> Vec<Case> {
    let Some(shared) = shared() else { return Vec::new() };
    let mut cases = Vec::new();
    for (folder, part) in [("spec/snippets", "-lf-"), ("corpus/leases", "")] {
        let Ok(entries) = fs::read_dir(shared.join(folder)) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let is_leases = name.contains(".leases") && name.contains(part);
            let Some(leases) = fs::read(&path).ok().filter(|_| is_leases) else { continue };
            let config = fs::read(path.with_extension("conf")).ok();
            let config = config.filter(|_| !part.is_empty()).unwrap_or_else(|| config_for(&leases));
            cases.push(Case { name, config, leases });
        }
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

/// What is said while the file is read: up to the count of what was written.
fn messages(outcome: &Outcome) -> Vec<&str> {
    let counts = |line: &str| line.starts_with("Wrote ") || line.starts_with("Lease file test");
    // D202: negative times.
    let left_out = |line: &&str| !line.starts_with("write_lease: unable to write lease");
    outcome.said.lines().take_while(|line| !counts(line)).filter(left_out).collect()
}

/// Whether two outcomes differ in ways that dhcpd-differences(7) names.
fn on_purpose(case: &Case, theirs: &Outcome, ours: &Outcome) -> bool {
    // It crashes or hangs.
    if theirs.status >= 124 {
        return true;
    }
    let said = |outcome: &Outcome, text: &str| outcome.said.matches(text).count();
    let (a, b) = (messages(theirs), messages(ours));
    if said(theirs, "unable to write lease") > 0 && a == b {
        return true;
    }
    // D201: a lease with a state or an `on` block that cannot be read is kept. What is wrong is said alike; dhcpd then
    // loses its place.
    let corrupt = |outcome: &Outcome| said(outcome, "possibly corrupt lease file");
    let torn = a.first().is_some_and(|line| line.ends_with("right brace expected."));
    let dropped = corrupt(theirs) > corrupt(ours) || torn && corrupt(theirs) == corrupt(ours);
    if dropped || said(theirs, "Lease with bogus binding state") > 0 {
        let first = |lines: &[&str]| lines.iter().take(3).map(|line| (*line).to_owned()).collect::<Vec<_>>();
        let silent = a.first().is_some_and(|line| line.contains("possibly corrupt lease file"));
        return silent || said(theirs, "bogus binding state") > 0 || first(&a) == first(&b);
    }
    // D208: a declaration with a fault: what is said is the same, what is kept of it need not be.
    case.name.starts_with("declarations-") && !a.is_empty() && a == b
}

/// Compares over all cases; what differs.
fn compare(cases: &[Case], oracle: &Path) -> Vec<String> {
    let subject = Path::new(env!("CARGO_BIN_EXE_dhcpd"));
    let next = AtomicUsize::new(0);
    let faults = Mutex::new(Vec::new());
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            for run in [Run::Test, Run::Start] {
                let theirs = ask(oracle, run, &case.config, &case.leases);
                let ours = ask(subject, run, &case.config, &case.leases);
                if theirs == ours || on_purpose(case, &theirs, &ours) {
                    continue;
                }
                let text = |outcome: &Outcome| {
                    format!(
                        "{}\n{}\n{}",
                        outcome.status,
                        outcome.said,
                        String::from_utf8_lossy(&outcome.leases)
                    )
                };
                let (theirs, ours) = (text(&theirs), text(&ours));
                let diff = similar::TextDiff::from_lines(&theirs, &ours);
                let diff = diff.unified_diff().context_radius(4).header("real dhcpd", "ours").to_string();
                if let Some(folder) = env::var_os("RELET_LEASE_FILES_KEEP") {
                    let name = case.name.replace('/', "_");
                    let _ = fs::write(Path::new(&folder).join(format!("{name}.leases")), &case.leases);
                    let _ = fs::write(Path::new(&folder).join(format!("{name}.conf")), &case.config);
                    let _ = fs::write(Path::new(&folder).join(format!("{name}.{run:?}.diff")), &diff);
                }
                faults.lock().expect("no worker panics").push(format!("{} {run:?}\n{diff}", case.name));
                break;
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(work);
        }
    });
    let mut faults = faults.into_inner().expect("no worker panics");
    faults.sort();
    faults
}

fn oracle() -> Option<PathBuf> {
    let oracle = env::var_os("RELET_ORACLE").map_or_else(|| PathBuf::from("/usr/sbin/dhcpd"), PathBuf::from);
    if oracle.exists() {
        return Some(oracle);
    }
    assert!(env::var_os("RELET_REQUIRE_ORACLE").is_none(), "{} is not there", oracle.display());
    eprintln!("{} is absent: no lease files are compared", oracle.display());
    None
}

#[track_caller]
fn equal(cases: &[Case]) {
    let Some(oracle) = oracle() else { return };
    let faults = compare(cases, &oracle);
    let shown: Vec<&str> = faults.iter().map(String::as_str).take(10).collect();
    assert!(faults.is_empty(), "{} of {} differ\n{}", faults.len(), cases.len(), shown.join("\n"));
}

fn own() -> Vec<Case> {
    let case = |name: &str, leases: &str| Case {
        name: name.to_owned(),
        config: CONFIG.as_bytes().to_vec(),
        leases: leases.as_bytes().to_vec(),
    };
    vec![case("leases", LEASES), case("declarations", DECLARATIONS)]
}

#[test]
fn files_are_read_and_rewritten_alike() {
    let mut cases = own();
    cases.extend(collected());
    equal(&cases);
}

#[test]
fn damaged_files_are_read_and_rewritten_alike() {
    let count = env::var("RELET_LEASE_FILES").ok().and_then(|n| n.parse().ok()).unwrap_or(400);
    let seed = env::var("RELET_LEASE_FILES_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let own = own();
    let mut numbers = Numbers(seed);
    let cases: Vec<Case> = (0..count)
        .map(|n| {
            let whole = &own[n % own.len()];
            Case {
                name: format!("{}-{seed}-{n}", whole.name),
                config: whole.config.clone(),
                leases: damage(&whole.leases, &mut numbers),
            }
        })
        .collect();
    equal(&cases);
}
