use proptest::prelude::*;

use super::*;
use crate::options::{Format, OptionFields, Received, parse_packet_options};

/// Options with constant values.
type Constants = OptionState<Vec<u8>>;

fn constant(entry: &crate::options::Entry<Vec<u8>>, out: &mut Vec<u8>) -> bool {
    out.extend_from_slice(&entry.value);
    true
}

fn pack_with(spaces: &Spaces, options: &Constants, packing: &Packing<'_>) -> (PackedOptions, Vec<Line>) {
    let mut lines = Vec::new();
    let packed = pack_reply(spaces, options, packing, &mut constant, &mut lines);
    (packed, lines)
}

fn pack(options: &Constants, packing: &Packing<'_>) -> PackedOptions {
    pack_with(&Spaces::new(), options, packing).0
}

fn options(set: &[(u32, usize)]) -> Constants {
    let spaces = Spaces::new();
    let mut options = Constants::new();
    for &(code, length) in set {
        let value = (0..length).map(|at| (code as usize + at) as u8 | 1).collect();
        options.set(&spaces, spaces.by_code(Spaces::DHCP, code), value);
    }
    options
}

/// Codes and lengths in the option area, in order; 255 for END.
fn codes(area: &[u8]) -> Vec<(u8, usize)> {
    let mut found = Vec::new();
    let mut rest = area;
    while let [code, after @ ..] = rest {
        if *code == END {
            found.push((END, 0));
            break;
        }
        let length = usize::from(after[0]);
        found.push((*code, length));
        rest = &after[1 + length..];
    }
    found
}

fn order(packed: &PackedOptions) -> Vec<u8> {
    assert_eq!(&packed.options[..4], MAGIC_COOKIE);
    codes(&packed.options[4..]).into_iter().map(|(code, _)| code).filter(|&code| code != END).collect()
}

fn request(octets: &[u8]) -> PacketOptions {
    let mut options = PacketOptions::new();
    let fields = OptionFields { options: octets, ..OptionFields::default() };
    parse_packet_options(&Spaces::new(), fields, &mut options, &mut Vec::new()).unwrap();
    options
}

const ACK: [(u32, usize); 12] = [
    (53, 1),
    (54, 4),
    (51, 4),
    (58, 4),
    (59, 4),
    (1, 4),
    (3, 4),
    (6, 8),
    (15, 11),
    (28, 4),
    (119, 12),
    (42, 4),
];

#[test]
fn requested_options_come_in_the_order_of_the_list() {
    let options = options(&ACK);
    let with = |requested: &[u8], request_type| {
        let request = PacketOptions::new();
        order(&pack(
            &options,
            &Packing { requested, request: Some(&request), request_type, ..Packing::default() },
        ))
    };
    assert_eq!(with(&[1, 3, 6, 15], 1), [53, 54, 51, 58, 59, 1, 3, 6, 15]);
    assert_eq!(with(&[3, 15, 1], 1), [53, 54, 51, 58, 59, 1, 15, 3], "1 and 3 swap");
    assert_eq!(
        with(&[3, 6, 15, 28], 3),
        [53, 54, 51, 58, 59, 1, 6, 15, 28, 3],
        "also when 1 is only appended"
    );
    assert_eq!(with(&[3, 6, 15, 28], 8), [53, 54, 51, 58, 59, 3, 6, 15, 28], "INFORM: no implicit 1");
    assert_eq!(with(&[15, 15, 51, 42, 15, 0, 255, 82], 8), [53, 54, 51, 58, 59, 15, 42]);
}

#[test]
fn echoed_and_selected_options_come_before_the_list() {
    let mut set = ACK.to_vec();
    set.extend([(61, 7), (118, 4)]);
    let options = options(&set);
    let request = PacketOptions::new();
    let packing = Packing { requested: &[15], request: Some(&request), ..Packing::default() };
    assert_eq!(order(&pack(&options, &packing)), [53, 54, 51, 58, 59, 118, 15]);
    let packing = Packing { echo_client_id: true, ..packing };
    assert_eq!(order(&pack(&options, &packing)), [53, 54, 51, 58, 59, 118, 61, 15]);
}

