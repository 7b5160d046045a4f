//! Tests of the runner itself: what it must notice, and what it must let pass.

use libtest_mimic::{Failed, Trial};

use crate::packet::{Change, Client, Draft, Kind, Link, checksum, udp_checksum};
use crate::scenario::Scenario;
use crate::transcript::{Normaliser, changed_lines, difference};

type Test = fn() -> Result<(), Failed>;

/// All of them, as trials.
pub fn trials() -> Vec<Trial> {
    let all: [(&str, Test); 5] = [
        ("times_may_be_a_second_apart", times_may_be_a_second_apart),
        ("everything_else_must_be_equal", everything_else_must_be_equal),
        ("dates_count_from_the_beginning", dates_count_from_the_beginning),
        ("a_mistake_in_a_scenario_has_a_line", a_mistake_in_a_scenario_has_a_line),
        ("frames_are_well_formed", frames_are_well_formed),
    ];
    all.into_iter().map(|(name, test)| Trial::test(format!("runner/{name}"), test)).collect()
}

fn hold(what: bool, why: &str) -> Result<(), Failed> {
    if what { Ok(()) } else { Err(why.into()) }
}

fn times_may_be_a_second_apart() -> Result<(), Failed> {
    let names = ("one", "two");
    let truth = "a\n  ends <+600s>;\nb\n";
    hold(difference(truth, "a\n  ends <+601s>;\nb\n", names).is_none(), "one second is nothing")?;
    let diff = difference(truth, "a\n  ends <+602s>;\nb\n", names).ok_or("two seconds are something")?;
    hold(changed_lines(&diff) == ["-  ends <+600s>;", "+  ends <+602s>;"], &diff)?;
    hold(difference("age <~0>\n", "age <~1>\n", names).is_none(), "so it is with approximate numbers")?;
    hold(difference("ends <+5s>\n", "ends <~5>\n", names).is_some(), "a date is no number")
}

fn everything_else_must_be_equal() -> Result<(), Failed> {
    let names = ("one", "two");
    hold(difference("a\nb\n", "a\nb\n", names).is_none(), "equal")?;
    hold(difference("a\nb\n", "b\na\n", names).is_some(), "order counts")?;
    hold(difference("a\n", "a\na\n", names).is_some(), "number counts")?;
    hold(difference("a <+0s>\n", "a  <+0s>\n", names).is_some(), "blanks count")
}

fn dates_count_from_the_beginning() -> Result<(), Failed> {
    let n = Normaliser { epoch: 1_700_000_000, directory: "/tmp/x".to_owned(), approx: &[] };
    let cases = [
        ("  ends 2 2023/11/14 22:13:30;", "  ends <+10s>;"),
        // A wrong day of the week, and a date from elsewhere, are shown as they are.
        ("  ends 3 2023/11/14 22:13:30;", "  ends 3 2023/11/14 22:13:30;"),
        ("  ends 5 2020/01/03 00:00:00;", "  ends 5 2020/01/03 00:00:00;"),
        ("  ends epoch 1699999999; # Tue Nov 14 22:13:19 2023", "  ends epoch <-1s> # date"),
    ];
    for (line, wanted) in cases {
        hold(n.lease_line(line.as_bytes()) == *wanted, line)?;
    }
    hold(n.line(b"Can't open /tmp/x/dhcpd.conf") == "Can't open @dir/dhcpd.conf", "directory")?;
    hold(n.line(b"pool 55d0c0ffee00 total 5") == "pool @pointer total 5", "pointer")
}

fn a_mistake_in_a_scenario_has_a_line() -> Result<(), Failed> {
    for (text, wanted) in [
        ("# t\n\na DISCOVER\n", "x.scenario line 3: a: neither a step nor a client"),
        ("# t\nclient a mac 02:00\n", "x.scenario line 2: 02:00: not an Ethernet address"),
        ("# t\nclient a mac 02:00:00:00:00:01\na DISCOVER wings 2\n", "line 3: wings: not something"),
        ("client a mac 02:00:00:00:00:01\n", "no comment says what it shows"),
    ] {
        let error = Scenario::parse("x", text).err().ok_or("a mistake went unnoticed")?;
        hold(error.contains(wanted), &error)?;
    }
    Ok(())
}

fn frames_are_well_formed() -> Result<(), Failed> {
    let link = Link { server_mac: [2, 0, 0, 0, 0x99, 1], server_address: [10, 91, 0, 1].into() };
    let client = Client {
        mac: [2, 0, 0, 0, 0, 1],
        habits: vec![Change::Option(12, vec![b'x'; 300])],
        address: [10, 91, 0, 10].into(),
        server: None,
        xid: 7,
    };
    let frame = Draft::new(&Kind::Renew, &client, link, &[]).frame();
    hold(checksum(&frame[14..34]) == 0, "IP checksum")?;
    let mut udp = frame[34..].to_vec();
    udp[6..8].fill(0);
    let sum = udp_checksum([10, 91, 0, 10].into(), [10, 91, 0, 1].into(), &udp).to_be_bytes();
    hold(frame[40..42] == sum, "UDP checksum")?;
    hold(frame[..6] == link.server_mac, "a renewal goes to the server")?;
    // 300 octets of an option travel as 255 and 45.
    let payload = Draft::new(&Kind::Renew, &client, link, &[]).payload();
    hold(payload[243..245] == [12, 255] && payload[500..502] == [12, 45], "RFC 3396")
}
