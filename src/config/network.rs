//! What is declared: scopes, networks, subnets, pools, hosts, groups, classes, peers, keys and zones.

use super::tree::{Block, Expr, Octets};
use crate::options::OptionId;
use crate::time::Seconds;
use ipnetwork::Ipv4Network;
use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            /// As an index into the table it belongs to.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

index!(
    /// Index into [`super::Config::scopes`].
    ScopeId
);
index!(
    /// Index into [`super::Config::shared_networks`].
    NetworkId
);
index!(
    /// Index into [`super::Config::subnets`].
    SubnetId
);
index!(
    /// Index into [`super::Config::pools`].
    PoolId
);
index!(
    /// Index into [`super::Config::hosts`].
    HostId
);
index!(
    /// Index into [`super::Config::groups`].
    GroupId
);
index!(
    /// Index into [`super::Config::classes`].
    ClassId
);
index!(
    /// Index into [`super::Config::failover_peers`].
    PeerId
);

impl ScopeId {
    /// The root scope.
    pub const ROOT: ScopeId = ScopeId(0);
}

/// Hardware type and address, as in `hardware ethernet 0:1:2:3:4:5;` and in a packet's `htype`/`chaddr`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hardware {
    /// ARP hardware type; 1 is Ethernet.
    pub htype: u8,
    /// 0 to 20 octets.
    pub address: Vec<u8>,
}

/// A scope (ISC `struct group`): statements, and where they inherit from.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The enclosing scope; only the root has none.
    pub parent: Option<ScopeId>,
    /// The scope's own executable statements, in order.
    pub statements: Block,
    /// `authoritative`, inherited from the enclosing scope as it stood when this one was opened.
    pub authoritative: bool,
}

/// A shared network, or the implicit one of a lone subnet.
#[derive(Clone, Debug)]
pub struct SharedNetwork {
    /// As declared, or `10.0.0.0/24` for an implicit one.
    pub name: Arc<str>,
    /// True for the implicit network of a lone subnet, which shares the subnet's scope.
    pub implicit: bool,
    /// Its scope.
    pub scope: ScopeId,
    /// Its subnets in dhcpd's order: as declared, except that a narrower one goes before one that overlaps it (but the
    /// last is not looked at).
    pub subnets: Vec<SubnetId>,
    /// Its pools in order of declaration.
    pub pools: Vec<PoolId>,
    /// `interface NAME;`
    pub interface: Option<Arc<str>>,
    /// `failover peer` named at this level.
    pub failover_peer: Option<PeerId>,
}

/// A `subnet` (or `subnet6`) declaration.
#[derive(Clone, Debug)]
pub struct Subnet {
    /// Its network.
    pub network: NetworkId,
    /// Address and mask.
    pub prefix: SubnetPrefix,
    /// Its scope.
    pub scope: ScopeId,
    /// `interface NAME;`
    pub interface: Option<Arc<str>>,
}

/// The prefix of a subnet. dhcpd does not check that an IPv4 mask is contiguous, so the mask is kept as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubnetPrefix {
    /// `subnet ADDRESS netmask MASK`
    V4 {
        /// Network address.
        address: Ipv4Addr,
        /// Mask, perhaps not contiguous.
        mask: Ipv4Addr,
    },
    /// `subnet6 ADDRESS/LENGTH`
    V6 {
        /// Network address.
        address: Ipv6Addr,
        /// Prefix length, 0 to 128.
        length: u8,
    },
}

impl SubnetPrefix {
    /// Does the IPv4 address lie in this subnet?
    pub fn contains(&self, candidate: Ipv4Addr) -> bool {
        match *self {
            Self::V4 { address, mask } => candidate.to_bits() & mask.to_bits() == address.to_bits(),
            Self::V6 { .. } => false,
        }
    }

    /// The network as a CIDR block, where the mask is contiguous.
    pub fn network(&self) -> Option<Ipv4Network> {
        match *self {
            Self::V4 { address, mask } => Ipv4Network::with_netmask(address, mask).ok(),
            Self::V6 { .. } => None,
        }
    }
}

/// Who may, or may not, use a pool.
#[derive(Clone, Debug, PartialEq)]
pub enum Permit {
    /// `unknown-clients`
    UnknownClients,
    /// `known-clients`
    KnownClients,
    /// `authenticated clients`: never true.
    AuthenticatedClients,
    /// `unauthenticated clients`: always true.
    UnauthenticatedClients,
    /// `all clients`
    AllClients,
    /// `dynamic bootp clients`
    DynamicBootpClients,
    /// `members of "CLASS"`
    MembersOf(ClassId),
    /// `after DATE`
    After(Seconds),
}

/// A run of addresses, both ends included, first <= last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRange {
    /// Lowest address.
    pub first: Ipv4Addr,
    /// Highest address.
    pub last: Ipv4Addr,
    /// The subnet it lies in.
    pub subnet: SubnetId,
}

