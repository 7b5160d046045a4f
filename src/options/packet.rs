//! The options of a received packet.
//!
//! Mirrors ISC `common/options.c:parse_options` and `parse_option_buffer`: the option area, then `file` and `sname` as
//! far as option 52 says, each up to its own END. Repeated `dhcp` options become one long option (RFC 3396), other
//! spaces keep the repetitions; options that carry a space are split into it as well. A malformed option drops a
//! packet, but inside a carried space it costs only a line and what follows it there.

use std::ops::Deref;

use super::fqdn;
use super::octets::Octets;
use super::space::{OptionId, SpaceId, Spaces, Wire};
use super::state::OptionState;
use crate::log::Line;

/// A value as it came in a packet; dereferences to its octets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// The value, without the trailing NULs of a text option.
    pub octets: Octets,
    /// A text option that ended in NULs: the client probably expects them back (RFC 2132 section 2).
    pub had_nuls: bool,
}

impl Deref for Received {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.octets
    }
}

/// The options of a received packet.
pub type PacketOptions = OptionState<Received>;

/// The parts of a DHCPv4 packet that can hold options.
#[derive(Clone, Copy, Debug, Default)]
pub struct OptionFields<'a> {
    /// What follows the magic cookie, to the end of the datagram.
    pub options: &'a [u8],
    /// The `file` field, 128 octets.
    pub file: &'a [u8],
    /// The `sname` field, 64 octets.
    pub sname: &'a [u8],
}

/// A malformed option: the line about it has been handed out, and the packet is to be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed option")]
pub struct Malformed;

/// Spaces can be carried inside spaces; a configuration can even make a space carry itself. dhcpd follows as long as
/// there are octets.
pub(super) const MAX_DEPTH: usize = 16;

const PAD: u32 = 0;
const HOST_NAME: u32 = 12;
const OVERLOAD: u32 = 52;
const MESSAGE_TYPE: u32 = 53;

/// Reads the options of a DHCPv4 packet into `options`. On an error the packet must be dropped; `lines` says why.
pub fn parse_packet_options(
    spaces: &Spaces,
    fields: OptionFields<'_>,
    options: &mut PacketOptions,
    lines: &mut Vec<Line>,
) -> Result<(), Malformed> {
    if let Err(malformed) = decode_options(spaces, Spaces::DHCP, fields.options, options, lines) {
        // Replies with junk at their end are let through (ISC `parse_options`); a server ignores them by their type.
        match first_octet(options, MESSAGE_TYPE) {
            Some(2 | 5 | 6) => {}
            _ => return Err(malformed),
        }
    }
    let overload = first_octet(options, OVERLOAD).unwrap_or(0);
    if overload & 1 != 0 {
        decode_options(spaces, Spaces::DHCP, fields.file, options, lines)?;
    }
    if overload & 2 != 0 {
        decode_options(spaces, Spaces::DHCP, fields.sname, options, lines)?;
    }
    Ok(())
}

/// The first octet of a `dhcp` option, if it has one.
fn first_octet(options: &PacketOptions, code: u32) -> Option<u8> {
    options.value(Spaces::DHCP, code)?.first().copied()
}

/// Splits the value of a space's carrier (the inside of option 82, 124, 125, of option 43 for `parse-vendor-option`, a
/// whole DHCPv6 options area...) into that space. What stands before a malformed option is kept.
pub fn decode_options(
    spaces: &Spaces,
    space: SpaceId,
    octets: &[u8],
    options: &mut PacketOptions,
    lines: &mut Vec<Line>,
) -> Result<(), Malformed> {
    decode(spaces, space, octets, options, lines, 0)
}

