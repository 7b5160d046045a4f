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

mod declarations;
mod executable;

use std::net::{Ipv4Addr, Ipv6Addr};

use super::expr::Expr;
use super::reader::Unread;
use super::source::Span;
use super::token::{Token, Word};

pub use declarations::*;
pub use executable::*;

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
    /// More of them, behind those: a [`super::Reader`] leaves the statements of a large block for later.
    pub unread: Option<Box<Unread>>,
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