/// A pool, declared or implied by a `range` outside a pool.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Its network.
    pub network: NetworkId,
    /// Its own scope, inside that of its network (even when the pool stands in a subnet); a `pool6`'s lies inside that
    /// of its subnet.
    pub scope: ScopeId,
    /// Ranges in order of declaration, those of pools merged into this one included.
    pub ranges: Vec<AddressRange>,
    /// `range6`/`prefix6`, kept for the DHCPv6 engine.
    pub ranges6: Vec<Range6>,
    /// `allow`
    pub permits: Vec<Permit>,
    /// `deny`
    pub prohibits: Vec<Permit>,
    /// `deny after`/`allow after` as an instant from which the pool serves; 0 for none.
    pub valid_from: Seconds,
    /// ... until which the pool serves; 0 for none.
    pub valid_until: Seconds,
    /// The peer this pool is shared with.
    pub failover_peer: Option<PeerId>,
}

/// A `range6` or `prefix6`, split into nothing yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range6 {
    /// `range6 FIRST LAST;`
    Addresses(Ipv6Addr, Ipv6Addr),
    /// `range6 ADDRESS/LENGTH [temporary];`
    Block(Ipv6Addr, u8, bool),
    /// `prefix6 FIRST LAST /LENGTH;`
    Prefixes(Ipv6Addr, Ipv6Addr, u8),
}

/// What `host-identifier` compares.
#[derive(Clone, Debug)]
pub struct HostIdentifier {
    /// The option.
    pub option: OptionId,
    /// Its value.
    pub value: Octets,
    /// `v6relopt N`, else `None` for `option`.
    pub relay: Option<u32>,
}

/// A `host` declaration.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its name.
    pub name: Arc<str>,
    /// Its scope.
    pub scope: ScopeId,
    /// `hardware`
    pub hardware: Option<Hardware>,
    /// `uid`, or `option dhcp-client-identifier`.
    pub uid: Option<Octets>,
    /// `fixed-address`: an expression, as a name is looked up when needed.
    pub fixed_address: Option<Arc<Expr>>,
    /// `fixed-address6`
    pub fixed_address6: Vec<Ipv6Addr>,
    /// `fixed-prefix6`
    pub fixed_prefix6: Vec<(Ipv6Addr, u8)>,
    /// `host-identifier`
    pub identifier: Option<HostIdentifier>,
    /// `group NAME;`
    pub group: Option<GroupId>,
    /// Declared in the lease file (`dynamic;`).
    pub dynamic: bool,
    /// Not so declared, or it took the place of one that was not (ISC `HOST_DECL_STATIC`): its deletion is remembered.
    pub fixed: bool,
    /// `deleted;`
    pub deleted: bool,
}

/// A named `group`.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name.
    pub name: Arc<str>,
    /// Its scope.
    pub scope: ScopeId,
    /// `dynamic;`
    pub dynamic: bool,
    /// `static;`, or it took the place of one that is not dynamic: its deletion is remembered.
    pub fixed: bool,
    /// `deleted;`
    pub deleted: bool,
}

/// A class or subclass.
#[derive(Clone, Debug)]
pub struct Class {
    /// Its name; of a subclass, that of its superclass.
    pub name: Arc<str>,
    /// Of a subclass.
    pub superclass: Option<ClassId>,
    /// The value a subclass stands for.
    pub hash_value: Option<Octets>,
    /// Its scope.
    pub scope: ScopeId,
    /// `match if`
    pub match_if: Option<Arc<Expr>>,
    /// `match` or `spawn with`
    pub submatch: Option<Arc<Expr>>,
    /// `spawn with`
    pub spawning: bool,
    /// Its subclasses by value.
    pub subclasses: HashMap<Octets, ClassId>,
    /// `lease limit`
    pub lease_limit: Option<u32>,
    /// Declared in the lease file (`dynamic;`).
    pub dynamic: bool,
    /// `deleted;`
    pub deleted: bool,
}

/// A `failover peer` declaration. Used by the failover issue; kept whole from the start.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct FailoverPeer {
    pub name: Arc<str>,
    pub primary: bool,
    pub address: Option<Arc<Expr>>,
    pub port: u16,
    pub peer_address: Option<Arc<Expr>>,
    pub peer_port: u16,
    pub max_response_delay: u32,
    pub max_unacked_updates: u32,
    pub peer_max_response_delay: u32,
    pub peer_max_unacked_updates: u32,
    pub mclt: u32,
    pub hba: Option<[u8; 32]>,
    pub split: Option<u32>,
    pub load_balance_max_seconds: u32,
    pub max_lease_misbalance: u32,
    pub max_lease_ownership: u32,
    pub max_balance: u32,
    pub min_balance: u32,
    pub auto_partner_down: u32,
    /// Pools that name this peer themselves; those that inherit it from their network do not count.
    pub referring_pools: u32,
}

/// A `key` declaration.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Key {
    pub name: Arc<str>,
    pub algorithm: Arc<str>,
    pub secret: Octets,
}

/// A `zone` declaration.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Zone {
    pub name: Arc<str>,
    pub primary: Option<Arc<Expr>>,
    pub secondary: Option<Arc<Expr>>,
    pub primary6: Vec<Ipv6Addr>,
    pub secondary6: Vec<Ipv6Addr>,
    pub key: Option<Arc<str>>,
}

/// `lease-id-format`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LeaseIdFormat {
    /// Quoted text with octal escapes.
    #[default]
    Octal,
    /// Colon-separated hex.
    Hex,
}

/// `server-duid`
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerDuid {
    /// `llt`, generated when needed.
    GenerateLlt,
    /// `ll`, generated when needed.
    GenerateLl,
    /// Given octet for octet.
    Octets(Octets),
}
