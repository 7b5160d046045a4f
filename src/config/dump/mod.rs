//! The effective configuration as canonical `dhcpd.conf` text (`--dump-config`).
//!
//! What a server holds after reading its configuration, written as a configuration again: includes expanded, classes,
//! pools and keys that stand in several places put together, implicit pools spelled out, one spelling and one layout
//! for everything. The text reads back as the same configuration, here and in dhcpd, and printing that gives the same
//! text.
//!
//! Definitions come first, then keys, zones and failover peers, then the statements of the outermost scope, then all
//! blocks in the order of their declaration, each with its statements first. What a pool or a host inherits, and dhcpd's
//! defaults, stand in it as comments: as statements they would change what the configuration means, as a statement of
//! a host counts for more than one of a class.

mod blocks;
mod defaults;
mod definitions;
mod expression;
mod outline;
mod resolve;
mod server;
mod statement;
mod text;
mod value;
mod writer;

use super::Config;
use super::build::Family;
use writer::Writer;

/// The text of an accepted configuration. `family` is the one it was built for.
///
/// Strings that are no UTF-8 come out with octal escapes; the rest is ASCII or UTF-8, one statement a line. (Names that
/// are no UTF-8 have lost their octets when they were read.)
pub fn dump(config: &Config, family: Family) -> Vec<u8> {
    let mut out = Writer::default();
    out.line([match family {
        Family::V4 => "# The effective configuration for DHCPv4.",
        Family::V6 => "# The effective configuration for DHCPv6.",
    }]);
    out.gap();
    server::settings(config, &mut out);
    definitions::definitions(&config.spaces, &mut out);
    server::keys_and_zones(config, &mut out);
    server::peers(config, &mut out);
    out.gap();
    blocks::Blocks::new(config, family, out).print().finish()
}

#[cfg(test)]
mod tests;
