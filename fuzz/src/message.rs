//! Messages that clients and relays could send, chosen by the fuzzer.

use libfuzzer_sys::arbitrary::{Result, Unstructured};

const ADDRESSES: [[u8; 4]; 12] = [
    [0, 0, 0, 0],
    [10, 0, 0, 5],
    [10, 0, 0, 10],
    [10, 0, 0, 11],
    [10, 0, 0, 12],
    [10, 0, 0, 100],
    [10, 0, 0, 101],
    [10, 0, 0, 200],
    [10, 1, 0, 1],
    [10, 1, 0, 254],
    [192, 0, 2, 1],
    [255, 255, 255, 255],
];

const IDENTIFIERS: [&[u8]; 6] = [b"known", b"\0a", b"", b"b", b"\x01\x02\0\0\0\0\x01", &[0xff; 40]];

const CODES: [u8; 24] =
    [12, 43, 50, 51, 52, 53, 54, 55, 56, 57, 60, 61, 66, 67, 77, 81, 82, 90, 93, 118, 119, 124, 125, 200];

/// A DHCP or BOOTP message.
///
/// # Errors
/// When there is not enough input left.
pub fn message(input: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let address = |input: &mut Unstructured<'_>| Ok(*input.choose(&ADDRESSES)?);
    let kind = *input.choose(&[1u8, 1, 1, 3, 3, 3, 3, 4, 7, 7, 8, 10, 0, 2])?;
    let shape: u16 = input.arbitrary()?;
    let client = input.int_in_range(0..=5u8)?;
    let mut octets = vec![0; 236];
    octets[0] = if shape & 0xf000 == 0xf000 { 2 } else { 1 };
    octets[1] = 1;
    octets[2] = 6;
    octets[7] = client;
    if shape & 0x0f00 == 0x0f00 {
        octets[1] = input.arbitrary()?;
        octets[2] = input.int_in_range(0..=17u8)?;
    }
    octets[9] = (shape & 0xff) as u8;
    octets[10] = ((shape >> 4) & 0x80) as u8;
    if shape & 3 == 3 {
        octets[12..16].copy_from_slice(&address(input)?);
    }
    if shape & 12 == 12 {
        octets[3] = 1;
        octets[24..28].copy_from_slice(&address(input)?);
    }
    octets[28..34].copy_from_slice(&[2, 0, 0, 0, 0, client]);
    if kind == 0 && shape & 0x40 == 0 {
        return Ok(octets);
    }
    octets.extend_from_slice(&[0x63, 0x82, 0x53, 0x63]);
    let option = |octets: &mut Vec<u8>, code: u8, value: &[u8]| {
        octets.extend([code, value.len().min(255) as u8]);
        octets.extend(value.iter().take(255));
    };
    if kind != 0 {
        option(&mut octets, 53, &[kind]);
    }
    if shape & 0x10 == 0x10 {
        option(&mut octets, 50, &address(input)?);
    }
    if shape & 0x20 == 0x20 {
        let server = if shape & 0x80 == 0 { [10, 0, 0, 1] } else { address(input)? };
        option(&mut octets, 54, &server);
    }
    if shape & 0x600 == 0x600 {
        option(&mut octets, 61, input.choose(&IDENTIFIERS)?);
    }
    if shape & 0x800 == 0x800 {
        option(&mut octets, 55, &[1, 3, 6, 12, 15, 43, 66, 67, 82, 119, 125]);
    }
    for _ in 0..input.int_in_range(0..=4u8)? {
        let code = *input.choose(&CODES)?;
        let length = input.int_in_range(0..=20usize)?;
        let value = input.bytes(length.min(input.len()))?;
        option(&mut octets, code, value);
    }
    octets.push(255);
    Ok(octets)
}
