//! What dhcpd prints, recorded from `dhcpd -t`.

use crate::config::build::Family;
use crate::config::words::explain;
use crate::syntax::LoadError;

/// Everything said about a file named `f`.
fn said(source: &str) -> Vec<String> {
    let mut no_files = |_: &[u8]| -> Result<Vec<u8>, LoadError> {
        Err(LoadError { errno: Some(2), message: "No such file or directory".to_owned() })
    };
    let words = explain(b"f", source.as_bytes(), Family::V4, &mut no_files);
    let words = words.expect("the samples are not deep");
    words.lines.iter().map(|line| String::from_utf8_lossy(&line.text).into_owned()).collect()
}

/// Files, and the lines dhcpd prints of each.
fn check(cases: &[(&str, &[&str])]) {
    for (source, lines) in cases {
        assert_eq!(said(source), *lines, "{source}");
    }
}

#[test]
fn option_values_stop_at_the_token_that_does_not_fit() {
    check(&[
        (
            "option routers 10.0.0;\n",
            &["f line 1: too few numbers.", "option routers 10.0.0;", "                      ^"],
        ),
        (
            "option routers \"10.0.0.1\";\n",
            &[
                "f line 1: 10.0.0.1 (262): expecting IP address or hostname",
                "option routers \"10.0.0.1\"",
                "                ^",
            ],
        ),
        (
            "option routers 10.0.0.1 10.0.0.2;\n",
            &["f line 1: semicolon expected.", "option routers 10.0.0.1 10.", "                         ^"],
        ),
        (
            "option ip-forwarding maybe;\n",
            &["f line 1: expecting boolean.", "option ip-forwarding maybe;", "                      ^"],
        ),
        (
            "option interface-mtu 70000;\noption time-offset foo;\n",
            &[
                "f line 1: 70000 exceeds max (65535) for precision.",
                "option interface-mtu 70000;",
                "                      ^",
                "f line 2: expecting number.",
                "option time-offset foo;",
                "                    ^",
            ],
        ),
        (
            "option domain-search \"a\", b;\n",
            &[
                "f line 1: Expecting a domain string.",
                "option domain-search \"a\", b;",
                "                           ^",
            ],
        ),
        (
            "option vendor-encapsulated-options 1:2:300;\n",
            &[
                "f line 1: 300 exceeds max (255) for precision.",
                "option vendor-encapsulated-options 1:2:300;",
                "                                       ^",
            ],
        ),
        (
            "option domain-name;\noption host-name \"a\";\n",
            &["f line 2: semicolon expected.", "option ", " ^"],
        ),
        (
            "option foo.bar 1;\noption foo 1;\n",
            &[
                "f line 1: no option space named foo.",
                "option foo.bar ",
                "           ^",
                "f line 2: unknown option dhcp.foo",
                "option foo 1;",
                "        ^",
            ],
        ),
    ]);
}

#[test]
fn after_equals_somebody_or_nobody_said_so() {
    check(&[
        (
            "option domain-name = ;\n",
            &[
                "f line 1: expecting a parameter or declaration",
                "option domain-name = ;",
                "                    ^",
            ],
        ),
        (
            "supersede domain-name = ;\n",
            &[
                "f line 1: expecting a data expression.",
                "supersede domain-name = ;",
                "                       ^",
                "f line 1: expecting a parameter or declaration",
                "supersede domain-name = ;",
                "                         ^",
            ],
        ),
        (
            "if known { default-lease-time = ; }\n",
            &[
                "f line 1: right brace expected.",
                "if known { default-lease-time = ;",
                "                                 ^",
            ],
        ),
        (
            "option domain-name = 1:2:zz;\n",
            &[
                "f line 1: expecting hexadecimal number.",
                "option domain-name = 1:2:zz;",
                "                         ^",
            ],
        ),
    ]);
}

#[test]
fn definitions_and_spaces() {
    check(&[
        (
            "option space a code width 3;\n",
            &[
                "f line 1: invalid code width (3), expecting a 1, 2 or 4.",
                "option space a code width 3;",
                "                           ^",
                "f line 1: expecting a parameter or declaration",
                "option space a code width 3;",
                "                           ^",
            ],
        ),
        (
            "option space b foo bar;\n",
            &[
                "f line 1: Unexpected token.",
                "option space b foo ",
                "                ^",
                "f line 1: Unexpected token.",
                "option space b foo bar;",
                "                    ^",
            ],
        ),
        (
            "option x code 1 = { text, text };\n",
            &[
                "f line 1: text must be at end of record.",
                "option x code 1 = { text,",
                "                         ^",
            ],
        ),
        (
            "option x code 1 = { integer 9 };\n",
            &[
                "f line 1: 9 bit precision is not supported.",
                "option x code 1 = { integer 9 ",
                "                             ^",
            ],
        ),
        (
            "option x code 1 = array of text;\n",
            &[
                "f line 1: arrays of text strings not yet supported.",
                "option x code 1 = array of text;",
                "                            ^",
            ],
        ),
        (
            "if known { option x code 1 = text; }\n",
            &[
                "f line 1: no option named x in space dhcp",
                "if known { option x code ",
                "                   ^",
            ],
        ),
    ]);
}

