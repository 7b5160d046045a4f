//! DHCPv4 packets and link-level framing.
//!
//! Octets to values and back, without a socket: [`frame`] takes Ethernet, IPv4 and UDP apart and puts them together,
//! [`packet`] is the BOOTP message, [`icmp`] the echo request of `ping-check`.

pub mod checksum;
pub mod frame;
pub mod icmp;
pub mod packet;
