//! The syntax tree of dhcpd.conf: every declaration and statement, each with its place.
//!
//! What is decided here is what dhcpd decides without knowing any definition: addresses, hexadecimal lists, plain
//! numbers and the type rules of expressions. A statement that breaks one of those rules is
//! [`StatementKind::Malformed`], so whoever walks the tree meets only values that are right. What depends on
//! definitions is left to the `config` layer: option values are kept as tokens ([`OptionValue`]), and a statement
//! that begins with any other word is kept in both of its readings ([`WordStatement`]).
//!
//! Which statement may stand in which block is `config`'s business too, as dhcpd has a message for each case. Only
//! statements that are spelled out by one block alone (`match` in a class, `uid` in a host...) are recognised there
//! and nowhere else, and an executable block (`if`, `on`, `switch`, function body) holds executable statements only.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::expr::Expr;
use super::source::{FileId, Span};
use super::token::{Token, Word};

/// A statement or declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// From its first token to its `;` or closing brace, both included.
    pub span: Span,
    /// What it says.
    pub kind: StatementKind,
}

/// What a statement says. Names follow dhcpd.conf(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatementKind {
    // Declarations.
    /// `include "file";`
    Include(Box<Include>),
    /// `host name { ... }`
    Host(Box<Host>),
    /// `group [name] { ... }`
    Group(Box<Group>),
    /// `shared-network name { ... }`
    SharedNetwork(Box<SharedNetwork>),
    /// `subnet address netmask mask { ... }`
    Subnet(Box<Subnet>),
    /// `subnet6 prefix/length { ... }`
    Subnet6(Box<Subnet6>),
    /// `class "name" { ... }`
    Class(Box<Class>),
    /// `subclass "class" data;` or `subclass "class" data { ... }`
    Subclass(Box<Subclass>),
    /// `vendor-class "class";`, `user-class "class" { ... }`: the old spellings.
    OldClass(Box<OldClass>),
    /// `pool { ... }`
    Pool(Box<Block>),
    /// `pool6 { ... }`
    Pool6(Box<Block>),
    /// `range [dynamic-bootp] low [high];`
    Range(Box<Range>),
    /// `range6 ...;`
    Range6(Box<Range6>),
    /// `prefix6 low high /length;`
    Prefix6(Box<Prefix6>),
    /// `fixed-prefix6 prefix/length;`
    FixedPrefix6(Box<Ip6Prefix>),
    /// `hardware type octets;`
    Hardware(Box<Hardware>),
    /// `fixed-address address-or-host, ...;`
    FixedAddress(Vec<AddressOrHost>),
    /// `fixed-address6 address, ...;`
    FixedAddress6(Vec<Ip6>),
    /// `authoritative;` (true), `not authoritative;` (false)
    Authoritative(bool),
    /// `server-identifier value;`
    ServerIdentifier(Box<OptionValue>),
    /// `option`, `supersede`, `send`, `append`, `prepend` or `default` with an option name and a value.
    Option(Box<OptionStatement>),
    /// `option space name ...;`
    OptionSpace(Box<OptionSpace>),
    /// `option name code number = type;`
    OptionCode(Box<OptionCode>),
    /// `failover peer "name" { ... }`
    FailoverPeer(Box<FailoverPeer>),
    /// `failover peer "name" state { ... }`
    FailoverState(Box<FailoverState>),
    /// `failover peer "name";`
    FailoverReference(Box<Name>),
    /// `no failover peer` (in a pool; without a semicolon)
    NoFailoverPeer,
    /// `server-duid ...;`
    ServerDuid(Box<ServerDuid>),
    /// `lease-id-format octal;` or `hex`
    LeaseIdFormat(LeaseIdFormat),
    /// `% anything;` or `% anything { ... }`: skipped by dhcpd, as is a `log` without anything to log.
    Percent(Box<[Token]>),

    // Statements of one block alone.
    /// `dynamic;` in a host, group or class.
    Dynamic,
    /// `deleted;` in a host, group or class.
    Deleted,
    /// `static;` in a group.
    Static,
    /// `group name;` in a host.
    HostGroup(Box<Name>),
    /// `uid data;` in a host.
    Uid(Box<Octets>),
    /// `host-identifier option name data;` or `host-identifier v6relopt number name data;` in a host.
    HostIdentifier(Box<HostIdentifier>),
    /// `interface name;` in a subnet or shared-network; the token may be of any kind.
    Interface(Box<Token>),
    /// `match data-expression;` in a class. dhcpd also takes `match if` first, see [`StatementKind::MatchIf`].
    Match(Box<Expr>),
    /// `match if boolean-expression;` in a class.
    MatchIf(Box<Expr>),
    /// `spawn with data-expression;` in a class.
    SpawnWith(Box<Expr>),
    /// `lease limit number;` in a class.
    LeaseLimit(Box<Number>),

    // Executable statements.
    /// `if ... { } elsif ... { } else { }`
    If(Box<If>),
    /// `switch (expression) { ... }`
    Switch(Box<Switch>),
    /// `case expression:`
    Case(Box<Expr>),
    /// `default:`
    DefaultCase,
    /// `break;`
    Break,
    /// `on event or event { ... }`
    On(Box<On>),
    /// `allow`, `deny` and `ignore` with what follows.
    Permission(Box<Permission>),
    /// A statement that begins with a word that is none of the others: a server option or a bare expression.
    Word(Box<WordStatement>),
    /// `add "class";`
    Add(Box<Name>),
    /// `parse-vendor-option;`
    ParseVendorOption,
    /// `db-time-format local;` (true) or `default` (false)
    DbTimeFormat(bool),
    /// `set name = expression;` or, with `define`, the same.
    Set(Box<Set>),
    /// `define name (arguments) { ... }` or, with `set`, the same.
    Function(Box<FunctionDefinition>),
    /// `unset name;`
    Unset(Box<Word>),
    /// `eval expression;`
    Eval(Box<Expr>),
    /// `return expression;`
    Return(Box<Expr>),
    /// `log (priority, data);`
    Log(Box<Log>),
    /// `execute ("command", data, ...);`
    Execute(Box<Execute>),
    /// `zone name { ... }`
    Zone(Box<Zone>),
    /// `key name { ... }`
    Key(Box<Key>),

    /// What does not fit the language.
    Malformed(Box<Malformed>),
}

