//! What dhcpd does where nothing is set (dhcpd.conf(5); ISC `server/dhcp.c:ack_lease`, `server/dhcpv6.c`,
//! `server/ddns.c`, `server/dhcpd.c:postconf_initialization`).
//!
//! Left out is what the command line decides as well (files, ports, addresses), and what has no value that could be
//! written as a statement.

use crate::config::build::Family;

/// The parameters dhcpd reads once, from the outermost scope: nothing inherits them.
pub(super) const SERVER_WIDE: [&str; 29] = [
    "lease-file-name",
    "pid-file-name",
    "dhcpv6-lease-file-name",
    "dhcpv6-pid-file-name",
    "omapi-port",
    "omapi-key",
    "local-port",
    "remote-port",
    "limited-broadcast-address",
    "local-address",
    "local-address6",
    "bind-local-address6",
    "ddns-update-style",
    "ddns-local-address4",
    "ddns-local-address6",
    "update-conflict-detection",
    "ddns-dual-stack-mixed-mode",
    "ddns-guard-id-must-match",
    "ddns-other-guard-is-dynamic",
    "log-facility",
    "delayed-ack",
    "max-ack-delay",
    "dont-use-fsync",
    "server-id-check",
    "prefix-length-mode",
    "abandon-lease-time",
    "check-secs-byte-order",
    "release-on-roam",
    "authoritative",
];

/// For whom a default holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// Once for the server; set elsewhere than outermost it does nothing.
    Server,
    /// For every client.
    Client,
    /// For clients with an address of a pool.
    Pool,
}

/// A default.
pub(super) struct Default {
    /// The statement that would say the same.
    pub(super) statement: &'static str,
    holds: Holds,
    v4: bool,
    v6: bool,
}

impl Default {
    /// The name of the parameter.
    pub(super) fn name(&self) -> &'static str {
        self.statement.split([' ', ';']).next().unwrap_or_default()
    }

    /// Whether it has a meaning in that family and place. What holds for clients holds in pools.
    pub(super) fn holds(&self, family: Family, place: Holds) -> bool {
        let family = match family {
            Family::V4 => self.v4,
            Family::V6 => self.v6,
        };
        let place = match place {
            Holds::Pool => self.holds != Holds::Server,
            place => self.holds == place,
        };
        family && place
    }
}

const fn both(holds: Holds, statement: &'static str) -> Default {
    Default { statement, holds, v4: true, v6: true }
}

const fn v4(holds: Holds, statement: &'static str) -> Default {
    Default { statement, holds, v4: true, v6: false }
}

const fn v6(holds: Holds, statement: &'static str) -> Default {
    Default { statement, holds, v4: false, v6: true }
}

/// All of them.
pub(super) fn defaults() -> &'static [Default] {
    use Holds::{Client, Pool, Server};
    const ALL: &[Default] = &[
        both(Server, "ddns-update-style none;"),
        both(Server, "update-conflict-detection true;"),
        both(Server, "ddns-dual-stack-mixed-mode false;"),
        both(Server, "ddns-guard-id-must-match true;"),
        both(Server, "ddns-other-guard-is-dynamic false;"),
        both(Server, "log-facility daemon;"),
        both(Server, "abandon-lease-time 86400;"),
        both(Server, "dont-use-fsync false;"),
        v4(Server, "delayed-ack 0;"),
        v4(Server, "max-ack-delay 250000;"),
        v4(Server, "server-id-check false;"),
        v4(Server, "check-secs-byte-order false;"),
        v6(Server, "prefix-length-mode prefer;"),
        v6(Server, "release-on-roam false;"),
        v6(Server, "bind-local-address6 false;"),
        both(Client, "default-lease-time 43200;"),
        v4(Client, "max-lease-time 86400;"),
        v4(Client, "min-lease-time 300;"),
        v4(Client, "allow-booting true;"),
        v4(Client, "allow-bootp true;"),
        v4(Pool, "boot-unknown-clients true;"),
        v4(Client, "min-secs 0;"),
        v4(Client, "declines true;"),
        v4(Client, "duplicates true;"),
        v4(Pool, "one-lease-per-client false;"),
        v4(Pool, "ping-check true;"),
        v4(Pool, "ping-timeout 1;"),
        v4(Pool, "ping-cltt-secs 60;"),
        v4(Pool, "infinite-is-reserved false;"),
        v4(Pool, "ignore-client-uids false;"),
        v4(Pool, "stash-agent-options true;"),
        both(Pool, "dhcp-cache-threshold 25;"),
        both(Pool, "log-threshold-low 0;"),
        v4(Client, "always-broadcast false;"),
        v4(Client, "always-reply-rfc1048 false;"),
        v4(Client, "echo-client-id false;"),
        v4(Client, "get-lease-hostnames false;"),
        v4(Client, "use-host-decl-names false;"),
        v4(Client, "use-lease-addr-for-default-route false;"),
        both(Client, "leasequery false;"),
        v6(Pool, "limit-addrs-per-ia 1;"),
        v6(Pool, "limit-prefs-per-ia 1;"),
        v6(Client, "dhcpv6-set-tee-times false;"),
        both(Client, "ddns-updates true;"),
        both(Client, "do-forward-updates true;"),
        both(Client, "do-reverse-updates true;"),
        both(Client, "client-updates true;"),
        both(Client, "update-optimization true;"),
        both(Client, "update-static-leases false;"),
        both(Client, "fqdn-reply true;"),
    ];
    ALL
}
