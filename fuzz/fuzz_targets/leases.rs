//! Any bytes are a lease file: read without a panic, and what is written anew is read again without a complaint.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relet::log::Level;
use relet::server::Effect;
use relet_fuzz::{configuration, database};

fuzz_target!(|bytes: &[u8]| {
    let config = configuration();
    let (_, effects) = database(&config, bytes);
    let Some(written) = effects.into_iter().find_map(|effect| match effect {
        Effect::Rewrite { content, .. } => Some(content),
        _ => None,
    }) else {
        return;
    };
    let (_, again) = database(&config, &written);
    for effect in again {
        if let Effect::Log(line) = effect {
            // Classes with `spawn` are written in a form that dhcpd itself does not read again.
            let spawn = written.windows(5).any(|w| w == b"spawn");
            assert!(spawn || line.level != Level::Error, "{}", String::from_utf8_lossy(&line.text));
        }
    }
});
