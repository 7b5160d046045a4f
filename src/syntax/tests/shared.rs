//! The real-world configurations and the samples with dhcpd's verdicts that lie beside the project, where they are.

#![allow(clippy::disallowed_methods, reason = "these tests read files")]

use std::path::{Path, PathBuf};

use super::super::*;

/// The folder, or a line that it is absent.
fn shared(part: &str) -> Option<PathBuf> {
    let root = match std::env::var_os("RELET_SHARED") {
        Some(root) => PathBuf::from(root),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
    };
    let folder = root.join(part);
    if !folder.is_dir() {
        println!("{} is absent: nothing compared", folder.display());
        return None;
    }
    Some(folder)
}

fn files(folder: &Path, extension: Option<&str>) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| extension.is_none() || path.extension().and_then(|e| e.to_str()) == extension)
        .collect();
    files.sort();
    files
}

fn parse_file(path: &Path) -> Parsed {
    let folder = path.parent().unwrap().to_path_buf();
    let mut load = |name: &[u8]| {
        let name = std::str::from_utf8(name).unwrap();
        std::fs::read(folder.join(name))
            .map_err(|error| LoadError { errno: error.raw_os_error(), message: error.to_string() })
    };
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    parse(name.as_bytes(), std::fs::read(path).unwrap(), &mut load)
}

