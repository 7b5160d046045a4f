//! Option spaces, option definitions, and options on the wire.
//!
//! This layer knows what an option is, not where its value comes from: the `config` layer types values with the
//! definitions found here, `eval` computes them, `server` collects them and lets this layer pack them. It mirrors ISC
//! `common/options.c` and the option tables.
//!
//! - [`Spaces`]: the registry of option spaces and definitions;
//! - [`Format`]: what a value consists of;
//! - [`OptionState`]: the options collected for one packet, in dhcpd's order;
//! - [`parse_packet_options`]: the options of a received DHCPv4 packet;
//! - [`pack_reply`]: the options of a DHCPv4 reply, octet for octet as dhcpd lays them out;
//! - [`pack_options6`]: the same for DHCPv6;
//! - [`print_option`]: the text form used in the lease file and in logs.

mod domain;
mod encapsulate;
mod format;
pub mod fqdn;
mod octets;
mod packet;
mod print;
mod reply;
mod reply6;
mod space;
mod state;
mod stray;
mod tables;

pub use domain::{
    DomainError, DomainList, JoinError, domain_name_text, encode_domain_name, join_domain_lists,
    unpack_domain_name,
};
pub use encapsulate::{Evaluate, encapsulate_space};
pub use format::{Atom, ENUMERATIONS, Enumeration, Format, FormatError, Item};
pub use octets::Octets;
pub use packet::{Malformed, OptionFields, PacketOptions, Received, decode_options, parse_packet_options};
pub use print::{PrintStyle, ip6_text, print_option};
pub use reply::{MAGIC_COOKIE, PackedOptions, Packing, pack_reply};
pub use reply6::pack_options6;
pub use space::{
    DefineError, Keeping, NameError, OptionDef, OptionId, Resolved, Space, SpaceId, Spaces, Wire,
};
pub use state::{Entry, OptionState};
pub use stray::stray_address;
