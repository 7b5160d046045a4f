//! Any sequence of datagrams goes through the engine without a panic.
//!
//! Each datagram is led by its length in two octets; time passes between them, pings stay unanswered, and every commit
//! reaches the disk but each third.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relet::eval::Nothing;
use relet::server::{Effect, Event, InterfaceId};
use relet::time::Now;
use relet_fuzz::{NOW, configuration, engine};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

fuzz_target!(|bytes: &[u8]| {
    let config = configuration();
    let mut engine = engine(&config);
    let source = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 99), 68);
    let (mut rest, mut step, mut commits) = (bytes, 0u32, 0u32);
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (payload, next) =
            after.split_at(after.len().min(usize::from(u16::from_be_bytes(*length)) % 1500));
        rest = next;
        step += 1;
        let now = Now { wall: NOW.wall + i64::from(step), tick: NOW.tick + Duration::from_secs(step.into()) };
        let mut effects = Vec::new();
        let event = Event::Datagram { interface: InterfaceId(0), source, payload };
        engine.handle(event, now, &mut Nothing, &mut effects);
        engine.handle(Event::Timer, now, &mut Nothing, &mut effects);
        let asked: Vec<_> = effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Commit(commit) | Effect::Rewrite { last: Some(commit), .. } => Some(*commit),
                _ => None,
            })
            .collect();
        for commit in asked {
            commits += 1;
            let event = if commits.is_multiple_of(3) {
                Event::CommitFailed(commit)
            } else {
                Event::Committed(commit)
            };
            engine.handle(event, now, &mut Nothing, &mut effects);
        }
    }
});