#[test]
fn without_a_list_everything_goes_in_hash_order() {
    // What a real server sent: message type and so on, then its hash order, then 43.
    let hash =
        [17, 19, 2, 66, 67, 130, 69, 7, 9, 119, 26, 40, 72, 28, 42, 74, 60, 61, 44, 200, 46, 77, 15, 250];
    let mut set: Vec<(u32, usize)> = hash.iter().rev().map(|&code| (code, 2)).collect();
    set.extend([(53, 1), (54, 4), (1, 4), (3, 4), (82, 5), (43, 3)]);
    let expected = [&[53, 54, 1, 3][..], &hash.map(|code| code as u8)];
    let sent = order(&pack(&options(&set), &Packing::default()));
    let place = sent.iter().position(|&code| code == 43).unwrap();
    // 43 was set explicitly here, so it stands in the table like the others.
    assert_eq!([&sent[..place], &sent[place + 1..sent.len() - 1]].concat(), expected.concat());
    assert_eq!(sent.last(), Some(&82), "agent options are last");
}

#[test]
fn an_empty_value_is_not_sent_and_nothing_at_all_leaves_no_cookie() {
    let mut options = options(&[(53, 1), (12, 0), (15, 3)]);
    assert_eq!(order(&pack(&options, &Packing::default())), [53, 15]);
    options.clear();
    assert_eq!(pack(&options, &Packing::default()), PackedOptions::default());
}

#[test]
fn the_area_follows_message_size_and_kind() {
    // Options of six octets each: an area is filled up to less than nine octets before its end.
    let set: Vec<(u32, usize)> = (1..255).filter(|&code| code != 82).map(|code| (code, 4)).collect();
    let options = options(&set);
    let length = |max_message_size, asked: Option<u16>, bootp, request_length| {
        let request = request(&asked.map_or(vec![], |asked| [&[57, 2][..], &asked.to_be_bytes()].concat()));
        let packing = Packing {
            max_message_size,
            request: Some(&request),
            bootp,
            request_length,
            ..Packing::default()
        };
        pack(&options, &packing).options.len()
    };
    for (max, asked, bootp, request_length, area) in [
        (0, None, false, 548, 312),
        (576, None, false, 300, 312),
        (575, None, false, 300, 312),
        (700, None, false, 300, 436),
        (0, Some(700), false, 300, 436),
        (700, Some(600), false, 300, 336),
        (600, Some(700), false, 300, 336),
        (9000, None, false, 300, 1236),
        (700, Some(0), false, 300, 312),
        (0, None, true, 299, 64),
        (0, None, true, 300, 64),
        (0, None, true, 548, 312),
        (0, None, true, 3000, 1236),
        (700, None, true, 300, 436),
    ] {
        let length = length(max, asked, bootp, request_length);
        assert!(length <= area && length + 9 > area, "{max} {asked:?} {bootp} {request_length}: {length}");
    }
}

