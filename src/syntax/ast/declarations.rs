//! The parts of declarations: includes, networks, hosts, classes, options and their definitions, failover.

use super::super::expr::Expr;
use super::super::source::{FileId, Span};
use super::super::token::{Token, Word};
use super::{AddressOrHost, Block, Ip4, Ip6, Ip6Prefix, Malformed, Name, Number, Octets, Statement};

/// `include "file";`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Include {
    /// The file's name.
    pub name: Name,
    /// What stands in it.
    pub content: Content,
}

/// What stands in an included file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The file's statements, or why there are none.
    Read(Result<Included, IncludeError>),
    /// It is left for later: [`crate::syntax::Reader::include`].
    Unread {
        /// How many blocks and files the `include` stands in.
        depth: usize,
    },
}

/// An included file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Included {
    /// The file in the source map.
    pub file: FileId,
    /// Its statements; they belong into the scope of the `include`.
    pub statements: Vec<Statement>,
}

/// Why an included file has no statements.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IncludeError {
    /// It could not be read.
    #[error("{0}")]
    Load(#[from] LoadError),
    /// It is being read already: it includes itself.
    #[error("include cycle")]
    Cycle,
    /// More than [`crate::syntax::MAX_INCLUDE_DEPTH`] files deep.
    #[error("files included too deeply")]
    TooDeep,
}

/// Why a file could not be read, as the caller's loader says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LoadError {
    /// The operating system's error number, if there is one.
    pub errno: Option<i32>,
    /// What dhcpd's `%m` prints for it (`No such file or directory`).
    pub message: String,
}

/// `host name { ... }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its name, never quoted.
    pub name: Name,
    /// Its statements.
    pub block: Block,
}

/// `group [name] { ... }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name, if it has one.
    pub name: Option<Name>,
    /// Its statements.
    pub block: Block,
}

/// `shared-network name { ... }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedNetwork {
    /// Its name; may be an empty string, which dhcpd refuses with a message of its own.
    pub name: Name,
    /// Its statements.
    pub block: Block,
}

/// `subnet address netmask mask { ... }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnet {
    /// The network address; host bits may be set.
    pub address: Ip4,
    /// The mask; it may have holes.
    pub netmask: Ip4,
    /// Its statements.
    pub block: Block,
}

/// `subnet6 prefix/length { ... }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnet6 {
    /// Prefix and length; host bits may be set.
    pub prefix: Ip6Prefix,
    /// Its statements.
    pub block: Block,
}

/// `class "name" { ... }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// Its name, always quoted.
    pub name: Name,
    /// Its statements.
    pub block: Block,
}

/// `subclass "class" data;` or with a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subclass {
    /// The class it belongs to.
    pub class: Name,
    /// What the class's `match` or `spawn with` must yield.
    pub data: Octets,
    /// Its statements, if it has a block.
    pub block: Option<Block>,
}

/// `vendor-class "class"` and `user-class "class"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldClass {
    /// `user-class` rather than `vendor-class`.
    pub user: bool,
    /// The name.
    pub name: Name,
    /// Its statements, if it has a block.
    pub block: Option<Block>,
}

/// `range [dynamic-bootp] low [high];` in either order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// Whether BOOTP clients may have these addresses.
    pub dynamic_bootp: bool,
    /// The first address written.
    pub first: Ip4,
    /// The second, if there is one.
    pub second: Option<Ip4>,
}

/// `range6` in its forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range6 {
    /// The first address.
    pub first: Ip6,
    /// What follows it.
    pub end: Range6End,
}

/// What follows the first address of `range6`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Range6End {
    /// A second address.
    Address(Ip6),
    /// `/length`, and whether `temporary` follows.
    Length {
        /// The length.
        length: Number,
        /// Temporary addresses.
        temporary: bool,
    },
    /// `temporary`.
    Temporary,
}

/// `prefix6 low high /length;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix6 {
    /// The first prefix.
    pub low: Ip6,
    /// The last prefix.
    pub high: Ip6,
    /// The length of each.
    pub length: Number,
}

