//! DHCPv4 packets and link-level framing (being built).

pub mod packet;
