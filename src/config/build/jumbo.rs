//! DHCPv6 pools that hold more than dhcpd can count (ISC `server/confpars.c:add_ipv6_pool_to_subnet`,
//! `common/inet.c:range2cidr`, `server/mdb6.c:report_jumbo_ranges`).

use crate::config::Config;
use crate::config::network::{Pool, Range6};
use crate::log::Line;
use crate::options::ip6_text;
use std::net::Ipv6Addr;

/// dhcpd ends the list when it has this many octets.
const LIST_FULL: usize = 1031;

/// A log line that is longer is cut (ISC `omapip/errwarn.c`).
const LONGEST_LINE: usize = 1023;

/// What dhcpd says once a configuration was read: a line for each pool that is too large for `log-threshold-high`. The
/// last network comes first.
pub fn jumbo_ranges(config: &Config) -> Vec<Line> {
    let networks = config.shared_networks.iter().rev();
    let pools =
        networks.flat_map(|network| network.pools.iter()).filter_map(|id| config.pools.get(id.index()));
    pools.filter(|pool| is_jumbo(pool)).map(report).collect()
}

fn report(pool: &Pool) -> Line {
    let mut list = String::new();
    for (address, length, _) in pool.ranges6.iter().flat_map(|range| blocks(*range)) {
        if list.len() >= LIST_FULL {
            break;
        }
        if !list.is_empty() {
            list.push_str(", ");
        }
        list.push_str(&format!("{}/{length}", ip6_text(address)));
    }
    let mut text = format!("Threshold logging disabled for shared subnet of ranges: {list}").into_bytes();
    text.truncate(LONGEST_LINE);
    Line::info(text)
}

/// Whether a pool has more than 2^64 - 1 leases as dhcpd counts them: a block of exactly 2^64 it takes for one.
fn is_jumbo(pool: &Pool) -> bool {
    let mut total = 0_u64;
    for (_, length, unit) in pool.ranges6.iter().flat_map(|range| blocks(*range)) {
        let count = match unit.saturating_sub(length) {
            64 => Some(1),
            bits => 1_u64.checked_shl(bits.into()),
        };
        match count.and_then(|count| total.checked_add(count)) {
            Some(sum) => total = sum,
            None => return true,
        }
    }
    false
}

/// The blocks dhcpd splits a range into: address, length in bits, and how many bits of a lease's own there are at most.
fn blocks(range: Range6) -> Vec<(Ipv6Addr, u8, u8)> {
    match range {
        Range6::Block(address, length, _) => vec![(address, length, 128)],
        Range6::Addresses(first, last) => {
            split(first, last).into_iter().map(|(address, length)| (address, length, 128)).collect()
        }
        // The last prefix is one address to dhcpd. All others are as long as a prefix, or shorter.
        Range6::Prefixes(first, last, unit) => split(first, last)
            .into_iter()
            .map(|(address, length)| (address, length.min(unit), unit))
            .collect(),
    }
}

