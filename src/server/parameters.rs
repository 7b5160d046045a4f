//! Codes of the options and server parameters the engine asks for by number.

pub use crate::eval::settings::code as server;

/// Options of the `dhcp` space (RFC 2132 and its successors).
#[allow(missing_docs)]
pub mod dhcp {
    pub const SUBNET_MASK: u32 = 1;
    pub const ROUTERS: u32 = 3;
    pub const HOST_NAME: u32 = 12;
    pub const REQUESTED_ADDRESS: u32 = 50;
    pub const LEASE_TIME: u32 = 51;
    pub const OVERLOAD: u32 = 52;
    pub const MESSAGE_TYPE: u32 = 53;
    pub const SERVER_IDENTIFIER: u32 = 54;
    pub const PARAMETER_REQUEST_LIST: u32 = 55;
    pub const MESSAGE: u32 = 56;
    pub const MAX_MESSAGE_SIZE: u32 = 57;
    pub const RENEWAL_TIME: u32 = 58;
    pub const REBINDING_TIME: u32 = 59;
    pub const VENDOR_CLASS_IDENTIFIER: u32 = 60;
    pub const CLIENT_IDENTIFIER: u32 = 61;
    pub const CLIENT_LAST_TRANSACTION_TIME: u32 = 91;
    pub const ASSOCIATED_IP: u32 = 92;
    pub const SUBNET_SELECTION: u32 = 118;
    /// In the `agent` space: RFC 3527.
    pub const AGENT_LINK_SELECTION: u32 = 5;
}