/// The statements between two braces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// From `{` to `}`, both included; to the end of the file when it is not closed.
    pub span: Span,
    /// Whether `}` was there. An open block ends with its file (`unexpected end of file`); it is also in the faults.
    pub closed: bool,
    /// The statements in the order written.
    pub statements: Vec<Statement>,
}

/// A statement that does not fit the language: dhcpd refuses the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What is wrong, and where.
    pub fault: Fault,
    /// Its tokens up to the `;` (included) or up to its block (not included).
    pub tokens: Box<[Token]>,
    /// Its block, if it has one. The statements inside are read on as those of a declaration.
    pub block: Option<Block>,
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// The token or stretch that is at fault.
    pub span: Span,
}

/// What can be wrong with a statement as such, without knowing any definition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    /// The statement does not fit the grammar at this place.
    #[error("this does not fit the statement")]
    Unexpected,
    /// No statement begins like this.
    #[error("no statement begins like this")]
    UnknownStatement,
    /// `case` or `default:` that does not stand directly in the block of a `switch`.
    #[error("a label outside of a switch statement")]
    LabelOutsideSwitch,
    /// A keyword where a variable or function has to be named.
    #[error("a keyword cannot be a name here")]
    KeywordAsName,
    /// The file ends inside a statement.
    #[error("the file ends inside a statement")]
    UnexpectedEnd,
    /// A `}` that closes nothing.
    #[error("this brace closes nothing")]
    StrayBrace,
    /// A `;` that ends nothing.
    #[error("this semicolon ends nothing")]
    StraySemicolon,
    /// A block without `}`; the span is that of its `{`.
    #[error("this block is not closed")]
    UnclosedBlock,
    /// A string without its closing quote.
    #[error("this string is not closed")]
    UnclosedString,
    /// A bad digit after `\x` or in an octal escape.
    #[error("bad escape in this string")]
    BadEscape,
    /// A string or word of more than 1,499 octets, which dhcpd cuts.
    #[error("this token is longer than 1,499 octets")]
    TokenTooLong,
    /// White space of more than 1,499 octets in one run, at which dhcpd exits.
    #[error("more than 1,499 octets of white space in one run")]
    WhiteSpaceTooLong,
    /// A number with a wrong digit or out of its range.
    #[error("not a number of {bits} bits in base {base}")]
    BadNumber {
        /// The base in which it was read.
        base: u8,
        /// Its width.
        bits: u8,
    },
    /// Not an IPv6 address.
    #[error("not an IPv6 address")]
    BadIp6,
    /// A length that IPv6 prefixes do not have.
    #[error("an IPv6 prefix has 0 to 128 bits")]
    BadPrefixLength,
    /// A size of `extract-int` or `encode-int` other than 8, 16 and 32.
    #[error("the size has to be 8, 16 or 32")]
    BadIntegerSize,
    /// Bad base64 text in a key's secret.
    #[error("not base64 text")]
    BadBase64,
    /// A hardware address of more than 20 octets.
    #[error("hardware address too long")]
    HardwareAddressTooLong,
    /// The expression relates or wants other types.
    #[error("{0}")]
    Type(super::expr::TypeFault),
    /// Blocks and parentheses nested deeper than [`super::MAX_DEPTH`], which is our limit.
    #[error("nested too deeply")]
    TooDeep,
    /// A file that includes itself, directly or through others.
    #[error("this file includes itself")]
    IncludeCycle,
    /// An included file that could not be read, or an include past our limits; see [`Include::content`].
    #[error("this file cannot be included")]
    Include,
    /// A file of 4 GiB or more.
    #[error("file too large")]
    FileTooLarge,
}