/// The fewest blocks that cover `first` to `last`, the highest first. At most 254.
fn split(first: Ipv6Addr, last: Ipv6Addr) -> Vec<(Ipv6Addr, u8)> {
    let (mut at, last) = (first.to_bits(), last.to_bits());
    let mut blocks = Vec::new();
    while at <= last {
        // The largest block that begins here and does not reach beyond the end. At most 128 bits.
        let room = (last - at).checked_add(1).map_or(128, u128::ilog2);
        let free = at.trailing_zeros().min(room);
        blocks.push((Ipv6Addr::from_bits(at), (128 - free) as u8));
        match 1_u128.checked_shl(free).and_then(|size| at.checked_add(size)) {
            Some(next) => at = next,
            None => break,
        }
    }
    blocks.reverse();
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Family;
    use crate::config::build::build;
    use crate::syntax::{LoadError, parse};
    use proptest::prelude::*;

    fn said(text: &str) -> Vec<String> {
        let mut no_files = |_: &[u8]| Err(LoadError { errno: None, message: String::new() });
        let parsed = parse(b"dhcpd.conf", text.into(), &mut no_files);
        let built = build(&parsed, Family::V6);
        assert!(built.accepted(), "{:?}", built.diagnostics);
        let lines = jumbo_ranges(&built.config).into_iter();
        lines.map(|line| String::from_utf8(line.text).unwrap()).collect()
    }

    fn lists(text: &str) -> Vec<String> {
        let prefix = "Threshold logging disabled for shared subnet of ranges: ";
        said(text).iter().map(|line| line.strip_prefix(prefix).unwrap().to_owned()).collect()
    }

    // What is expected is what dhcpd 4.4.3-P1 prints.

    #[test]
    fn a_pool_too_large_to_count_is_named() {
        assert_eq!(lists("subnet6 2001:db8::/32 { range6 2001:db8::/63; }"), ["2001:db8::/63"]);
        assert_eq!(lists("subnet6 ::/0 { range6 :: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff; }"), ["::/0"]);
        assert_eq!(
            lists("subnet6 2001:db8::/32 { range6 2001:db8::/65; range6 2001:db8:0:0:8000::/65; }"),
            ["2001:db8::/65, 2001:db8:0:0:8000::/65"]
        );
        assert!(lists("subnet6 2001:db8::/32 { range6 2001:db8::/65; }").is_empty());
    }

    #[test]
    fn a_block_of_64_bits_counts_as_one_lease() {
        assert!(lists("subnet6 2001:db8::/32 { range6 2001:db8::/64; range6 2001:db8:1::/64; }").is_empty());
        // 2^63 + 2^62 + 2^61 + 1.
        let three = "range6 2001:db8:0:1::/65; range6 2001:db8:0:1:8000::/66; range6 2001:db8:0:2::/67;";
        assert!(lists(&format!("subnet6 2001:db8::/32 {{ {three} range6 2001:db8::/64; }}")).is_empty());
        assert!(lists("subnet6 2001:db8::/32 { prefix6 4000:: 8000:: /66; }").is_empty());
        let tipped = format!("subnet6 2001:db8::/32 {{ {three} range6 2001:db8:3::/67; }}");
        assert_eq!(lists(&tipped).len(), 1);
    }

    #[test]
    fn prefixes_count_by_their_length() {
        assert_eq!(
            lists(
                "subnet6 2001:db8::/32 { prefix6 2001:db8:: 2001:db8:300:: /40; prefix6 4000:: 8000:: /127; }"
            ),
            ["2001:db8:300::/40, 2001:db8:200::/40, 2001:db8::/39, 8000::/127, 4000::/2"]
        );
        assert_eq!(lists("subnet6 2001:db8::/32 { prefix6 8000:: 4000:: /68; }"), ["8000::/68, 4000::/2"]);
        assert!(lists("subnet6 2001:db8::/32 { prefix6 2001:db8:: 2001:db8:ff00:: /40; }").is_empty());
    }

    #[test]
    fn each_pool_has_a_line_and_the_last_network_comes_first() {
        let text = "subnet6 2001:db8::/32 { range6 2001:db8::/63;
                      pool6 { range6 2001:db8:1::/48; range6 2001:db8:2::/64 temporary; } range6 2001:db8:3::/64; }
                    shared-network x { subnet6 2001:db9::/32 { range6 2001:db9::/48; } }
                    subnet6 2001:dba::/32 { range6 2001:dba::/63; option dhcp6.name-servers ::1; range6 2001:dba:5::/63; }";
        assert_eq!(
            lists(text),
            [
                "2001:dba::/63",
                "2001:dba:5::/63",
                "2001:db9::/48",
                "2001:db8::/63, 2001:db8:3::/64",
                "2001:db8:1::/48, 2001:db8:2::/64"
            ]
        );
    }

    #[test]
    fn a_long_list_is_cut() {
        let lines = said("subnet6 2001:db8::/32 { range6 2001:db8::1 2001:db8:0:f::ffff; }");
        assert_eq!(lines[0].len(), 1023);
        assert!(lines[0].ends_with("2001:db8::800:0/101, 2001:db8::400:0/102, 20"));
    }

    proptest! {
        #[test]
        fn blocks_cover_a_range_without_gap_or_overlap(one: u128, other: u128, near: bool) {
            let other = if near { one.saturating_add(other >> 100) } else { other };
            let (first, last) = (one.min(other), one.max(other));
            let mut blocks = split(first.into(), last.into());
            prop_assert!(blocks.len() <= 254);
            blocks.reverse();
            let mut next = Some(first);
            for (address, length) in blocks {
                prop_assert_eq!(Some(address.to_bits()), next);
                let hosts = u128::MAX.checked_shr(length.into()).unwrap_or(0);
                prop_assert_eq!(address.to_bits() & hosts, 0);
                prop_assert!(address.to_bits() | hosts <= last);
                next = (address.to_bits() | hosts).checked_add(1);
            }
            prop_assert_eq!(next, last.checked_add(1));
        }
    }
}
