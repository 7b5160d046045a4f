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

#[test]
fn real_configurations_parse() {
    let Some(folder) = shared("corpus/conf") else { return };
    let mut faulty = 0;
    for path in files(&folder, None) {
        let parsed = parse_file(&path);
        if !parsed.faults.is_empty() {
            faulty += 1;
            println!("== {}\n{}", path.display(), report(&parsed));
        }
    }
    println!("corpus: {faulty} with faults");
}

#[test]
fn samples_are_read_as_dhcpd_reads_them() {
    let Some(folder) = shared("spec/snippets") else { return };
    let (mut accepted, mut wrong, mut refused, mut by_syntax) = (0, 0, 0, 0);
    for path in files(&folder, Some("conf")) {
        let expected = std::fs::read(path.with_extension("expected")).unwrap();
        let verdict = String::from_utf8_lossy(&expected);
        let verdict = verdict.lines().next().unwrap().trim_start_matches("verdict: ").to_string();
        let parsed = parse_file(&path);
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if verdict == "accepted" {
            accepted += 1;
            if !parsed.faults.is_empty() {
                wrong += 1;
                println!("== {name} is accepted by dhcpd\n{}", report(&parsed));
            }
        } else {
            refused += 1;
            if parsed.faults.is_empty() {
                println!("-- {name} ({verdict}) has no fault");
            } else {
                by_syntax += 1;
            }
        }
    }
    println!(
        "accepted {accepted}, of these wrongly faulty {wrong}; refused {refused}, of these by syntax {by_syntax}"
    );
    assert_eq!(wrong, 0);
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