#[test]
fn options_overload_file_before_sname_and_split_last() {
    // Room is 312 - 4 = 308. 53 takes 3; 17 with 250 goes to the main area.
    let mut set = vec![(53, 1), (17, 250), (66, 100), (67, 50)];
    let packing = |file, sname| Packing {
        requested: &[17, 66, 67],
        overload_file: file,
        overload_sname: sname,
        ..Packing::default()
    };
    let packed = pack(&options(&set), &packing(true, true));
    assert_eq!(codes(&packed.options[4..]), [(53, 1), (17, 250), (52, 1), (255, 0)]);
    assert_eq!(packed.options[4 + 3 + 252 + 2], 3);
    assert_eq!(codes(&packed.file.unwrap()), [(66, 100), (255, 0)]);
    assert_eq!(codes(&packed.sname.unwrap()), [(67, 50), (255, 0)]);
    // 67 is the last code: without overload it needs no room for option 52.
    let packed = pack(&options(&[(53, 1), (17, 249), (67, 50)]), &packing(false, false));
    assert_eq!(codes(&packed.options[4..]), [(53, 1), (17, 249), (67, 50), (255, 0)]);
    assert_eq!(packed.options.len(), 311);
    // Only sname is free.
    let packed = pack(&options(&set), &packing(false, true));
    assert_eq!(
        codes(&packed.options[4..]),
        [(53, 1), (17, 250), (66, 48), (52, 1)],
        "split, and no room for END"
    );
    assert_eq!(packed.options.len(), 312);
    assert_eq!(codes(&packed.sname.unwrap()), [(66, 52), (255, 0)]);
    // What fits nowhere is left out whole; later and smaller options are still tried.
    set.push((40, 1));
    let packed = pack(&options(&set), &Packing { requested: &[17, 66, 40], ..packing(false, false) });
    assert_eq!(codes(&packed.options[4..]), [(53, 1), (17, 250), (40, 1), (255, 0)]);
}

#[test]
fn long_options_are_repeated_options() {
    let options = options(&[(53, 1), (17, 600)]);
    let packing = Packing { requested: &[17], max_message_size: 1500, ..Packing::default() };
    let packed = pack(&options, &packing);
    assert_eq!(codes(&packed.options[4..]), [(53, 1), (17, 255), (17, 255), (17, 90), (255, 0)]);
    let packed = pack(&options, &Packing { max_message_size: 0, ..packing });
    assert_eq!(codes(&packed.options[4..]), [(53, 1), (255, 0)]);
    // Over all three areas: 308 - 3 = 305 in the main area, 125 in file, 61 in sname.
    let packed = pack(
        &self::options(&[(53, 1), (17, 484)]),
        &Packing { max_message_size: 0, overload_file: true, overload_sname: true, ..packing },
    );
    assert_eq!(codes(&packed.options[4..]), [(53, 1), (17, 255), (17, 43), (52, 1)]);
    assert_eq!(codes(&packed.file.unwrap()), [(17, 125), (255, 0)]);
    assert_eq!(codes(&packed.sname.unwrap()), [(17, 61), (255, 0)]);
    let packed = pack(
        &self::options(&[(53, 1), (17, 485)]),
        &Packing { max_message_size: 0, overload_file: true, overload_sname: true, ..packing },
    );
    assert_eq!(
        (codes(&packed.options[4..]), packed.file, packed.sname),
        (vec![(53, 1), (255, 0)], None, None)
    );
}

#[test]
fn agent_options_are_echoed_last_and_widen_the_area() {
    let spaces = Spaces::new();
    let mut options = options(&[(53, 1), (17, 255), (67, 40)]);
    for (code, value) in [(1, &b"eth0"[..]), (2, b"remote"), (9, b""), (19, b"")] {
        options.set(&spaces, spaces.by_code(Spaces::AGENT, code), value.to_vec());
    }
    let (packed, _) = pack_with(&spaces, &options, &Packing::default());
    assert_eq!(codes(&packed.options[4..]), [(53, 1), (17, 255), (67, 40), (82, 16), (255, 0)]);
    let place = packed.options.len() - 17;
    // The empty unknown suboption vanishes, relay-port stays.
    assert_eq!(&packed.options[place..], b"\x01\x04eth0\x02\x06remote\x13\x00\xff");
}

