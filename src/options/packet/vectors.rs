//! What the real server reads out of packets, replayed.
//!
//! `vectors.txt` holds random packets, well-formed and broken, and what dhcpd 4.4.3-P1 found in them. One line per fact:
//!
//! - `define space NAME CODEWIDTH LENGTHWIDTH`, `define option SPACE NAME CODE FORMAT`: for all cases;
//! - `look SPACE CODE`: an option whose value was asked for in every case;
//! - `case ID` begins a case; `packet HEX`, `file HEX`, `sname HEX`: the areas of the packet;
//! - `value SPACE CODE HEX`: an option that was there, with its value;
//! - `line TEXT`: a log line about the options, in order; `dropped`: the packet was dropped.

use super::*;
use crate::options::Format;

#[derive(Default)]
struct Case {
    id: String,
    packet: Vec<u8>,
    file: Vec<u8>,
    sname: Vec<u8>,
    values: Vec<(SpaceId, u32, Vec<u8>)>,
    lines: Vec<String>,
    dropped: bool,
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap()).collect()
}

fn replay(text: &str) {
    let mut spaces = Spaces::new();
    let mut look = Vec::new();
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        let word = |at: usize| words.get(at).copied().unwrap_or_default();
        let number = |at: usize| word(at).parse::<u32>().unwrap();
        let option = || (spaces.space_named(word(1)).unwrap(), number(2));
        match word(0) {
            "define" if word(1) == "space" => {
                spaces.define_space(word(2), number(3) as u8, number(4) as u8);
            }
            "define" => {
                let space = spaces.space_named(word(2)).unwrap();
                spaces.define_option(space, word(3), number(4), Format::parse(word(5)).unwrap()).unwrap();
            }
            "look" => look.push(option()),
            "case" => cases.push(Case { id: word(1).into(), ..Case::default() }),
            keyword => {
                let case = cases.last_mut().unwrap();
                match keyword {
                    "packet" => case.packet = hex(word(1)),
                    "file" => case.file = hex(word(1)),
                    "sname" => case.sname = hex(word(1)),
                    "value" => case.values.push((option().0, option().1, hex(word(3)))),
                    "line" => case.lines.push(line["line ".len()..].into()),
                    "dropped" => case.dropped = true,
                    _ => panic!("{line}"),
                }
            }
        }
    }
    assert!(!cases.is_empty() && !look.is_empty());
    let mut different = Vec::new();
    for case in &cases {
        let (mut options, mut lines) = (PacketOptions::new(), Vec::new());
        case.check(&spaces, &look, &mut options, &mut lines).unwrap_or_else(|difference| {
            different.push(format!("{}: {difference}\n  {lines:?}\n  {:?}", case.id, case.lines));
        });
    }
    assert!(different.is_empty(), "{} of {} differ:\n{}", different.len(), cases.len(), different.join("\n"));
}

impl Case {
    fn check(
        &self,
        spaces: &Spaces,
        look: &[(SpaceId, u32)],
        options: &mut PacketOptions,
        lines: &mut Vec<String>,
    ) -> Result<(), String> {
        let mut file = self.file.clone();
        let mut sname = self.sname.clone();
        file.resize(128, 0);
        sname.resize(64, 0);
        let fields = OptionFields { options: &self.packet, file: &file, sname: &sname };
        let mut said = Vec::new();
        let result = parse_packet_options(spaces, fields, options, &mut said);
        lines.extend(said.iter().map(|line| String::from_utf8_lossy(&line.text).into_owned()));
        if result.is_err() != self.dropped {
            return Err(format!("{result:?}"));
        }
        if *lines != self.lines {
            return Err("lines".into());
        }
        for &(space, code) in look.iter().filter(|_| !self.dropped) {
            let theirs =
                self.values.iter().find(|(s, c, _)| (*s, *c) == (space, code)).map(|(_, _, value)| value);
            let ours = options.value(space, code).map(|value| value.to_vec());
            if ours.as_ref() != theirs {
                return Err(format!("{}.{code}: {ours:02x?} {theirs:02x?}", spaces.space(space).name));
            }
        }
        Ok(())
    }
}

#[test]
fn packets_read_as_the_real_server_reads_them() {
    replay(include_str!("vectors.txt"));
}