/// A name that may be written as a string, a word or a dotted host name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The octets: those of the string, or the words joined by dots. A trailing dot stays.
    pub text: Box<[u8]>,
    /// Whether it was written in quotes.
    pub quoted: bool,
    /// Where it stands.
    pub span: Span,
}

/// A NUMBER token read as C's `atoi` does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// Its value, wrapped as `atoi` and a 32-bit `int` do.
    pub value: i32,
    /// The text as written.
    pub text: Box<[u8]>,
    /// Where it stands.
    pub span: Span,
}

/// An IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ip4 {
    /// The address.
    pub address: Ipv4Addr,
    /// Where it stands.
    pub span: Span,
}

/// An IPv6 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ip6 {
    /// The address.
    pub address: Ipv6Addr,
    /// Where it stands.
    pub span: Span,
}

/// `address/length`, length 0 to 128 unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ip6Prefix {
    /// The address; host bits may be set.
    pub address: Ip6,
    /// The length.
    pub length: Number,
}

/// An address, or a name that is looked up when it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressOrHost {
    /// An address.
    Address(Ip4),
    /// A host name.
    Host(Name),
}

/// Octets written as a string or as a hexadecimal list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Octets {
    /// The octets.
    pub octets: Box<[u8]>,
    /// Whether they were written as a string.
    pub quoted: bool,
    /// Where they stand.
    pub span: Span,
}

/// `include "file";`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Include {
    /// The file's name.
    pub name: Name,
    /// The file's statements, or why there are none.
    pub content: Result<Included, IncludeError>,
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
    /// More than [`super::MAX_INCLUDE_DEPTH`] files deep.
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

/// `if`, with its `elsif` / `else if` branches in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct If {
    /// Conditions and their blocks; at least one.
    pub branches: Vec<(Expr, Block)>,
    /// The block after the last `else`.
    pub otherwise: Option<Block>,
}

/// `switch (expression) { ... }`; `case` and `default:` are statements of the block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// What is compared. Data makes the cases data, anything else (a variable too) numeric.
    pub expression: Expr,
    /// Its statements.
    pub block: Block,
}

/// `on event [or event...]` with a block or `;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct On {
    /// The events, at least one, in the order written.
    pub events: Vec<(Event, Span)>,
    /// The statements; none when it ends in `;`.
    pub block: Option<Block>,
}

/// A lease event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// `expiry`
    Expiry,
    /// `commit`
    Commit,
    /// `release`
    Release,
    /// `transmission`: the client's event, accepted and without effect.
    Transmission,
}

/// `allow`, `deny`, `ignore`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PermissionVerb {
    /// `allow`
    Allow,
    /// `deny`
    Deny,
    /// `ignore`
    Ignore,
}

