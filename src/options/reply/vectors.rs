//! Replies of the real server, replayed.
//!
//! `vectors.txt` holds random configurations, a request to each, and the option octets that dhcpd 4.4.3-P1 answered
//! with. One line per fact:
//!
//! - `define space NAME CODEWIDTH LENGTHWIDTH`, `define option SPACE NAME CODE FORMAT`: for all cases;
//! - `case ID` begins a case; `set SPACE CODE HEX`: an option, in the order of the statements;
//! - `request HEX LENGTH`: the options of the DISCOVER and the length of its payload;
//! - `fields FILENAME SNAME`: 1 if `filename` or `server-name` was configured;
//! - `site SPACE CODE`: `site-option-space` and its lowest code; `echo`: `echo-client-id` is on;
//! - `options HEX`, `file HEX`, `sname HEX`: what came back.

use super::*;
use crate::options::{Entry, Format, OptionFields, parse_packet_options};

#[derive(Default)]
struct Case {
    id: String,
    set: Vec<(SpaceId, u32, Vec<u8>)>,
    request: Vec<u8>,
    request_length: usize,
    overload: (bool, bool),
    site: Option<(SpaceId, u32)>,
    echo_client_id: bool,
    options: Vec<u8>,
    file: Option<Vec<u8>>,
    sname: Option<Vec<u8>>,
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap()).collect()
}

fn read(text: &str) -> (Spaces, Vec<Case>) {
    let mut spaces = Spaces::new();
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        let word = |at: usize| words.get(at).copied().unwrap_or_default();
        let number = |at: usize| word(at).parse::<u32>().unwrap();
        match word(0) {
            "define" if word(1) == "space" => {
                spaces.define_space(word(2), number(3) as u8, number(4) as u8);
            }
            "define" => {
                let space = spaces.space_named(word(2)).unwrap();
                spaces.define_option(space, word(3), number(4), Format::parse(word(5)).unwrap()).unwrap();
            }
            "case" => cases.push(Case { id: word(1).into(), ..Case::default() }),
            keyword => {
                let case = cases.last_mut().unwrap();
                match keyword {
                    "set" => case.set.push((spaces.space_named(word(1)).unwrap(), number(2), hex(word(3)))),
                    "request" => (case.request, case.request_length) = (hex(word(1)), number(2) as usize),
                    "fields" => case.overload = (word(1) == "0", word(2) == "0"),
                    "site" => case.site = Some((spaces.space_named(word(1)).unwrap(), number(2))),
                    "echo" => case.echo_client_id = true,
                    "options" => case.options = hex(word(1)),
                    "file" => case.file = Some(hex(word(1))),
                    "sname" => case.sname = Some(hex(word(1))),
                    _ => panic!("{line}"),
                }
            }
        }
    }
    (spaces, cases)
}

fn constant(entry: &Entry<Vec<u8>>, out: &mut Vec<u8>) -> bool {
    out.extend_from_slice(&entry.value);
    true
}

/// The part of the server between configuration and packing that the vectors need.
fn answer(spaces: &Spaces, case: &Case) -> PackedOptions {
    let mut request = PacketOptions::new();
    let fields = OptionFields { options: &case.request, ..OptionFields::default() };
    parse_packet_options(spaces, fields, &mut request, &mut Vec::new()).unwrap();
    let mut options: OptionState<Vec<u8>> = OptionState::new();
    for (space, code, value) in &case.set {
        options.set(spaces, spaces.by_code(*space, *code), value.clone());
    }
    let agent = request.entries(Spaces::AGENT);
    if !agent.is_empty() {
        options.remove_space(Spaces::AGENT);
        for entry in agent {
            options.set(spaces, entry.option, entry.value.to_vec());
        }
    }
    let mut dhcp =
        |code, value: &[u8]| options.set(spaces, spaces.by_code(Spaces::DHCP, code), value.to_vec());
    dhcp(53, &[2]);
    dhcp(54, &[10, 91, 0, 1]);
    dhcp(51, &[0, 0, 2, 88]);
    options.set_default(spaces, spaces.by_code(Spaces::DHCP, 1), vec![255, 255, 0, 0]);
    if let Some(id) = request.value(Spaces::DHCP, 61).filter(|_| case.echo_client_id) {
        options.set(spaces, spaces.by_code(Spaces::DHCP, 61), id.to_vec());
    }
    let requested = match options.value(Spaces::DHCP, 55) {
        Some(configured) => configured.clone(),
        None => request.value(Spaces::DHCP, 55).map(|list| list.to_vec()).unwrap_or_default(),
    };
    let max_message_size = match request.value(Spaces::DHCP, 57).map(|size| size.to_vec()) {
        Some(size) if size.len() == 2 => u16::from_be_bytes([size[0], size[1]]),
        _ => match options.value(Spaces::DHCP, 57).map(Vec::as_slice) {
            Some(&[high, low]) => u16::from_be_bytes([high, low]),
            _ => 0,
        },
    };
    let packing = Packing {
        requested: &requested,
        request: Some(&request),
        request_type: 1,
        request_length: case.request_length,
        max_message_size,
        overload_file: case.overload.0,
        overload_sname: case.overload.1,
        terminate: request.value(Spaces::DHCP, 12).is_some_and(|name| name.had_nuls),
        echo_client_id: case.echo_client_id,
        site: case.site,
        bootp: false,
    };
    pack_reply(spaces, &options, &packing, &mut constant, &mut Vec::new())
}

fn replay(text: &str) {
    let (spaces, cases) = read(text);
    assert!(!cases.is_empty());
    let mut different = Vec::new();
    for case in &cases {
        let mut packed = answer(&spaces, case);
        // Replies are padded to 300 octets.
        let area = packed.options.len().max(300 - FIXED);
        packed.options.resize(area, 0);
        let same = packed.options == case.options
            && case.file.as_ref().is_none_or(|file| packed.file.unwrap_or([0; FILE])[..] == file[..])
            && case.sname.as_ref().is_none_or(|sname| packed.sname.unwrap_or([0; SNAME])[..] == sname[..]);
        if !same {
            let hex = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
            different.push(format!(
                "{}:\n  ours   {}\n  theirs {}\n  file {} {}",
                case.id,
                hex(&packed.options),
                hex(&case.options),
                hex(&packed.file.unwrap_or([0; FILE])),
                hex(case.file.as_deref().unwrap_or_default()),
            ));
        }
    }
    assert!(different.is_empty(), "{} of {} differ:\n{}", different.len(), cases.len(), different.join("\n"));
}

#[test]
fn replies_equal_those_of_the_real_server() {
    replay(include_str!("vectors.txt"));
}
