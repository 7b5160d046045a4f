//! The server's parameters, read out of what the statements set.
//!
//! Mirrors ISC `common/tree.c:evaluate_option_cache` and `evaluate_boolean_option_cache`: a parameter is an option of
//! the `server` space, set to an expression, evaluated when it is needed. The codes are those of `server-options`, see
//! [`code`].

use super::context::Context;
use super::data::{evaluate_data, request_option};
use super::octets::Data;
use crate::options::{OptionId, Spaces, decode_options};
use std::sync::Arc;

/// Codes of the `server` space (ISC `includes/dhcpd.h`, `SV_...`).
#[allow(missing_docs)]
pub mod code {
    pub const DEFAULT_LEASE_TIME: u32 = 1;
    pub const MAX_LEASE_TIME: u32 = 2;
    pub const MIN_LEASE_TIME: u32 = 3;
    pub const BOOTP_LEASE_CUTOFF: u32 = 4;
    pub const BOOTP_LEASE_LENGTH: u32 = 5;
    pub const BOOT_UNKNOWN_CLIENTS: u32 = 6;
    pub const ALLOW_BOOTP: u32 = 8;
    pub const ALLOW_BOOTING: u32 = 9;
    pub const ONE_LEASE_PER_CLIENT: u32 = 10;
    pub const GET_LEASE_HOSTNAMES: u32 = 11;
    pub const USE_HOST_DECL_NAMES: u32 = 12;
    pub const USE_LEASE_ADDR_FOR_DEFAULT_ROUTE: u32 = 13;
    pub const MIN_SECS: u32 = 14;
    pub const FILENAME: u32 = 15;
    pub const SERVER_NAME: u32 = 16;
    pub const NEXT_SERVER: u32 = 17;
    pub const VENDOR_OPTION_SPACE: u32 = 19;
    pub const ALWAYS_REPLY_RFC1048: u32 = 20;
    pub const SITE_OPTION_SPACE: u32 = 21;
    pub const ALWAYS_BROADCAST: u32 = 22;
    pub const DDNS_DOMAINNAME: u32 = 23;
    pub const DDNS_HOSTNAME: u32 = 24;
    pub const DDNS_REV_DOMAINNAME: u32 = 25;
    pub const LEASE_FILE_NAME: u32 = 26;
    pub const PID_FILE_NAME: u32 = 27;
    pub const DUPLICATES: u32 = 28;
    pub const DECLINES: u32 = 29;
    pub const DDNS_UPDATES: u32 = 30;
    pub const OMAPI_PORT: u32 = 31;
    pub const LOCAL_PORT: u32 = 32;
    pub const LIMITED_BROADCAST_ADDRESS: u32 = 33;
    pub const REMOTE_PORT: u32 = 34;
    pub const LOCAL_ADDRESS: u32 = 35;
    pub const OMAPI_KEY: u32 = 36;
    pub const STASH_AGENT_OPTIONS: u32 = 37;
    pub const DDNS_TTL: u32 = 38;
    pub const DDNS_UPDATE_STYLE: u32 = 39;
    pub const CLIENT_UPDATES: u32 = 40;
    pub const UPDATE_OPTIMIZATION: u32 = 41;
    pub const PING_CHECK: u32 = 42;
    pub const UPDATE_STATIC_LEASES: u32 = 43;
    pub const LOG_FACILITY: u32 = 44;
    pub const DO_FORWARD_UPDATES: u32 = 45;
    pub const PING_TIMEOUT: u32 = 46;
    pub const INFINITE_IS_RESERVED: u32 = 47;
    pub const UPDATE_CONFLICT_DETECTION: u32 = 48;
    pub const LEASEQUERY: u32 = 49;
    pub const ADAPTIVE_LEASE_TIME_THRESHOLD: u32 = 50;
    pub const DO_REVERSE_UPDATES: u32 = 51;
    pub const FQDN_REPLY: u32 = 52;
    pub const PREFERRED_LIFETIME: u32 = 53;
    pub const DHCPV6_LEASE_FILE_NAME: u32 = 54;
    pub const DHCPV6_PID_FILE_NAME: u32 = 55;
    pub const LIMIT_ADDRS_PER_IA: u32 = 56;
    pub const LIMIT_PREFS_PER_IA: u32 = 57;
    pub const DELAYED_ACK: u32 = 58;
    pub const MAX_ACK_DELAY: u32 = 59;
    pub const DHCP_CACHE_THRESHOLD: u32 = 78;
    pub const DONT_USE_FSYNC: u32 = 79;
    pub const DDNS_LOCAL_ADDRESS4: u32 = 80;
    pub const DDNS_LOCAL_ADDRESS6: u32 = 81;
    pub const IGNORE_CLIENT_UIDS: u32 = 82;
    pub const LOG_THRESHOLD_LOW: u32 = 83;
    pub const LOG_THRESHOLD_HIGH: u32 = 84;
    pub const ECHO_CLIENT_ID: u32 = 85;
    pub const SERVER_ID_CHECK: u32 = 86;
    pub const PREFIX_LENGTH_MODE: u32 = 87;
    pub const DHCPV6_SET_TEE_TIMES: u32 = 88;
    pub const ABANDON_LEASE_TIME: u32 = 89;
    pub const CHECK_SECS_BYTE_ORDER: u32 = 92;
    pub const DDNS_DUAL_STACK_MIXED_MODE: u32 = 93;
    pub const DDNS_GUARD_ID_MUST_MATCH: u32 = 94;
    pub const DDNS_OTHER_GUARD_IS_DYNAMIC: u32 = 95;
    pub const RELEASE_ON_ROAM: u32 = 96;
    pub const LOCAL_ADDRESS6: u32 = 97;
    pub const BIND_LOCAL_ADDRESS6: u32 = 98;
    pub const PING_CLTT_SECS: u32 = 99;
    pub const PING_TIMEOUT_MS: u32 = 100;
}

