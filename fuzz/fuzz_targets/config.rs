//! Any bytes are a configuration file. It is parsed, typed and explained in both families without a panic, every
//! fault has a place that exists, and what is accepted can run its root scope and is accepted again when it was dumped.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relet::check::{findings, isc, render};
use relet::config::{Family, dump, read};
use relet::eval::bindings::Bindings;
use relet::eval::{Memory, Nothing};
use relet::server::globals::{CommandLine, read_globals};
use relet::syntax::{LoadError, parse};
use relet_fuzz::NOW;

fuzz_target!(|bytes: &[u8]| {
    // A file may include itself by another name; a few of those are enough.
    let loader = || {
        let mut loads = 0;
        move |_: &[u8]| {
            loads += 1;
            if loads > 4 {
                return Err(LoadError { errno: Some(2), message: "No such file or directory".to_string() });
            }
            Ok(bytes.to_vec())
        }
    };
    let parsed = parse(b"dhcpd.conf", bytes.to_vec(), &mut loader());
    for fault in &parsed.faults {
        assert!(parsed.source_map.location(fault.span).is_some());
    }
    for family in [Family::V4, Family::V6] {
        let (source_map, built) = read(b"dhcpd.conf", bytes.to_vec(), &mut loader(), family);
        for finding in findings(&built) {
            render::human(&source_map, &finding, false);
        }
        if !built.accepted() {
            isc::refusal(&source_map, &built, family, &mut loader());
            continue;
        }
        isc::report(&source_map, &built);
        let dumped = dump(&built.config, family);
        let (_, again) = read(b"dhcpd.conf", dumped, &mut loader(), family);
        assert!(again.accepted(), "{:?}", again.diagnostics);
        let command_line = CommandLine {
            family,
            config_file: Vec::new(),
            lease_file: Vec::new(),
            pid_file: Vec::new(),
            quiet: true,
        };
        let (mut bindings, mut memory, mut lines) = (Bindings::default(), Memory::default(), Vec::new());
        // A configuration may ask for a fatal end.
        let _ = read_globals(
            &built.config,
            &command_line,
            NOW,
            &mut bindings,
            &mut memory,
            &mut Nothing,
            &mut lines,
        );
    }
});