fn decode(
    spaces: &Spaces,
    id: SpaceId,
    octets: &[u8],
    options: &mut PacketOptions,
    lines: &mut Vec<Line>,
    depth: usize,
) -> Result<(), Malformed> {
    let space = spaces.space(id);
    match space.wire {
        Wire::Options | Wire::Nwip => {}
        Wire::Fqdn => return fqdn::decode(spaces, octets, options, lines),
        Wire::Fqdn6 => return fqdn::decode6(spaces, octets, options, lines),
        Wire::Never => return Ok(()),
    }
    let malformed = |lines: &mut Vec<Line>, code: u32, reason: &str| {
        // dhcpd has let go of the definition before it prints its name: the option is always `<unknown>`.
        let text = format!(
            "parse_option_buffer: malformed option {}.<unknown> (code {code}): {reason}.",
            space.name
        );
        lines.push(Line::error(text));
        Err(Malformed)
    };
    let (code_width, length_width) = (usize::from(space.code_width), usize::from(space.length_width));
    let mut rest = octets;
    while let Some((code, after)) = number(rest, code_width) {
        if code == space.end {
            break;
        }
        rest = after;
        if code == PAD {
            continue;
        }
        let length = if length_width == 0 {
            // The option takes the whole area, wherever in it it begins.
            octets.len().saturating_sub(code_width)
        } else {
            match number(rest, length_width) {
                Some((length, after)) => {
                    rest = after;
                    length as usize
                }
                None => return malformed(lines, code, "code tag at end of buffer - missing length field"),
            }
        };
        let Some((value, after)) = rest.split_at_checked(length) else {
            return malformed(lines, code, "option length exceeds option buffer length");
        };
        rest = after;
        let option = spaces.by_code(id, code);
        if depth < MAX_DEPTH
            && let Some(inner) = spaces.definition(option).and_then(|def| def.encapsulates)
        {
            // The raw value is kept whether or not its inside makes sense.
            let _ = decode(spaces, inner, value, options, lines, depth + 1);
        }
        if id == Spaces::DHCP && code == HOST_NAME && value.is_empty() {
            lines.push(Line::debug("Ignoring empty DHO_HOST_NAME option"));
            continue;
        }
        match options.get_mut(id, code) {
            None => save(spaces, options, option, value),
            Some(entry) if space.concatenates => entry.value.octets = entry.value.octets.concat(value),
            Some(entry) => entry.more.push(Received { octets: value.into(), had_nuls: false }),
        }
    }
    Ok(())
}

/// Sets an option from a packet; text loses its trailing NULs (ISC `prepare_option_buffer`).
pub(super) fn save(spaces: &Spaces, options: &mut PacketOptions, option: OptionId, value: &[u8]) {
    let mut kept = value;
    let mut had_nuls = false;
    if let Some(def) = spaces.definition(option).filter(|def| def.has_text) {
        while kept.len() > def.min_length
            && let [before @ .., 0] = kept
        {
            kept = before;
            had_nuls = true;
        }
    }
    options.set(spaces, option, Received { octets: kept.into(), had_nuls });
}

