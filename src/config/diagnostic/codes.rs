//! The stable codes of diagnostics: one table.
//!
//! `E` codes refuse a configuration, `W` codes do not. The first digits group them: 01 text and syntax, 02 place of a
//! statement, 03 networks and pools, 04 hosts and groups, 05 classes, 06 option names and definitions, 07 values,
//! 08 statements and expressions, 09 failover, keys, zones and the rest. A code never changes its meaning and is never
//! used again.

macro_rules! codes {
    ($($name:ident $code:literal $title:literal)*) => {
        /// A diagnostic's code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $title] $name,)*
        }

        impl Code {
            /// All codes in the order of the table.
            pub const ALL: &[Code] = &[$(Code::$name,)*];

            /// As printed: `E0107`.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $code,)* }
            }

            /// What it stands for, in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Code::$name => $title,)* }
            }
        }
    };
}

codes! {
    Syntax "E0101" "a statement that does not fit the language"
    UnknownStatement "E0102" "no statement begins like this"
    NotExecutable "E0103" "a declaration where only executable statements may stand"
    UnexpectedEnd "E0104" "the file ends too early"
    UnclosedBlock "E0105" "a block without its closing brace"
    StrayToken "E0106" "a brace or semicolon that ends nothing"
    BadString "E0107" "a string that is not closed or has a bad escape"
    TokenTooLong "E0108" "a token or white space that is too long"
    Include "E0109" "a file that cannot be included"
    TooDeep "E0110" "nested too deeply"
    SemicolonExpected "E0111" "more tokens than the statement takes"

    Swallowed "W0101" "a statement that is skipped without a word"

    HostNotHere "E0201" "a host declaration where none may stand"
    GroupNotHere "E0202" "a group declaration where none may stand"
    SharedNetworkNotHere "E0203" "a shared-network where none may stand"
    SubnetNotHere "E0204" "a subnet where none may stand"
    ClassNotHere "E0205" "a class inside a class"
    PoolNotHere "E0206" "a pool where none may stand"
    RangeNotHere "E0207" "a range where none may stand"
    HostParameterNotHere "E0208" "a parameter of a host outside of one"
    AuthoritativeNotHere "E0209" "authoritative in a host"
    DefinitionNotHere "E0210" "an option definition inside a block"
    FailoverNotHere "E0211" "a failover statement where none may stand"
    StatementNotHere "E0212" "a statement of another block"
    OnlyDhcp6 "E0213" "a DHCPv6 statement in a DHCPv4 configuration"

    EmptyName "E0301" "an empty name"
    EmptySharedNetwork "E0302" "a shared-network without subnets"
    BadMask "E0303" "a network number that does not fit its mask"
    TwoInterfaces "E0304" "a network on two interfaces"
    MixedFamilies "E0305" "IPv4 and IPv6 subnets in one configuration"
    RangeOutside "E0306" "a range outside of its subnet"
    RangeTooLarge "E0307" "a range with too many addresses"
    AddressTwice "E0308" "an address in two ranges"
    PoolWithoutRange "E0309" "a pool without addresses"
    PermitUnknown "E0310" "a word that permits nothing in a pool"
    PermitAfterTwice "E0311" "two after clauses in one pool"
    RangeBeforeSubnet "E0312" "a range whose subnet is not declared yet"
    DynamicBootpWithPeer "E0313" "dynamic BOOTP together with failover"
    BadPrefix "E0314" "a prefix that does not fit"
    Overlap "W0301" "subnets that overlap"

    HostTwice "E0401" "two hosts of the same name"
    HardwareTwice "E0402" "two hardware addresses in one host"
    FixedAddressTwice "E0403" "two fixed-address statements in one host"
    UidTwice "E0404" "two identifiers in one host"
    HostIdentifier "E0405" "a host-identifier that makes no sense"
    GroupUnknown "E0406" "a group that is not declared"
    HostsAreGlobal "W0401" "a host inside a subnet"
    UidIgnored "W0402" "a client identifier that is ignored"

    ClassUnknown "E0501" "a class that is not declared"
    MatchTwice "E0502" "two match clauses in one class"
    MatchInSubclass "E0503" "match or spawn in a subclass"

    OptionUnknown "E0601" "an option that is not defined"
    SpaceUnknown "E0602" "an option space that is not defined"
    OptionCode "E0603" "an option code that is not allowed"
    SpaceWidth "E0604" "a width that option spaces do not have"
    OptionType "E0605" "an option type that is not supported"
    EncapsulatedTwice "E0606" "an option space carried by two options"
    OptionRenamed "W0601" "an option that has a name by now"

    ValueMissing "E0701" "an option without its value"
    ValueExpected "E0702" "a value of another kind"
    BadNumber "E0703" "a number with a wrong digit"
    NumberRange "E0704" "a number out of range"
    BadAddress "E0705" "not an address"
    BadDomain "E0706" "not a domain name"
    BadWord "E0707" "a word that is not among those allowed"
    BadExpressionType "E0708" "an expression of the wrong type"
    ValueAbsent "W0701" "an option whose value is missing"

    CaseOutside "E0801" "case or default outside of a switch"
    CollectionUnknown "E0802" "a collection that does not exist"
    AllowKey "E0803" "a word that allow, deny and ignore do not take here"
    NotLast "E0804" "a statement that must be the last of its block"

    PeerTwice "E0901" "two failover peers of the same name"
    PeerUnknown "E0902" "a failover peer that is not declared"
    PeerIncomplete "E0903" "a failover peer that lacks a statement"
    PeerValue "E0904" "a failover parameter out of range"
    KeyIncomplete "E0905" "a key without algorithm or secret"
    KeyTwice "E0906" "two algorithms or secrets in one key"
    KeyUnknown "E0907" "a key that is not declared"
    ZoneTwice "E0908" "two servers or keys of one kind in a zone"
    KeyAlgorithm "W0901" "a key algorithm that is not supported"
    NotServed "W0902" "a meaning that this server does not have yet"
}

#[cfg(test)]
mod tests {
    use super::Code;
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_and_well_formed() {
        let mut seen = HashSet::new();
        for code in Code::ALL {
            let text = code.as_str();
            assert!(seen.insert(text), "{text} twice");
            assert_eq!(text.len(), 5);
            assert!(text.starts_with(['E', 'W']) && text[1..].bytes().all(|c| c.is_ascii_digit()), "{text}");
            assert!(!code.title().is_empty());
        }
    }
}