/// `allow ...;`, `deny ...;`, `ignore ...;`. Directly in a pool `allow` and `deny` are permits; everywhere else, and
/// always with `ignore`, the word is a server option. At least one reading is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// The word it begins with.
    pub verb: PermissionVerb,
    /// The reading as a pool's permit.
    pub permit: Option<Permit>,
    /// The reading as a server option.
    pub key: Option<PermissionKey>,
}

/// Whom a pool serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permit {
    /// `known-clients`, `known clients`
    KnownClients,
    /// `unknown-clients`, `unknown clients`
    UnknownClients,
    /// `authenticated clients`
    AuthenticatedClients,
    /// `unauthenticated clients`
    UnauthenticatedClients,
    /// `all clients`
    AllClients,
    /// `dynamic bootp clients`
    DynamicBootpClients,
    /// `members of "class"`
    MembersOf(Name),
    /// `after date`
    After(Date),
}

/// The words `allow`, `deny` and `ignore` take outside of pools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PermissionKey {
    /// `bootp`
    Bootp,
    /// `booting`
    Booting,
    /// `dynamic-bootp`
    DynamicBootp,
    /// `unknown-clients`
    UnknownClients,
    /// `duplicates`
    Duplicates,
    /// `declines`
    Declines,
    /// `client-updates`
    ClientUpdates,
    /// `leasequery`
    Leasequery,
}

/// A statement that begins with a word which is no keyword of a statement. dhcpd looks the word up among the options
/// of the `server` space first; when it is one, `value` is its value (and must be there). When it is not, and the
/// word is not a keyword ([`super::WordClass::is_variable_name`]), the statement is an expression, evaluated
/// for its effect. Anything else is an error. At least one of the two readings is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordStatement {
    /// The word.
    pub name: Word,
    /// The reading as a server option.
    pub value: Option<OptionValue>,
    /// The reading as an expression, which begins at `name`. Read in data context, without a final type check.
    pub expression: Option<Expr>,
}

/// `set name = expression;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// `define` rather than `set`.
    pub define: bool,
    /// The variable.
    pub name: Word,
    /// Its value, of any type.
    pub value: Expr,
}

/// `define name (arguments) { ... }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionDefinition {
    /// `define` rather than `set` (which fails when executed).
    pub define: bool,
    /// The function.
    pub name: Word,
    /// Its arguments' names.
    pub arguments: Vec<Word>,
    /// Its statements.
    pub block: Block,
}

/// `log (priority, data);`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The priority; none means debug.
    pub priority: Option<LogPriority>,
    /// What is logged.
    pub data: Expr,
}

/// A priority of `log`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogPriority {
    /// `fatal`: the server exits.
    Fatal,
    /// `error`
    Error,
    /// `debug`
    Debug,
    /// `info`
    Info,
}

/// `execute ("command", data, ...);`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execute {
    /// The command.
    pub command: Name,
    /// Its arguments.
    pub arguments: Vec<Expr>,
}

/// `zone name { ... }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// The zone's name as written (dhcpd adds the trailing dot).
    pub name: Name,
    /// Its statements.
    pub statements: Vec<ZoneStatement>,
    /// Whether its `}` was there.
    pub closed: bool,
}

/// A statement of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneStatement {
    /// From its first token to its `;`.
    pub span: Span,
    /// What it says.
    pub kind: ZoneStatementKind,
}

/// What a statement of a zone says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ZoneStatementKind {
    /// `primary address, ...;`
    Primary(Vec<AddressOrHost>),
    /// `secondary address, ...;`
    Secondary(Vec<AddressOrHost>),
    /// `primary6 address, ...;`
    Primary6(Vec<Ip6>),
    /// `secondary6 address, ...;`
    Secondary6(Vec<Ip6>),
    /// `key name;`
    Key(Name),
    /// What does not fit.
    Malformed(Box<Malformed>),
}

/// `key name { ... }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key's name.
    pub name: Name,
    /// Its statements.
    pub statements: Vec<KeyStatement>,
    /// Whether its `}` was there.
    pub closed: bool,
}

/// A statement of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyStatement {
    /// From its first token to its `;`.
    pub span: Span,
    /// What it says.
    pub kind: KeyStatementKind,
}

/// What a statement of a key says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyStatementKind {
    /// `algorithm name;`
    Algorithm(Name),
    /// `secret base64;`: the octets after decoding.
    Secret(Box<[u8]>),
    /// What does not fit.
    Malformed(Box<Malformed>),
}