/// A flag that may also say `ignore`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flag {
    /// `true`, `on`, `allow`.
    True,
    /// `false`, `off`, `deny`; also anything that is no flag.
    #[default]
    False,
    /// `ignore`: false, without the message.
    Ignore,
}

impl Flag {
    /// The value of a parameter that is set, perhaps to something absent.
    pub fn from_octets(octets: Option<&[u8]>) -> Self {
        match octets.and_then(|octets| octets.first()) {
            Some(1) => Self::True,
            Some(2) => Self::Ignore,
            _ => Self::False,
        }
    }

    /// Whether it is true.
    pub fn is_true(self) -> bool {
        self == Self::True
    }
}

/// Whether a parameter is set at all, by whatever expression.
pub fn is_set(code: u32, context: &Context<'_>) -> bool {
    context.reply.as_deref().is_some_and(|reply| reply.contains(Spaces::SERVER, code))
}

/// The octets of a parameter; absent if it is not set, or set to something absent.
pub fn octets<'e>(code: u32, context: &mut Context<'_>) -> Option<Data<'e>> {
    option(OptionId::unknown(Spaces::SERVER, code), context)
}

/// The value of any option set so far, evaluated now.
pub fn option<'e>(option: OptionId, context: &mut Context<'_>) -> Option<Data<'e>> {
    let setting = Arc::clone(context.reply.as_deref()?.value(option.space, option.code)?);
    evaluate_data(&setting, context).map(Data::into_owned)
}

/// A flag; `None` if the parameter is not set, so that the default applies. Set but absent is false.
pub fn flag(code: u32, context: &mut Context<'_>) -> Option<Flag> {
    if !is_set(code, context) {
        return None;
    }
    // dhcpd does not even look where there is no packet.
    if context.request.is_none() && !context.reading_globals {
        return Some(Flag::False);
    }
    Some(Flag::from_octets(octets(code, context).as_deref()))
}

/// A number of 32 bits; `None` if it is not set, absent, or not four octets long.
pub fn number(code: u32, context: &mut Context<'_>) -> Option<u32> {
    let value = octets(code, context)?;
    Some(u32::from_be_bytes(value[..].try_into().ok()?))
}

/// A number of 8 bits; `None` if it is not set, absent, or not one octet long.
pub fn octet(code: u32, context: &mut Context<'_>) -> Option<u8> {
    match *octets(code, context)? {
        [octet] => Some(octet),
        _ => None,
    }
}

/// `parse-vendor-option`: option 43 of the packet is taken apart by the space that `vendor-option-space` names so far,
/// and what it holds becomes visible to `option` (ISC `common/options.c:parse_vendor_option`).
pub(super) fn parse_vendor_option(context: &mut Context<'_>) {
    if context.request.is_none() || context.vendor_options.is_none() {
        return;
    }
    let Some(name) = octets(code::VENDOR_OPTION_SPACE, context).filter(|name| !name.is_empty()) else {
        return;
    };
    let spaces = &context.config.spaces;
    let Some(space) = spaces.space_named(&name[..]) else { return };
    let carrier = spaces.by_code(Spaces::DHCP, 43);
    let Some(content) = request_option(carrier, context).filter(|content| !content.is_empty()) else {
        return;
    };
    let content = content.into_owned();
    let mut lines = Vec::new();
    if let Some(options) = context.vendor_options.as_deref_mut() {
        // What stands before a malformed option is kept, and the line says the rest.
        let _ = decode_options(spaces, space, &content, options, &mut lines);
    }
    lines.into_iter().for_each(|line| context.emit(line));
}
