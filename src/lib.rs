//! Relet, a drop-in replacement for ISC dhcpd 4.4.3-P1.
//!
//! The crate is a stack of layers; a layer imports only from those below it (`compat-tests/layers.rs` keeps this true):
//!
//! | layer | what it is for |
//! |---|---|
//! | [`runtime`] | sockets, timers, files, signals, privileges, syslog: the only layer that touches the outside world |
//! | [`check`] | lints over the configuration, renderers of diagnostics |
//! | [`server`] | the DHCPv4 and BOOTP engines: event in, effects out |
//! | [`lease`] | the lease database and the lease file |
//! | [`eval`] | expressions and executable statements at run time |
//! | [`config`] | syntax tree to typed configuration, ISC's messages |
//! | [`options`] | option spaces, definitions, encodings, the packing of a reply's options |
//! | [`syntax`] | `grammar/*.pest` to a syntax tree with spans |
//! | [`wire`] | DHCPv4 packets and link-level framing |
//! | [`log`] | log lines as values |
//! | [`time`] | time as a value |
//!
//! Nothing below `runtime` opens a socket or a file, reads a clock, sleeps or spawns.

pub mod check;
pub mod config;
pub mod eval;
pub mod lease;
pub mod log;
pub mod options;
pub mod runtime;
pub mod server;
pub mod syntax;
pub mod time;
pub mod wire;
