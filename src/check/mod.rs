//! What is said about a configuration: to a person ([`render`]), and in dhcpd's words ([`isc`]).

pub mod isc;
pub mod render;