/// `hardware type octets;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hardware {
    /// The type.
    pub hardware_type: HardwareType,
    /// The address, at most 20 octets; may be empty.
    pub address: Box<[u8]>,
    /// Where type and address stand.
    pub span: Span,
}

/// A hardware type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HardwareType {
    /// `ethernet`, 1
    Ethernet,
    /// `token-ring`, 6
    TokenRing,
    /// `fddi`, 8
    Fddi,
    /// `infiniband`, 32
    Infiniband,
    /// `unknown-N`; the number as `atoi` and a cast to one octet give it.
    Unknown(u8),
}

/// Which form of option statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionVerb {
    /// `option`: the same as `supersede`.
    Option,
    /// `supersede`
    Supersede,
    /// `send`
    Send,
    /// `append`
    Append,
    /// `prepend`
    Prepend,
    /// `default`
    Default,
}

/// `[space.]name` of an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionName {
    /// The option space; none means `dhcp`.
    pub space: Option<Word>,
    /// The option's name in that space, perhaps `unknown-N`.
    pub name: Word,
    /// From the first word to the last.
    pub span: Span,
}

/// `option name value;` and its kin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionStatement {
    /// The word it begins with.
    pub verb: OptionVerb,
    /// The option.
    pub name: OptionName,
    /// Its value.
    pub value: OptionValue,
}

/// The value of an option, not yet typed: its definition says how to read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptionValue {
    /// `= data-expression`
    Expression(Expr),
    /// The tokens up to the `;`, which is not among them. At least one, no braces, does not begin with `=`.
    Literal(Box<[Token]>),
    /// Nothing, only the `;`. Right for options without a value; for others dhcpd would want a second `;` here,
    /// and crashes later.
    None,
}

/// `option space name [code width N] [length width N] [hash size N];`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionSpace {
    /// Its name.
    pub name: Word,
    /// The clauses in the order written. Which numbers are right is not decided here.
    pub clauses: Vec<OptionSpaceClause>,
}

/// A clause of `option space`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptionSpaceClause {
    /// `code width N`
    CodeWidth(Number),
    /// `length width N`
    LengthWidth(Number),
    /// `hash size N`
    HashSize(Number),
}

/// `option name code number = type;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionCode {
    /// The option that is defined.
    pub name: OptionName,
    /// Its code; any number goes.
    pub code: Number,
    /// Its type.
    pub option_type: OptionType,
    /// Where the type stands.
    pub type_span: Span,
}

/// The type of an option, as written. Rules such as "must be at end of record" are not applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionType {
    /// `array of` before the type or record.
    pub array: bool,
    /// The record's members, or the one type.
    pub members: Vec<MemberType>,
    /// Whether it was written as a record, `{ ... }`.
    pub record: bool,
}

/// A member of a record, or the type itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberType {
    /// `array of` before this member (inside a record only).
    pub array: bool,
    /// The type.
    pub simple: SimpleType,
    /// Where it stands.
    pub span: Span,
}

/// A simple type of an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SimpleType {
    /// `boolean`
    Boolean,
    /// `[signed|unsigned] integer N`; plain `integer` is signed.
    Integer {
        /// Whether it is signed.
        signed: bool,
        /// The width in bits; 8, 16 and 32 are right.
        bits: Number,
    },
    /// `ip-address`
    IpAddress,
    /// `ip6-address`
    Ip6Address,
    /// `text`
    Text,
    /// `string`
    String,
    /// `domain-name`
    DomainName,
    /// `domain-list [compressed]`
    DomainList {
        /// `compressed`
        compressed: bool,
    },
    /// `encapsulate space`
    Encapsulate(Word),
    /// `zerolen`
    Zerolen,
}

/// `failover peer "name" { ... }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailoverPeer {
    /// The relationship's name.
    pub name: Name,
    /// Its statements.
    pub statements: Vec<FailoverStatement>,
    /// Whether its `}` was there.
    pub closed: bool,
}

/// A statement of a failover declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailoverStatement {
    /// From its first token to its `;`.
    pub span: Span,
    /// What it says.
    pub kind: FailoverStatementKind,
}