/// A big-endian number of 1, 2 or 4 octets and what follows it.
fn number(octets: &[u8], width: usize) -> Option<(u32, &[u8])> {
    if width == 0 {
        return None;
    }
    let (number, rest) = octets.split_at_checked(width)?;
    Some((number.iter().fold(0, |sum, &octet| sum << 8 | u32::from(octet)), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Format;
    use proptest::prelude::*;

    fn parse(fields: OptionFields<'_>) -> (Result<(), Malformed>, PacketOptions, Vec<String>) {
        parse_with(&Spaces::new(), fields)
    }

    fn parse_with(
        spaces: &Spaces,
        fields: OptionFields<'_>,
    ) -> (Result<(), Malformed>, PacketOptions, Vec<String>) {
        let (mut options, mut lines) = (PacketOptions::new(), Vec::new());
        let result = parse_packet_options(spaces, fields, &mut options, &mut lines);
        (result, options, lines.iter().map(|line| String::from_utf8_lossy(&line.text).into_owned()).collect())
    }

    fn main(options: &[u8]) -> (Result<(), Malformed>, PacketOptions, Vec<String>) {
        parse(OptionFields { options, ..OptionFields::default() })
    }

    fn dhcp(options: &PacketOptions, code: u32) -> Option<Vec<u8>> {
        options.value(Spaces::DHCP, code).map(|value| value.to_vec())
    }

    #[test]
    fn padding_end_and_a_missing_end() {
        let (result, options, lines) = main(&[0, 53, 1, 1, 0, 0, 255, 12, 1, b'x']);
        assert_eq!((result, lines.len()), (Ok(()), 0));
        assert_eq!(dhcp(&options, 53), Some(vec![1]));
        assert_eq!(dhcp(&options, 12), None, "what follows END is invisible");
        assert_eq!(main(&[53, 1, 3]).0, Ok(()));
        assert_eq!(main(&[]).0, Ok(()));
    }

    #[test]
    fn malformed_options_drop_the_packet() {
        let (result, _, lines) = main(&[53, 1, 1, 12, 5, b'a']);
        assert_eq!(result, Err(Malformed));
        assert_eq!(
            lines,
            [
                "parse_option_buffer: malformed option dhcp.<unknown> (code 12): option length exceeds option buffer length."
            ]
        );
        let (result, _, lines) = main(&[53, 1, 1, 12]);
        assert_eq!(result, Err(Malformed));
        assert_eq!(
            lines,
            [
                "parse_option_buffer: malformed option dhcp.<unknown> (code 12): code tag at end of buffer - missing length field."
            ]
        );
        assert_eq!(main(&[53, 1, 5, 12, 9]).0, Ok(()), "an ACK with junk at its end");
        assert_eq!(main(&[12, 9, 53, 1, 5]).0, Err(Malformed));
    }

    #[test]
    fn overload_reads_file_then_sname_and_joins_repetitions() {
        let fields = OptionFields {
            options: &[53, 1, 1, 55, 1, 1, 52, 1, 3, 255],
            file: &[55, 2, 3, 6, 255, 12, 1, b'x'],
            sname: &[0, 55, 1, 15, 12, 2, b'h', b'i'],
        };
        let (result, options, _) = parse(fields);
        assert_eq!(result, Ok(()));
        assert_eq!(dhcp(&options, 55), Some(vec![1, 3, 6, 15]));
        assert_eq!(dhcp(&options, 12), Some(b"hi".to_vec()));
        let one = OptionFields { options: &[52, 1, 2], ..fields };
        assert_eq!(dhcp(&parse(one).1, 55), Some(vec![15]));
        let none = OptionFields { options: &[52, 0, 53, 1, 1], ..fields };
        assert_eq!(dhcp(&parse(none).1, 55), None, "an empty option 52 overloads nothing");
        let broken = OptionFields { sname: &[12, 64], ..fields };
        assert_eq!(parse(broken).0, Err(Malformed));
    }

    #[test]
    fn text_loses_trailing_nuls_once() {
        let (_, options, _) = main(&[12, 4, b'p', b'c', 0, 0, 61, 2, 1, 0]);
        let name = options.value(Spaces::DHCP, 12).unwrap();
        assert_eq!((name.to_vec(), name.had_nuls), (b"pc".to_vec(), true));
        let id = options.value(Spaces::DHCP, 61).unwrap();
        assert_eq!((id.to_vec(), id.had_nuls), (vec![1, 0], false));
        // Only the first piece of a repeated option is looked at.
        let (_, options, _) = main(&[12, 2, b'p', 0, 12, 2, b'c', 0]);
        assert_eq!(dhcp(&options, 12), Some(b"pc\0".to_vec()));
        // A mandatory flag stays even if it is zero.
        let (_, options, _) = main(&[79, 2, 0, 0]);
        assert_eq!(dhcp(&options, 79), Some(vec![0]));
    }

    #[test]
    fn an_empty_host_name_is_ignored_with_a_line() {
        let (result, options, lines) = main(&[12, 0, 53, 1, 1]);
        assert_eq!((result, dhcp(&options, 12)), (Ok(()), None));
        assert_eq!(lines, ["Ignoring empty DHO_HOST_NAME option"]);
        assert_eq!(dhcp(&main(&[61, 0]).1, 61), Some(vec![]));
    }

    #[test]
    fn agent_options_are_split_and_keep_repetitions() {
        let (result, options, lines) =
            main(&[82, 12, 1, 1, b'a', 1, 1, b'b', 255, 0, 0, 9, 1, b'x', 82, 3, 2, 1, b'r']);
        assert_eq!((result, lines.len()), (Ok(()), 0));
        let agent = options.entries(Spaces::AGENT);
        assert_eq!(agent.iter().map(|e| e.option.code).collect::<Vec<_>>(), [1, 255, 2]);
        assert_eq!((&*agent[0].value, &*agent[0].more[0]), (&b"a"[..], &b"b"[..]));
        assert_eq!(dhcp(&options, 82).unwrap().len(), 15, "the raw value is kept");
        let (result, options, lines) = main(&[82, 5, 1, 1, b'a', 2, 9, 53, 1, 1]);
        assert_eq!(result, Ok(()));
        assert_eq!(options.entries(Spaces::AGENT).len(), 1);
        assert_eq!(
            lines,
            [
                "parse_option_buffer: malformed option agent.<unknown> (code 2): option length exceeds option buffer length."
            ]
        );
    }

    #[test]
    fn enterprises_and_user_spaces_are_split() {
        let (_, options, _) =
            main(&[124, 7, 0, 0, 9, 191, 2, b'o', b'k', 125, 10, 0, 0, 9, 191, 5, 0, 1, 0, 1, b'm']);
        assert_eq!(options.value(Spaces::VIVCO, 2495).unwrap().octets.as_slice(), b"ok");
        assert_eq!(options.value(Spaces::ISC, 1).unwrap().octets.as_slice(), b"m");
        let mut spaces = Spaces::new();
        let acme = spaces.define_space("acme", 1, 1);
        spaces.define_option(acme, "name", 1, Format::parse("t").unwrap()).unwrap();
        spaces.define_option(Spaces::DHCP, "acme", 201, Format::parse("Eacme.").unwrap()).unwrap();
        // A space that carries itself ends.
        spaces.define_option(acme, "again", 2, Format::parse("Eacme.").unwrap()).unwrap_err();
        let fields = OptionFields { options: &[201, 5, 2, 3, 1, 1, b'x'], ..OptionFields::default() };
        let (_, options, _) = parse_with(&spaces, fields);
        assert_eq!(options.value(acme, 1).unwrap().octets.as_slice(), b"x");
    }

    #[test]
    fn a_space_without_lengths_is_one_option() {
        let spaces = Spaces::new();
        let (mut options, mut lines) = (PacketOptions::new(), Vec::new());
        let octets = [0, 0, 9, 191, 0, 0, 0, 1, b'm', b'e'];
        decode_options(&spaces, Spaces::VSIO, &octets, &mut options, &mut lines).unwrap();
        assert_eq!(options.value(Spaces::ISC6, 1).unwrap().octets.as_slice(), b"me");
    }

    proptest! {
        #[test]
        fn octets_never_panic(options: Vec<u8>, file: [u8; 16], sname: [u8; 16]) {
            let fields = OptionFields { options: &options, file: &file, sname: &sname };
            let (result, parsed, lines) = parse(fields);
            prop_assert!(result.is_ok() || !lines.is_empty());
            prop_assert!(parsed.iter().all(|e| e.value.len() <= options.len() + 64));
        }

        #[test]
        fn carried_spaces_never_panic(code in prop::sample::select(vec![43u8, 63, 81, 82, 124, 125]), inner: Vec<u8>) {
            let inner = &inner[..inner.len().min(255)];
            let octets = [&[code, inner.len() as u8], inner].concat();
            let (result, options, _) = main(&octets);
            prop_assert!(result.is_ok());
            prop_assert_eq!(dhcp(&options, u32::from(code)).unwrap(), inner);
        }
    }
}

#[cfg(test)]
mod vectors;
