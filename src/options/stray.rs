//! An address option that is too short for an address.
//!
//! dhcpd takes four octets from options 50 and 54 whatever their length (ISC `server/dhcp.c:dhcprequest`,
//! `find_lease`): a short value goes on in what stands behind it in dhcpd's copy of the packet, where each value was
//! followed by a NUL when it was read (ISC `common/options.c:prepare_option_buffer`). The address so found is looked
//! up and stands in the log line.

use super::packet::OptionFields;

const PAD: u8 = 0;
const HOST_NAME: u8 = 12;
const END: u8 = 255;

/// The four octets dhcpd sees where the value of option `code` begins. `overload` is the first octet of option 52, or
/// 0. `None`: there is no such option.
pub fn stray_address(fields: OptionFields<'_>, overload: u8, code: u8) -> Option<[u8; 4]> {
    let file = if overload & 1 != 0 { fields.file } else { &[] };
    let sname = if overload & 2 != 0 { fields.sname } else { &[] };
    let mut seen = [false; 256];
    let mut found: Option<[u8; 4]> = None;
    let mut pieces: Vec<u8> = Vec::new();
    let mut repeated = false;
    for area in [fields.options, file, sname] {
        let mut copy = area.to_vec();
        let mut start = None;
        for (option, at, length) in options(area) {
            if option == code {
                repeated |= seen[usize::from(code)];
                pieces.extend(area.iter().skip(at).take(length));
            }
            if std::mem::replace(&mut seen[usize::from(option)], true) {
                continue;
            }
            if let Some(behind) = copy.get_mut(at + length) {
                *behind = 0;
            }
            if option == code {
                start = Some(at);
            }
        }
        if let Some(at) = start {
            found = Some(four(copy.get(at..).unwrap_or_default()));
        }
    }
    // Pieces are joined in memory of their own.
    if repeated { Some(four(&pieces)) } else { found }
}

/// The first four octets, filled with zeros.
fn four(octets: &[u8]) -> [u8; 4] {
    let mut four = [0; 4];
    four.iter_mut().zip(octets).for_each(|(to, from)| *to = *from);
    four
}

/// Code, offset and length of the values of a well-formed area. An empty host name does not count.
fn options(area: &[u8]) -> impl Iterator<Item = (u8, usize, usize)> {
    let mut next = 0;
    std::iter::from_fn(move || {
        loop {
            let code = *area.get(next)?;
            match code {
                END => return None,
                PAD => next += 1,
                _ => {
                    let length = usize::from(*area.get(next + 1)?);
                    let at = next + 2;
                    next = at + length;
                    if code != HOST_NAME || length != 0 {
                        return Some((code, at, length));
                    }
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn main(options: &[u8]) -> Option<[u8; 4]> {
        stray_address(OptionFields { options, ..OptionFields::default() }, 0, 50)
    }

    // What the real dhcpd logged for these is in the scenario `short-addresses`.
    #[test]
    fn a_short_address_goes_on_in_what_follows() {
        assert_eq!(main(&[53, 1, 3, 255]), None);
        assert_eq!(main(&[50, 4, 10, 91, 0, 11, 255]), Some([10, 91, 0, 11]));
        assert_eq!(main(&[50, 3, 10, 91, 0, 55, 1, 1, 255]), Some([10, 91, 0, 0]), "a NUL is behind it");
        assert_eq!(main(&[50, 2, 10, 91, 0, 16, 1, 65, 255]), Some([10, 91, 0, 16]));
        assert_eq!(main(&[50, 0, 10, 2, 91, 0, 255]), Some([0, 2, 91, 0]));
        assert_eq!(main(&[50, 1, 10, 255, 91, 0, 13]), Some([10, 0, 91, 0]), "what is behind END counts");
        assert_eq!(main(&[50, 0]), Some([0; 4]));
        assert_eq!(main(&[50, 0, 60, 1, 7, 9, 1, 5]), Some([0, 1, 7, 0]));
        assert_eq!(main(&[50, 0, 60, 0, 61, 1, 9]), Some([0, 0, 0, 1]), "so is one behind the next option");
    }

    #[test]
    fn pieces_are_joined_before_they_are_read() {
        assert_eq!(main(&[50, 2, 10, 91, 50, 1, 7, 255]), Some([10, 91, 7, 0]));
        let fields = OptionFields { options: &[52, 1, 1], file: &[50, 3, 10, 91, 7, 12, 1, 65], sname: &[] };
        assert_eq!(stray_address(fields, 1, 50), Some([10, 91, 7, 0]));
        assert_eq!(stray_address(fields, 0, 50), None);
    }

    proptest::proptest! {
        #[test]
        fn octets_never_panic(options: Vec<u8>, file: Vec<u8>, sname: Vec<u8>, overload: u8) {
            let _ = stray_address(OptionFields { options: &options, file: &file, sname: &sname }, overload, 50);
        }
    }
}
