//! The server's DUID. dhcpd chooses one at every start and appends it to the lease file, whatever it serves.
//!
//! Mirrors ISC `server/dhcpd.c:main` and `server/dhcpv6.c:generate_new_server_duid`.

use super::startup::Database;
use crate::config::Config;
use crate::config::network::{Hardware, ServerDuid};
use crate::lease::write_server_duid;
use crate::options::Octets;
use crate::time::Seconds;

/// 2000-01-01 UTC, from which a DUID counts its time (RFC 8415 section 11.2).
const DUID_EPOCH: Seconds = 946_684_800;

/// The DUID: `option dhcp6.server-id`, else that of the lease file, else that of the configuration, else one made of
/// the hardware address of the first interface served. `None` when there is nothing to make one of.
pub fn server_duid(
    config: &Config,
    database: &Database,
    option: Option<Octets>,
    first: Option<&Hardware>,
    now: Seconds,
) -> Option<Vec<u8>> {
    if let Some(option) = option {
        return Some(option.to_vec());
    }
    if let Some(known) = database.server_duid() {
        return Some(known.to_vec());
    }
    let with_time = match &config.server_duid {
        Some(ServerDuid::Octets(octets)) => return Some(octets.to_vec()),
        Some(ServerDuid::GenerateLl) => false,
        Some(ServerDuid::GenerateLlt) | None => true,
    };
    Some(generate(first?, with_time.then_some(now)))
}

/// A DUID-LLT when there is a time, else a DUID-LL.
fn generate(hardware: &Hardware, time: Option<Seconds>) -> Vec<u8> {
    const DUID_LLT: u16 = 1;
    const DUID_LL: u16 = 3;
    let kind = if time.is_some() { DUID_LLT } else { DUID_LL };
    let mut duid = kind.to_be_bytes().to_vec();
    duid.extend(u16::from(hardware.htype).to_be_bytes());
    if let Some(time) = time {
        // Modulo 2^32, as the RFC says.
        duid.extend((time.wrapping_sub(DUID_EPOCH) as u32).to_be_bytes());
    }
    duid.extend(&hardware.address);
    duid
}

/// The entry for the lease file.
pub fn entry(config: &Config, duid: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    write_server_duid(&mut text, duid, config.lease_id_format);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::network::LeaseIdFormat;

    #[test]
    fn generated_from_a_hardware_address() {
        let hardware = Hardware { htype: 1, address: vec![2, 0, 0, 0, 0x99, 1] };
        assert_eq!(generate(&hardware, None), [0, 3, 0, 1, 2, 0, 0, 0, 0x99, 1]);
        let duid = generate(&hardware, Some(DUID_EPOCH + 0x0102_0304));
        assert_eq!(duid, [0, 1, 0, 1, 1, 2, 3, 4, 2, 0, 0, 0, 0x99, 1]);
    }

    #[test]
    fn written_in_both_formats() {
        let mut text = Vec::new();
        write_server_duid(&mut text, b"\0\x01a\"", LeaseIdFormat::Octal);
        write_server_duid(&mut text, b"\0\x01a\"", LeaseIdFormat::Hex);
        assert_eq!(text, b"server-duid \"\\000\\001a\\\"\";\n\nserver-duid 00:01:61:22;\n\n");
    }
}
