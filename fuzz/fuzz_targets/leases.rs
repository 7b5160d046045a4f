//! Any bytes are a lease file: read without a panic, and what is written anew is read again without a complaint.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relet::log::Level;
use relet::server::Effect;
use relet_fuzz::{configuration, database};

fuzz_target!(|bytes: &[u8]| {
    let config = configuration();
    let (_, effects) = database(&config, bytes);
    let pieces = effects.into_iter().filter_map(|effect| match effect {
        Effect::Rewrite { piece, .. } => Some(piece),
        _ => None,
    });
    let written = pieces.collect::<Vec<_>>().concat();
    let (_, again) = database(&config, &written);
    for effect in again {
        if let Effect::Log(line) = effect {
            assert!(line.level != Level::Error, "{}", String::from_utf8_lossy(&line.text));
        }
    }
});