/// What a statement of a failover declaration says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailoverStatementKind {
    /// `primary;`
    Primary,
    /// `secondary;`
    Secondary,
    /// `[peer] address ...;`
    Address {
        /// The peer's rather than ours.
        peer: bool,
        /// The address or host name.
        address: AddressOrHost,
    },
    /// `[peer] port`, `mclt`, `split` and all others with one number.
    Number {
        /// `peer` stood before it; it means something for `port`, `max-response-delay` and `max-unacked-updates`.
        peer: bool,
        /// Which one.
        parameter: FailoverParameter,
        /// Its value.
        value: Number,
    },
    /// `hba` with its octets; 32 are right.
    Hba(Octets),
    /// What does not fit.
    Malformed(Box<Malformed>),
}

/// A failover parameter that takes one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailoverParameter {
    /// `port`
    Port,
    /// `max-response-delay`, seconds
    MaxResponseDelay,
    /// `max-unacked-updates`
    MaxUnackedUpdates,
    /// `mclt`, seconds
    Mclt,
    /// `split`, 0 to 256
    Split,
    /// `load balance max seconds`
    LoadBalanceMaxSeconds,
    /// `max-lease-misbalance`, percent
    MaxLeaseMisbalance,
    /// `max-lease-ownership`, percent
    MaxLeaseOwnership,
    /// `max-balance`, seconds
    MaxBalance,
    /// `min-balance`, seconds
    MinBalance,
    /// `auto-partner-down`, seconds
    AutoPartnerDown,
}

/// `failover peer "name" state { ... }`: written into lease files, and legal in a configuration too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailoverState {
    /// The relationship's name.
    pub name: Name,
    /// Its statements.
    pub statements: Vec<FailoverStateStatement>,
    /// Whether its `}` was there.
    pub closed: bool,
}

/// A statement of a failover state declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailoverStateStatement {
    /// `my state STATE [at DATE];`
    My(Word, Option<Date>),
    /// `partner state STATE [at DATE];`
    Partner(Word, Option<Date>),
    /// `mclt number;`
    Mclt(Number),
    /// What does not fit.
    Malformed(Box<Malformed>),
}

/// A date; UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Date {
    /// `never`
    Never,
    /// `epoch N`, seconds since 1970.
    Epoch(Number),
    /// `W YYYY/MM/DD HH:MM:SS [N]`; no field is checked for its range.
    Calendar(Box<CalendarDate>),
}

/// `W YYYY/MM/DD HH:MM:SS [N]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarDate {
    /// Day of the week; ignored.
    pub weekday: Number,
    /// Year.
    pub year: Number,
    /// Month, from 1.
    pub month: Number,
    /// Day of the month, from 1.
    pub day: Number,
    /// Hour.
    pub hour: Number,
    /// Minute.
    pub minute: Number,
    /// Second.
    pub second: Number,
    /// Seconds that are added, if given.
    pub offset: Option<Number>,
}

/// `server-duid ...;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerDuid {
    /// `llt`, with or without its parts.
    Llt(Option<LinkLayerTime>),
    /// `ll`, with or without its parts.
    Ll(Option<Hardware>),
    /// `en number "octets"`
    En {
        /// The enterprise number.
        enterprise: Number,
        /// The identifier.
        identifier: Octets,
    },
    /// `number "octets"`: any other type.
    Other {
        /// The DUID type.
        duid_type: Number,
        /// The identifier.
        identifier: Octets,
    },
}

/// `hwtype time octets` of `server-duid llt`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkLayerTime {
    /// The type and the address.
    pub hardware: Hardware,
    /// Seconds since 2000-01-01.
    pub time: Number,
}

/// `lease-id-format`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseIdFormat {
    /// `octal`
    Octal,
    /// `hex`
    Hex,
}

/// `host-identifier`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostIdentifier {
    /// The number after `v6relopt`; none for `option`.
    pub relay: Option<Number>,
    /// The option.
    pub name: OptionName,
    /// Its literal value, up to the `;`; typed by the option's definition.
    pub value: Box<[Token]>,
}
