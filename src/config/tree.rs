//! Executable statements and expressions, as `eval` walks them.
//!
//! Mirrors dhcp-eval(5). The tree keeps enough to be printed again as dhcpd prints it (`on` blocks in the lease
//! file).

use crate::options::OptionId;
use std::sync::Arc;

pub use crate::options::Octets;

/// A list of statements that runs in order.
pub type Block = Arc<[Statement]>;

/// How an option statement combines with what is already set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combine {
    /// `option`, `supersede`, `send`, a server parameter, `allow`/`deny`/`ignore`.
    Supersede,
    /// `default`: only if nothing set it before.
    Default,
    /// `append`.
    Append,
    /// `prepend`.
    Prepend,
}

/// The lease events of `on`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// `expiry`
    pub expiry: bool,
    /// `commit`
    pub commit: bool,
    /// `release`
    pub release: bool,
    /// `transmission`: accepted, never happens.
    pub transmission: bool,
}

/// Priority of a `log` statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogPriority {
    /// `fatal`: the server ends.
    Fatal,
    /// `error`
    Error,
    /// `debug`, also when none is given.
    Debug,
    /// `info`
    Info,
}

/// An executable statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// `if cond { } else { }`; an `elsif` is an `else` block with one `if`.
    If {
        /// The condition; absent counts as false.
        condition: Expr,
        /// Runs when true.
        then: Block,
        /// Runs otherwise.
        otherwise: Block,
    },
    /// `switch (e) { case ...: ... }`
    Switch {
        /// What is compared.
        on: Expr,
        /// Labels and statements in order.
        body: Block,
    },
    /// `case e:`
    Case(Expr),
    /// `default:`
    DefaultCase,
    /// `break;`
    Break,
    /// `on EVENT or EVENT { }`; `None` removes the handler (`on commit;`).
    On {
        /// Which events.
        events: Events,
        /// What runs.
        body: Option<Block>,
    },
    /// Every statement that sets an option or a server parameter.
    Option {
        /// How it combines.
        combine: Combine,
        /// Which option; server parameters live in the space `server`.
        option: OptionId,
        /// Its value; evaluated when needed, not when the statement runs.
        value: Arc<Expr>,
    },
    /// `add "class";`
    Add(super::network::ClassId),
    /// `parse-vendor-option;`
    ParseVendorOption,
    /// `set name = e;`
    Set {
        /// Variable, as written; names compare without case.
        name: Arc<str>,
        /// Right side.
        value: Expr,
    },
    /// `define name (a, b) { }`. (`set name (a) { }` is a `Set` of [`Expr::Function`].)
    Define {
        /// Function name.
        name: Arc<str>,
        /// The function.
        function: Arc<Function>,
    },
    /// `unset name;`
    Unset(Arc<str>),
    /// `eval e;` and a bare expression.
    Eval(Expr),
    /// `return e;`
    Return(Option<Expr>),
    /// `log (priority, e);` `log ();` has no expression.
    Log {
        /// Priority.
        priority: LogPriority,
        /// What is printed.
        value: Option<Expr>,
    },
    /// `execute ("command", e, ...);`
    Execute {
        /// The program, searched in PATH.
        command: Octets,
        /// Its arguments.
        arguments: Vec<Expr>,
    },
    /// `db-time-format`, `zone`, `key`: nothing happens when they run.
    Nothing,
}

/// A user-defined function.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Parameter names in order.
    pub parameters: Vec<Arc<str>>,
    /// The body.
    pub body: Block,
}

/// Binary operators on numbers (unsigned 64 bit, wrapping).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    And,
    Or,
    Xor,
}

/// Width of an integer in octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum IntWidth {
    One,
    Two,
    Four,
}

/// An expression. Data, numeric and boolean operators in one tree; see `spec` section 7 of dhcp-eval(5).
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Expr {
    // data
    /// A constant: a string, a hex list, a typed option value.
    Data(Octets),
    Substring(Box<[Expr; 3]>),
    Suffix(Box<[Expr; 2]>),
    Lcase(Box<Expr>),
    Ucase(Box<Expr>),
    /// Pairwise, left-associative.
    Concat(Box<[Expr; 2]>),
    /// What `append` and `prepend` make of two compressed domain lists: expanded, joined, compressed again. Never
    /// parsed, only built at run time.
    ConcatDomainLists(Box<[Expr; 2]>),
    /// `reverse (width, data)`
    Reverse(Box<[Expr; 2]>),
    /// `binary-to-ascii (base, width, separator, data)`
    BinaryToAscii(Box<[Expr; 4]>),
    EncodeInt(IntWidth, Box<Expr>),
    Pick(Vec<Expr>),
    /// `packet (offset, length)`
    Packet(Box<[Expr; 2]>),
    /// `v6relay (n, data)`
    V6Relay(Box<[Expr; 2]>),
    Gethostname,
    /// `gethostbyname ("name")`, and a host name where an address is wanted.
    HostLookup(Arc<str>),
    Option(OptionId),
    ConfigOption(OptionId),
    Hardware,
    LeasedAddress,
    HostDeclName,
    Filename,
    ServerName,
    Null,
    // numeric
    Number(i64),
    ExtractInt(IntWidth, Box<Expr>),
    LeaseTime,
    ClientState,
    Arithmetic(Arithmetic, Box<[Expr; 2]>),
    // boolean
    Equal(Box<[Expr; 2]>),
    NotEqual(Box<[Expr; 2]>),
    And(Box<[Expr; 2]>),
    Or(Box<[Expr; 2]>),
    Not(Box<Expr>),
    Regex {
        ignore_case: bool,
        sides: Box<[Expr; 2]>,
    },
    Exists(OptionId),
    Known,
    Static,
    Check(Arc<str>),
    Defined(Arc<str>),
    // typed only when evaluated
    Variable(Arc<str>),
    Call {
        name: Arc<str>,
        arguments: Vec<Expr>,
    },
    /// The right side of `set name (a) { }`, which parses but cannot be evaluated (ISC `expr_function`).
    Function(Arc<Function>),
}
