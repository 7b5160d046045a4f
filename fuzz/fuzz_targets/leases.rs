//! Any bytes are a lease file: read without a panic; what was read without a complaint is written anew and read again
//! without one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relet::log::Level;
use relet::server::Effect;
use relet_fuzz::{configuration, database};

fuzz_target!(|bytes: &[u8]| {
    let config = configuration();
    let (_, effects) = database(&config, bytes);
    let pieces = effects.iter().filter_map(|effect| match effect {
        Effect::Rewrite { piece, .. } => Some(piece.as_slice()),
        _ => None,
    });
    let written = pieces.collect::<Vec<_>>().concat();
    let (_, again) = database(&config, &written);
    // An `on` block that could not be read stays in the file as text.
    if complaints(&effects).next().is_none()
        && let Some(complaint) = complaints(&again).next()
    {
        panic!("{}", String::from_utf8_lossy(complaint));
    }
});

fn complaints(effects: &[Effect]) -> impl Iterator<Item = &[u8]> {
    effects.iter().filter_map(|effect| match effect {
        Effect::Log(line) if line.level == Level::Error => Some(&*line.text),
        _ => None,
    })
}