#[test]
fn text_options_end_in_nul_for_clients_that_do_so() {
    let spaces = Spaces::new();
    let mut options = Constants::new();
    for (code, value) in
        [(53, &b"\x02"[..]), (12, b"pc"), (15, b"example"), (61, b"id"), (119, b"\x01a\0"), (79, b"\x01x")]
    {
        options.set(&spaces, spaces.by_code(Spaces::DHCP, code), value.to_vec());
    }
    let packing = Packing { requested: &[12, 15, 61, 119, 79], terminate: true, ..Packing::default() };
    let (packed, _) = pack_with(&spaces, &options, &packing);
    assert_eq!(
        &packed.options[4..],
        b"\x35\x01\x02\x0c\x03pc\0\x0f\x08example\0\x3d\x02id\x77\x03\x01a\0\x4f\x03\x01x\0\xff"
    );
}

#[test]
fn spaces_are_encapsulated() {
    let mut spaces = Spaces::new();
    let format = |letters| Format::parse(letters).unwrap();
    let acme = spaces.define_space("ACME", 1, 1);
    spaces.define_option(acme, "one", 1, format("B")).unwrap();
    spaces.define_option(acme, "text", 20, format("t")).unwrap();
    let inner = spaces.define_space("inner", 2, 2);
    spaces.define_option(inner, "x", 300, format("t")).unwrap();
    spaces.define_option(acme, "inner", 3, format("Einner.")).unwrap();
    let outer = spaces.define_space("outer", 1, 1);
    spaces.define_option(outer, "y", 7, format("B")).unwrap();
    spaces.define_option(Spaces::DHCP, "outer", 210, format("Eouter.")).unwrap();
    let mut options = Constants::new();
    let mut set =
        |space, code, value: &[u8]| options.set(&spaces, spaces.by_code(space, code), value.to_vec());
    set(Spaces::DHCP, 53, &[2]);
    set(Spaces::SERVER, VENDOR_OPTION_SPACE, b"acme");
    set(acme, 20, b"t");
    set(acme, 1, &[9]);
    set(inner, 300, b"abc");
    set(outer, 7, &[5]);
    set(Spaces::VIVCO, 2495, b"class");
    set(Spaces::ISC, 1, b"m");
    set(Spaces::VIVSO, 9, &[4, 1, 1]);
    let (packed, lines) = pack_with(&spaces, &options, &Packing::default());
    assert!(lines.is_empty());
    assert_eq!(
        &packed.options[4..],
        [
            &b"\x35\x01\x02"[..],
            b"\x7c\x0a\0\0\x09\xbf\x05class",
            b"\x7d\x12\0\0\0\x09\x03\x04\x01\x01\0\0\x09\xbf\x05\0\x01\0\x01m",
            b"\xd2\x03\x07\x01\x05",
            b"\x2b\x0f\x01\x01\x09\x14\x01t\x03\x07\x01\x2c\0\x03abc",
            b"\xff",
        ]
        .concat()
    );
    // An explicit value wins; a space that is not there costs a line.
    options.set(&spaces, spaces.by_code(Spaces::DHCP, 43), vec![1, 0]);
    let (packed, _) = pack_with(&spaces, &options, &Packing { requested: &[43], ..Packing::default() });
    assert_eq!(&packed.options[4..], b"\x35\x01\x02\x2b\x02\x01\x00\xff");
    options.remove(Spaces::DHCP, 43);
    options.set(&spaces, spaces.by_code(Spaces::SERVER, VENDOR_OPTION_SPACE), b"nowhere".to_vec());
    let (packed, lines) = pack_with(&spaces, &options, &Packing { requested: &[43], ..Packing::default() });
    assert_eq!(&packed.options[4..], b"\x35\x01\x02\xff");
    assert_eq!(
        lines,
        [Line::error("option_space_encapsulate: option space 'nowhere' does not exist, but is configured.")]
    );
}

