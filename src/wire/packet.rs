//! The fixed part of a BOOTP message (being built).

/// A received BOOTP message.
#[derive(Clone, Debug)]
pub struct Packet {
    /// The datagram's payload.
    pub raw: Vec<u8>,
}