#[test]
fn operators_check_their_types() {
    check(&[
        (
            "if known and 3 { }\n",
            &["f line 1: illegal expression relating different types", "if known and 3 {", "              ^"],
        ),
        (
            "if lease-time = \"a\" { }\n",
            &[
                "f line 1: illegal expression relating different types",
                "if lease-time = \"a\" {",
                "                 ^",
            ],
        ),
        ("if not foo { }\n", &["f line 1: boolean expression expected", "if not foo {", "        ^"]),
        (
            "if option host-name ~ \"a\" { }\n",
            &[
                "f line 1: expecting ~= or ~~ operator",
                "if option host-name ~ \"a\"",
                "                     ^",
            ],
        ),
        (
            "set x = 5 + 3;\n",
            &["f line 1: expecting numeric expressions", "set x = 5 + 3;", "             ^"],
        ),
        ("if known or { }\n", &["f line 1: expecting right-hand side.", "if known or {", "          ^"]),
        (
            "if exists host-name = exists host-name and known { }\n",
            &[
                "f line 1: expecting data/numeric expression",
                "if exists host-name = exists host-name and ",
                "                              ^",
            ],
        ),
    ]);
}

#[test]
fn operands_in_parentheses() {
    check(&[
        (
            "set x = substring (hardware, \"a\", 3);\n",
            &[
                "f line 1: Expecting a numeric expression.",
                "set x = substring (hardware, \"a\",",
                "                              ^",
            ],
        ),
        (
            "set x = concat (\"a\");\n",
            &["f line 1: comma expected.", "set x = concat (\"a\")", "                   ^"],
        ),
        (
            "set x = encode-int (\"a\", 8);\n",
            &[
                "f line 1: Expecting a numeric expression.",
                "set x = encode-int (\"a\",",
                "                    ^",
                "f line 1: expecting numeric expression.",
                "set x = encode-int (\"a\",",
                "                    ^",
            ],
        ),
        (
            "set x = extract-int (\"a\", 9);\n",
            &[
                "f line 1: unsupported integer size 9",
                "set x = extract-int (\"a\", 9)",
                "                           ^",
            ],
        ),
        ("set x = foo ();\n", &["f line 1: expecting expression.", "set x = foo ()", "             ^"]),
        ("set if = 5;\n", &["f line 1: if can't be a variable name", "set if ", "     ^"]),
    ]);
}

#[test]
fn errors_that_are_claimed_and_errors_said_twice() {
    check(&[
        (
            "default-lease-time x;\nmax-lease-time 5;\n",
            &[
                "f line 1: Bogus number x: digit 33 not in base 10",
                "default-lease-time x;",
                "                    ^",
            ],
        ),
        (
            "allow foo;\nmax-lease-time 5;\n",
            &[
                "f line 1: expecting allow/deny key",
                "allow foo;",
                "       ^",
                "f line 1: expecting a parameter or declaration",
                "allow foo;",
                "          ^",
            ],
        ),
        (
            "set x = ;\nset y = 1;\n",
            &[
                "f line 1: expecting expression.",
                "set x = ;",
                "       ^",
                "f line 1: expecting a parameter or declaration",
                "set x = ;",
                "         ^",
            ],
        ),
        ("log (known);\nset y = 1;\n", &["f line 1: Expecting a data expression.", "log (known)", "     ^"]),
        ("case 1: break;\n", &["f line 1: case statement in inappropriate scope.", "case ", "^"]),
        ("foo bar;\n", &["f line 1: semicolon expected.", "foo bar;", "     ^"]),
    ]);
}

#[test]
fn blocks_lose_their_braces() {
    check(&[
        (
            "if known { foo bar; } else { }\n",
            &[
                "f line 1: semicolon expected.",
                "if known { foo bar;",
                "                ^",
                "f line 1: expecting a parameter or declaration",
                "if known { foo bar; } else ",
                "                     ^",
            ],
        ),
        (
            "if known { set x = 1 } elsif static { }\n",
            &["f line 1: semicolon expected.", "if known { set x = 1 }", "                      ^"],
        ),
        (
            "on commit { set x = ; }\n",
            &["f line 1: expecting expression.", "on commit { set x = ;", "                   ^"],
        ),
        (
            "switch (option host-name) { case 1 break; }\n",
            &[
                "f line 1: colon expected.",
                "switch (option host-name) { case 1 break;",
                "                                    ^",
            ],
        ),
        (
            "define f (a) { foo bar; }\n",
            &["f line 1: semicolon expected.", "define f (a) { foo bar;", "                    ^"],
        ),
        (
            "if (known { }\n",
            &[
                "f line 1: expecting right paren.",
                "if (known {",
                "           ^",
                "f line 1: expecting a parameter or declaration",
                "if (known { }",
                "           ^",
            ],
        ),
    ]);
}
