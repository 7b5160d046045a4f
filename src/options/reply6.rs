//! Packing the options of a DHCPv6 message or of one of its containers.
//!
//! Mirrors ISC `common/options.c:store_options6`: the options the server must send, then those of the client's option
//! request option, then vendor options by enterprise. An option that does not fit is left out as a whole.

use super::encapsulate::{Evaluate, encapsulate_space};
use super::space::{Space, SpaceId, Spaces};
use super::state::{Entry, OptionState};
use crate::log::Line;

/// `dhcp6.vendor-opts`.
const VENDOR_OPTS: u32 = 17;

/// Packs options of the `dhcp6` space into at most `room` octets. `required` are the codes to send in any case,
/// `requested` is the value of the client's option request option (two octets each). Values are computed by
/// `evaluate`, in the order in which the options are packed.
pub fn pack_options6<V: Clone>(
    spaces: &Spaces,
    options: &OptionState<V>,
    required: &[u16],
    requested: &[u8],
    room: usize,
    evaluate: &mut Evaluate<'_, V>,
    lines: &mut Vec<Line>,
) -> Vec<u8> {
    let mut packer =
        Packer { spaces, options, room, evaluate, lines, out: Vec::with_capacity(room.min(1500)) };
    let mut vendor = false;
    for &code in required {
        vendor |= u32::from(code) == VENDOR_OPTS;
        if let Some(entry) = options.get(Spaces::DHCP6, code.into()) {
            packer.store(code, entry);
        }
    }
    for code in requested.chunks_exact(2).filter_map(|code| code.try_into().ok()).map(u16::from_be_bytes) {
        if required.contains(&code) {
            continue;
        }
        vendor |= u32::from(code) == VENDOR_OPTS;
        match options.get(Spaces::DHCP6, code.into()) {
            Some(entry) => packer.store(code, entry),
            None => packer.store_space(code),
        }
    }
    if vendor {
        packer.store_vendor_options();
    }
    packer.out
}

struct Packer<'a, 'e, V> {
    spaces: &'a Spaces,
    options: &'a OptionState<V>,
    room: usize,
    evaluate: &'a mut Evaluate<'e, V>,
    lines: &'a mut Vec<Line>,
    out: Vec<u8>,
}

impl<V: Clone> Packer<'_, '_, V> {
    /// An option with a value of its own, as often as it was set.
    fn store(&mut self, code: u16, entry: &Entry<V>) {
        self.store_value(code, entry);
        for value in &entry.more {
            self.store_value(code, &Entry { option: entry.option, value: value.clone(), more: Vec::new() });
        }
    }

    fn store_value(&mut self, code: u16, entry: &Entry<V>) {
        let mut value = Vec::new();
        match (self.evaluate)(entry, &mut value) {
            true => self.put(code, &value),
            false => self.lines.push(Line::error(format!("Error evaluating option {code}"))),
        }
    }

    /// An option whose value is the options of a space.
    fn store_space(&mut self, code: u16) {
        let option = self.spaces.by_code(Spaces::DHCP6, code.into());
        let Some(inner) = self.spaces.definition(option).and_then(|def| def.encapsulates) else {
            return;
        };
        let mut value = Vec::new();
        if encapsulate_space(self.spaces, self.options, inner, self.evaluate, &mut value) {
            self.put(code, &value);
        }
    }

    fn put(&mut self, code: u16, value: &[u8]) {
        match u16::try_from(value.len()) {
            Ok(length) if self.out.len() + 4 + value.len() <= self.room => {
                self.out.extend(code.to_be_bytes());
                self.out.extend(length.to_be_bytes());
                self.out.extend_from_slice(value);
            }
            _ => self.lines.push(Line::debug(format!("No space for option {code}"))),
        }
    }

    /// One vendor option for each space that an enterprise has in `vsio`.
    fn store_vendor_options(&mut self) {
        for (id, space) in self.spaces.iter() {
            let Some(carrier) = space.carrier.filter(|carrier| carrier.space == Spaces::VSIO) else {
                continue;
            };
            let start = self.out.len();
            // Code, length and enterprise number, known when the rest is.
            self.out.extend([0; 8]);
            self.store_suboptions(id, space);
            let length = self.out.len() - start - 4;
            if length <= 4 {
                self.out.truncate(start);
            } else if let Some(header) = self.out.get_mut(start..start + 8) {
                header[..2].copy_from_slice(&(VENDOR_OPTS as u16).to_be_bytes());
                header[2..4].copy_from_slice(&(length as u16).to_be_bytes());
                header[4..].copy_from_slice(&carrier.code.to_be_bytes());
            }
        }
    }

