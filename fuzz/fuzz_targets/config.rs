//! Any bytes are a configuration file: parsed without a panic, with every fault at a place that exists.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relet::syntax::{LoadError, parse};

fuzz_target!(|bytes: &[u8]| {
    // A file may include itself by another name; a few of those are enough.
    let mut loads = 0;
    let mut load = |_: &[u8]| {
        loads += 1;
        if loads > 4 {
            return Err(LoadError { errno: Some(2), message: "No such file or directory".to_string() });
        }
        Ok(bytes.to_vec())
    };
    let parsed = parse(b"dhcpd.conf", bytes.to_vec(), &mut load);
    for fault in &parsed.faults {
        assert!(parsed.source_map.location(fault.span).is_some());
    }
});