#[test]
fn the_fqdn_space_becomes_option_81() {
    let spaces = Spaces::new();
    let mut options = options(&[(53, 1)]);
    for (code, value) in
        [(fqdn::SERVER_UPDATE, &b"\x01"[..]), (fqdn::FQDN, b"pc.example."), (fqdn::ENCODED, b"\x01")]
    {
        options.set(&spaces, spaces.by_code(Spaces::FQDN, code), value.to_vec());
    }
    let request = request(&[81, 3, 0, 0, 0]);
    let packing = Packing { requested: &[15], request: Some(&request), ..Packing::default() };
    let (packed, _) = pack_with(&spaces, &options, &packing);
    assert_eq!(&packed.options[4 + 3..], b"\x51\x0f\x05\0\0\x02pc\x07example\0\xff");
    let silent = PacketOptions::new();
    let (packed, _) = pack_with(&spaces, &options, &Packing { request: Some(&silent), ..packing });
    assert_eq!(order(&packed), [53], "only to clients that sent one");
}

#[test]
fn nwip_is_never_sent_with_data() {
    let spaces = Spaces::new();
    let mut options = options(&[(53, 1)]);
    options.set(&spaces, spaces.by_code(Spaces::NWIP, 5), vec![1]);
    assert_eq!(order(&pack(&options, &Packing::default())), [53]);
    // If no option of the space has a value now, the reply says so.
    let mut evaluate = |entry: &crate::options::Entry<Vec<u8>>, out: &mut Vec<u8>| {
        entry.option.space != Spaces::NWIP && constant(entry, out)
    };
    let packed = pack_reply(&spaces, &options, &Packing::default(), &mut evaluate, &mut Vec::new());
    assert_eq!(codes(&packed.options[4..]), [(53, 1), (63, 4), (255, 0)]);
    assert_eq!(&packed.options[4 + 5..][..4], [1, 2, 1, 0]);
}

#[test]
fn a_site_space_takes_the_place_of_high_codes() {
    let mut spaces = Spaces::new();
    let site = spaces.define_space("site", 1, 1);
    spaces.define_option(site, "a", 230, Format::parse("t").unwrap()).unwrap();
    spaces.define_option(site, "b", 200, Format::parse("t").unwrap()).unwrap();
    assert_eq!(spaces.site_code_min(site), (200, Some(200)));
    let mut options = options(&[(53, 1), (15, 1), (199, 1), (230, 9)]);
    options.set(&spaces, spaces.by_code(site, 230), b"site".to_vec());
    options.set(&spaces, spaces.by_code(site, 15), b"hidden".to_vec());
    let (packed, _) =
        pack_with(&spaces, &options, &Packing { site: Some((site, 200)), ..Packing::default() });
    assert_eq!(codes(&packed.options[4..]), [(53, 1), (199, 1), (15, 1), (230, 4), (255, 0)]);
}

/// What the client reads out of a reply.
fn read_back(packed: &PackedOptions) -> PacketOptions {
    let mut options = PacketOptions::new();
    let fields = OptionFields {
        options: packed.options.get(4..).unwrap_or_default(),
        file: packed.file.as_ref().map_or(&[], |file| file),
        sname: packed.sname.as_ref().map_or(&[], |sname| sname),
    };
    parse_packet_options(&Spaces::new(), fields, &mut options, &mut Vec::new()).unwrap();
    options
}