    fn store_suboptions(&mut self, id: SpaceId, space: &Space) {
        for entry in self.options.entries(id) {
            let (name, code) = (&space.name, entry.option.code);
            let mut value = Vec::new();
            if !(self.evaluate)(entry, &mut value) {
                let text = format!("Error evaluating option {code} in VSIO space {name}.");
                self.lines.push(Line::error(text));
                continue;
            }
            let needed = value.len() + usize::from(space.code_width) + usize::from(space.length_width);
            if self.out.len() + needed > self.room {
                self.lines.push(Line::debug(format!("No space for option {code} in VSIO space {name}.")));
                continue;
            }
            let tail =
                |number: u32, width: u8| number.to_be_bytes().into_iter().skip(4 - usize::from(width.min(4)));
            self.out.extend(tail(code, space.code_width));
            self.out.extend(tail(value.len() as u32, space.length_width));
            self.out.extend_from_slice(&value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Format;

    fn set(options: &mut OptionState<Vec<u8>>, spaces: &Spaces, space: SpaceId, code: u32, value: &[u8]) {
        options.push(spaces, spaces.by_code(space, code), value.to_vec());
    }

    fn pack(
        spaces: &Spaces,
        options: &OptionState<Vec<u8>>,
        required: &[u16],
        requested: &[u16],
        room: usize,
    ) -> (Vec<u8>, Vec<String>) {
        let requested: Vec<u8> = requested.iter().flat_map(|code| code.to_be_bytes()).collect();
        let mut lines = Vec::new();
        // An empty value stands for an absent one.
        let mut evaluate = |entry: &Entry<Vec<u8>>, out: &mut Vec<u8>| {
            out.extend_from_slice(&entry.value);
            entry.value != b"absent"
        };
        let packed = pack_options6(spaces, options, required, &requested, room, &mut evaluate, &mut lines);
        (packed, lines.iter().map(|line| String::from_utf8_lossy(&line.text).into_owned()).collect())
    }

    #[test]
    fn required_options_come_first_then_requested_ones() {
        let spaces = Spaces::new();
        let mut options = OptionState::new();
        set(&mut options, &spaces, Spaces::DHCP6, 1, b"client");
        set(&mut options, &spaces, Spaces::DHCP6, 2, b"server");
        set(&mut options, &spaces, Spaces::DHCP6, 23, &[9; 16]);
        set(&mut options, &spaces, Spaces::DHCP6, 14, b"");
        set(&mut options, &spaces, Spaces::DHCP6, 3, b"ia1");
        set(&mut options, &spaces, Spaces::DHCP6, 3, b"ia2");
        let (packed, lines) = pack(&spaces, &options, &[1, 2, 14, 3], &[24, 23, 2], 1000);
        assert!(lines.is_empty());
        let expected = [
            &b"\0\x01\0\x06client\0\x02\0\x06server\0\x0e\0\0\0\x03\0\x03ia1\0\x03\0\x03ia2\0\x17\0\x10"[..],
            &[9; 16],
        ];
        assert_eq!(packed, expected.concat());
        let (packed, lines) = pack(&spaces, &options, &[1, 2, 14, 3], &[23], 30);
        assert_eq!(packed, b"\0\x01\0\x06client\0\x02\0\x06server\0\x0e\0\0");
        assert_eq!(lines, ["No space for option 3", "No space for option 3", "No space for option 23"]);
    }

    #[test]
    fn spaces_and_vendor_options() {
        let mut spaces = Spaces::new();
        let acme = spaces.define_space("acme", 2, 2);
        let format = |letters| Format::parse(letters).unwrap();
        spaces.define_option(acme, "a", 1, format("t")).unwrap();
        spaces.define_option(Spaces::VSIO, "acme", 9, format("Eacme.")).unwrap();
        let mut options = OptionState::new();
        set(&mut options, &spaces, Spaces::FQDN, 8, b"pc.example");
        set(&mut options, &spaces, Spaces::FQDN, 2, &[1]);
        set(&mut options, &spaces, acme, 1, b"x");
        set(&mut options, &spaces, acme, 2, b"absent");
        set(&mut options, &spaces, Spaces::ISC6, 1, b"m");
        let (packed, lines) = pack(&spaces, &options, &[], &[39, 17], 1000);
        let expected = [
            &b"\0\x27\0\x0d\x01\x02pc\x07example\0"[..],
            b"\0\x11\0\x09\0\0\x09\xbf\0\0\0\x01m",
            b"\0\x11\0\x09\0\0\0\x09\0\x01\0\x01x",
        ];
        assert_eq!(packed, expected.concat());
        assert_eq!(lines, ["Error evaluating option 2 in VSIO space acme."]);
        assert_eq!(pack(&spaces, &options, &[], &[23], 1000).0, b"");
    }
}
