//! Well-formed messages in any order, from a few clients and relays, with time, pings and disk failures in between:
//! no panic, and no address is acknowledged that the lease database and the lease file do not hold for that client.
#![no_main]

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use relet::eval::Nothing;
use relet::server::{Effect, Event, InterfaceId};
use relet::time::Now;
use relet_fuzz::message::message;
use relet_fuzz::{NOW, configuration, engine};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

fuzz_target!(|bytes: &[u8]| {
    // Running out of octets ends the conversation.
    let _ = converse(&mut Unstructured::new(bytes));
});

fn converse(input: &mut Unstructured<'_>) -> Result<()> {
    let config = configuration();
    let mut engine = engine(&config);
    let source = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 99), 68);
    let mut elapsed = 0u32;
    let mut written = Vec::new();
    while !input.is_empty() {
        let step = input.arbitrary::<u8>()?;
        let now =
            Now { wall: NOW.wall + i64::from(elapsed), tick: NOW.tick + Duration::from_secs(elapsed.into()) };
        let mut effects = Vec::new();
        match step {
            0..=31 => {
                elapsed = elapsed.saturating_add(u32::from(step).pow(3)).min(1 << 30);
                continue;
            }
            32..=47 => {
                let from = Ipv4Addr::new(10, 0, 0, 10 + (step & 15));
                engine.handle(Event::EchoReply { from }, now, &mut Nothing, &mut effects);
            }
            48..=95 => engine.handle(Event::Timer, now, &mut Nothing, &mut effects),
            _ => {
                let payload = message(input)?;
                let interface = InterfaceId(0);
                let event = Event::Datagram { interface, source, payload: &payload };
                engine.handle(event, now, &mut Nothing, &mut effects);
            }
        }
        // What is asked for while answers come in is answered in the next round.
        let mut from = 0;
        while from < effects.len() {
            let asked: Vec<_> = effects[from..].iter().filter_map(commit).collect();
            from = effects.len();
            for id in asked {
                let event = if step & 15 == 15 { Event::CommitFailed(id) } else { Event::Committed(id) };
                engine.handle(event, now, &mut Nothing, &mut effects);
            }
        }
        for effect in &effects {
            match effect {
                Effect::Write(octets) => written.extend_from_slice(octets),
                // Both files have what is appended in between.
                Effect::Rewrite { piece, .. } => written.extend_from_slice(piece),
                Effect::Send(send) => check(&send.payload, &engine, &written),
                _ => {}
            }
        }
    }
    Ok(())
}

fn commit(effect: &Effect) -> Option<relet::server::CommitId> {
    match effect {
        Effect::Commit(id) | Effect::Rewrite { last: Some(id), .. } => Some(*id),
        _ => None,
    }
}

/// A reply is a BOOTP reply of a possible size; an acknowledged lease belongs to the client that hears of it.
fn check(payload: &[u8], engine: &relet::server::engine::Engine, written: &[u8]) {
    assert!((236..=1500).contains(&payload.len()), "{} octets", payload.len());
    assert_eq!(payload[0], 2);
    let address = Ipv4Addr::new(payload[16], payload[17], payload[18], payload[19]);
    let acknowledged = payload.get(240..243) == Some(&[53, 1, 5]);
    // A client that has an address and asks for nothing but options is told so, whoever holds the lease.
    let inform = payload[16..20] == [0; 4];
    if let (true, false, Some(id)) = (acknowledged, inform, engine.leases().find(address)) {
        let lease = engine.leases().lease(id);
        if let Some(hardware) = &lease.hardware {
            assert_eq!(hardware.address, payload[28..28 + usize::from(payload[2])], "{address}");
        }
        let entry = format!("lease {address} {{");
        assert!(
            written.windows(entry.len()).any(|window| window == entry.as_bytes()),
            "{address} not written"
        );
    }
}
