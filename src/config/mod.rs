//! The typed configuration: what a `dhcpd.conf` means.
//!
//! Two things come out of a syntax tree ([`build()`]): a [`Config`] and [`diagnostic::Diagnostic`]s. Options are typed
//! by their definition at the point of use, as in dhcpd: a definition counts only after it was read. Executable
//! statements stay as a small tree ([`tree`]) that `eval` walks; nothing is parsed while serving.

pub mod build;
pub mod diagnostic;
pub mod index;
pub mod lease_file;
pub mod network;
pub mod print;
pub mod scopes;
pub mod tree;
pub mod words;

pub use build::{Built, Family, build, build_block, read};
pub use print::{print_expression, print_statements};

use crate::options::Spaces;
use index::{HostIndex, SubnetIndex};
use network::{Class, ClassId, Group, Host, Pool, Scope, SharedNetwork, Subnet};

/// A whole configuration, typed.
///
/// Everything refers to everything else by index, so that a configuration is cheap to share and to compare.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Option spaces and definitions as they stood at the end of the file.
    pub spaces: Spaces,
    /// All scopes; the first is the root scope.
    pub scopes: Vec<Scope>,
    /// In order of declaration, implicit ones (of a lone subnet) included. dhcpd's own list runs the other way, by
    /// their closing braces.
    pub shared_networks: Vec<SharedNetwork>,
    /// In dhcpd's order of lookup: a new subnet goes to the front, except before an existing one that contains it.
    pub subnets: Vec<Subnet>,
    /// Where an address lies.
    pub subnet_index: SubnetIndex,
    /// In order of declaration over the whole file; each network lists its own.
    pub pools: Vec<Pool>,
    /// In order of declaration.
    pub hosts: Vec<Host>,
    /// Hosts by hardware address, identifier and name.
    pub host_index: HostIndex,
    /// Named groups.
    pub groups: Vec<Group>,
    /// Classes and subclasses; top-level classes are matched in the order of [`Config::class_order`].
    pub classes: Vec<Class>,
    /// Top-level classes in the order of their first declaration.
    pub class_order: Vec<ClassId>,
    /// Failover peers in order of declaration; dhcpd's own list runs the other way.
    pub failover_peers: Vec<network::FailoverPeer>,
    /// TSIG and OMAPI keys.
    pub keys: Vec<network::Key>,
    /// DNS zones.
    pub zones: Vec<network::Zone>,
    /// `lease-id-format`: how client identifiers are written to the lease file.
    pub lease_id_format: network::LeaseIdFormat,
    /// `db-time-format local;` was given.
    pub db_time_format_local: bool,
    /// `server-duid`, as given.
    pub server_duid: Option<network::ServerDuid>,
}