proptest! {
    #[test]
    fn a_client_reads_back_what_was_packed(
        set in prop::collection::btree_map(1u32..255, prop::collection::vec(1u8..=255, 1..300), 0..30),
        requested in prop::collection::vec(any::<u8>(), 0..40),
        max_message_size in prop::sample::select(vec![0u16, 300, 576, 700, 1500, 9000]),
        overload_file: bool,
        overload_sname: bool,
        bootp: bool,
    ) {
        let spaces = Spaces::new();
        let mut options = Constants::new();
        // Carriers of spaces and option 52 would be read as more than a value.
        for (&code, value) in set.iter().filter(|(code, _)| ![12, 52, 63, 81, 82, 124, 125].contains(*code)) {
            options.set(&spaces, spaces.by_code(Spaces::DHCP, code), value.clone());
        }
        let request = PacketOptions::new();
        let packing = Packing {
            requested: &requested,
            request: Some(&request),
            request_type: 1,
            request_length: 300,
            max_message_size,
            bootp,
            overload_file,
            overload_sname,
            ..Packing::default()
        };
        let packed = pack(&options, &packing);
        prop_assert!(packed.options.len() <= 1236);
        if packed.options.is_empty() {
            return Ok(());
        }
        let read = read_back(&packed);
        for entry in read.entries(Spaces::DHCP).iter().filter(|entry| entry.option.code != 52) {
            prop_assert_eq!(Some(&entry.value.to_vec()), options.value(Spaces::DHCP, entry.option.code));
        }
        // With the largest area nothing that is small enough in sum is dropped.
        let sum: usize = options.iter().map(|entry| entry.value.len() + 4).sum();
        if requested.is_empty() && max_message_size >= 1500 && sum < 1200 {
            prop_assert_eq!(read.iter().filter(|entry| entry.option.code != 52).count(), options.iter().count());
        }
    }

    #[test]
    fn any_state_packs_without_panic(
        set in prop::collection::vec((0u16..12, prop::sample::select(vec![0u32, 1, 2, 3, 5, 8, 19, 43, 81, 82, 255, 300, 2495]), prop::collection::vec(any::<u8>(), 0..40)), 0..20),
        requested in prop::collection::vec(any::<u8>(), 0..600),
        terminate: bool,
    ) {
        let spaces = Spaces::new();
        let mut options = Constants::new();
        for (space, code, value) in set {
            options.set(&spaces, spaces.by_code(SpaceId(space), code), value);
        }
        let packed = pack(&options, &Packing { requested: &requested, terminate, ..Packing::default() });
        prop_assert!(packed.options.len() <= 1236);
    }
}

/// Not a measurement, only a look at the order of magnitude: `cargo test --release -- --ignored --nocapture figures`.
#[test]
#[ignore = "prints figures"]
#[expect(clippy::disallowed_methods, reason = "a stopwatch")]
fn figures() {
    let spaces = Spaces::new();
    let discover = b"\x35\x01\x01\x3d\x07\x01\x52\x54\x00\x12\x34\x56\x32\x04\x0a\x00\x00\x05\x0c\x04host\x37\x0d\x01\x1c\x02\x03\x0f\x06\x77\x0c\x2c\x2f\x1a\x79\x2a\x39\x02\x05\xdc\x3c\x0cdhcpcd-9.4.1\xff";
    let fields = OptionFields { options: discover, ..OptionFields::default() };
    let mut request = PacketOptions::new();
    let rounds = 1_000_000u32;
    let start = std::time::Instant::now();
    for _ in 0..rounds {
        request.clear();
        parse_packet_options(&spaces, std::hint::black_box(fields), &mut request, &mut Vec::new()).unwrap();
    }
    println!("parse: {:?}", start.elapsed() / rounds);
    let mut options: OptionState<Received> = OptionState::new();
    for (code, length) in ACK {
        let value = Received { octets: vec![1u8; length].into(), had_nuls: false };
        options.set(&spaces, spaces.by_code(Spaces::DHCP, code), value);
    }
    let list = request.value(Spaces::DHCP, 55).unwrap().to_vec();
    let packing =
        Packing { requested: &list, request: Some(&request), request_type: 3, ..Packing::default() };
    let start = std::time::Instant::now();
    for _ in 0..rounds {
        let mut evaluate = |entry: &crate::options::Entry<Received>, out: &mut Vec<u8>| {
            out.extend_from_slice(&entry.value);
            true
        };
        let packed =
            pack_reply(&spaces, std::hint::black_box(&options), &packing, &mut evaluate, &mut Vec::new());
        std::hint::black_box(packed);
    }
    println!("pack: {:?}", start.elapsed() / rounds);
}