fn report(parsed: &Parsed) -> String {
    let lines = parsed.faults.iter().map(|fault| {
        let location = parsed.source_map.location(fault.span).unwrap();
        let file = String::from_utf8_lossy(location.file).into_owned();
        let text = String::from_utf8_lossy(location.text).into_owned();
        format!("{file}:{}:{}: {}: {text}", location.line, location.column, fault.kind)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Configurations among the real ones that are none: templates, prose, placeholders where a value should stand, or
/// files that include others which are not there. dhcpd refuses each of them.
const NO_CONFIGURATIONS: &[&str] = &[
    "7gkb+docker-dns-dhcp__etc__dhcp__dhcpd.conf",
    "927technology+kickstart__files__etc__dhcp__dhcpd.example.conf",
    "Aaron3188+Test__dhcpd.conf",
    "AlexTintor3+DHCP-y-DNS-sincronizados__dhcp__dhcpd.conf",
    "AndreiT129+pxe-automated-ol9-deployment__dhcp__dhcpd.conf",
    "ArchitX+configs__dhcpd.conf",
    "CarlosGarciah+DHCP__dhcpd.conf",
    "CarlosGarciah+DHCP__failover__dhcpd.conf",
    "CaronteLoveSimulacros+dhcp__dhcpd.conf",
    "Dushyantkhobragade+DHCP-Configuration-on-Linux-7__etc__dhcp__dhcpd.conf",
    "Moorviper+Tunneldigger-gw-doku__etc__dhcp__dhcpd.conf",
    "amooma+GS3__var__lib__gemeinschaft__setup__etc-dhcp3-dhcpd.conf-tpl",
    "cobbler+cobbler__cobbler__data__templates__cheetah__etc__dhcp.template",
    "cobbler+cobbler__cobbler__data__templates__cheetah__etc__dhcp6.template",
    "dafydd2277+dhcpd__etc__dhcp__dhcpd.conf",
    "ffulm+server-config__etc__dhcp__dhcpd.conf",
    "im4523351+dhcpmanager__etc__dhcp__dhcpd.conf",
    "maas+maas__src__provisioningserver__templates__dhcp__dhcpd.conf.template",
    "maas+maas__src__provisioningserver__templates__dhcp__dhcpd6.conf.template",
    "prologin+sadm__ansible__roles__dhcpd__templates__dhcpd.conf",
];

#[test]
fn real_configurations_parse() {
    let Some(folder) = shared("corpus/conf") else { return };
    let mut faulty = Vec::new();
    for path in files(&folder, None) {
        let parsed = parse_file(&path);
        if !parsed.faults.is_empty() {
            println!("== {}\n{}", path.display(), report(&parsed));
            faulty.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    assert_eq!(faulty, NO_CONFIGURATIONS);
}

#[test]
fn samples_are_read_as_dhcpd_reads_them() {
    let Some(folder) = shared("spec/snippets") else { return };
    let (mut accepted, mut wrong, mut refused, mut by_syntax) = (0, Vec::new(), 0, 0);
    for path in files(&folder, Some("conf")) {
        let expected = std::fs::read(path.with_extension("expected")).unwrap();
        let parsed = parse_file(&path);
        if expected.starts_with(b"verdict: accepted") {
            accepted += 1;
            if !parsed.faults.is_empty() {
                println!("== {}\n{}", path.display(), report(&parsed));
                wrong.push(path.file_stem().unwrap().to_string_lossy().into_owned());
            }
        } else {
            refused += 1;
            by_syntax += usize::from(!parsed.faults.is_empty());
        }
    }
    println!("{accepted} accepted by dhcpd; {refused} refused, {by_syntax} of these by the grammar");
    assert_eq!(wrong, Vec::<String>::new());
}

/// How the golden expressions are wrapped into statements.
fn wrapped(context: &str, expression: &str) -> Option<String> {
    Some(match context {
        "data" => {
            format!("log (info, concat (\"v=[\", binary-to-ascii (16, 8, \":\", {expression}), \"]\"));")
        }
        "text" => format!("log (info, {expression});"),
        "numeric" => format!("log (info, encode-int ({expression}, 32));"),
        "numeric64" => format!("log (info, encode-int ((({expression}) / 65536) / 65536, 32));"),
        "boolean" => format!("if ({expression}) {{ }} elsif not ({expression}) {{ }}"),
        "cond" => format!("if ({expression}) {{ }}"),
        "stmt" => expression.to_string(),
        _ => return None,
    })
}

fn unescape(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'\\', [b'x', high, low, ..]) => {
                let digit = |digit: &u8| char::from(*digit).to_digit(16).unwrap() as u8;
                octets.push(digit(high) * 16 + digit(low));
                rest = &after[3..];
            }
            (b'\\', [letter, ..]) => {
                octets.push(match letter {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    other => *other,
                });
                rest = &after[1..];
            }
            _ => octets.push(*first),
        }
    }
    octets
}

/// What the grammar cannot know: classes, options and functions by their names. And one that makes dhcpd crash.
const DECIDED_LATER: &[&str] = &[
    "logic-135",
    "logic-145",
    "logic-149",
    "function-074",
    "function-079",
    "variable-049",
    "variable-060",
    "control-102",
    "option-048",
    "option-049",
    "option-131",
    "option-132",
    "control-107",
    "control-108",
    "control-109",
];

#[test]
fn golden_expressions_are_accepted_and_refused_as_by_dhcpd() {
    let Some(folder) = shared("spec/expressions") else { return };
    let cases = std::fs::read_to_string(folder.join("cases.tsv")).unwrap();
    let (mut accepted, mut refused) = (0, 0);
    let mut differing = Vec::new();
    for line in cases.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [id, context, prelude, expression, exit, stderr, ..] = fields[..] else { panic!("{line}") };
        let Some(text) = wrapped(context, expression) else { continue };
        let text = [unescape(prelude), b"\n".to_vec(), unescape(&text)].concat();
        let faults = parse(b"case.conf", text, &mut super::no_files).faults;
        let syntax_error = exit == "1" && stderr.contains("Configuration file errors encountered");
        if syntax_error {
            refused += 1;
        } else {
            accepted += 1;
        }
        if faults.is_empty() == syntax_error {
            println!("{id}: {expression}: {exit} {stderr} {faults:?}");
            differing.push(id.to_string());
        }
    }
    println!("{accepted} accepted by dhcpd, {refused} refused");
    assert_eq!(differing, DECIDED_LATER);
}

/// Not a test of behaviour: prints how fast a large file is read. Run it with `--release --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
#[allow(clippy::disallowed_methods)]
fn speed() {
    let hosts: usize = std::env::var("HOSTS").ok().and_then(|hosts| hosts.parse().ok()).unwrap_or(100_000);
    for grouped in [false, true] {
        let mut text = String::from("default-lease-time 600;\n");
        if grouped {
            text.push_str("group {\n");
        }
        for host in 0..hosts {
            let (a, b, c) = (host >> 16 & 255, host >> 8 & 255, host & 255);
            text.push_str(&format!(
                "host host-{host:06} {{\n    hardware ethernet 02:00:00:{a:02x}:{b:02x}:{c:02x};\n    \
                 fixed-address 10.{a}.{b}.{c};\n    option host-name \"host-{host:06}\";\n}}\n"
            ));
        }
        if grouped {
            text.push_str("}\n");
        }
        let bytes = text.into_bytes();
        let megabytes = bytes.len() as f64 / 1e6;
        let memory = |what: &str| {
            let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
            status.lines().find(|line| line.starts_with(what)).unwrap_or_default().to_string()
        };
        let before = memory("VmRSS");
        let start = std::time::Instant::now();
        let parsed = parse(b"x", bytes, &mut super::no_files);
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{hosts} hosts, grouped {grouped}: {megabytes:.1} MB, {seconds:.3} s, {:.1} MB/s; {before}; {}; {}",
            megabytes / seconds,
            memory("VmRSS"),
            memory("VmHWM"),
        );
        assert_eq!(parsed.faults, []);
    }
}
