// SPDX-License-Identifier: Apache-2.0
//! Prints the tables that guest/decoders.c reads. 0 means that there is no character.
use encoding_rs::*;

/// In the order of the numbers in guest/decoders.c and guest/prelude/35-encoding.js.
const SINGLE: [&Encoding; 26] = [
    IBM866, ISO_8859_2, ISO_8859_3, ISO_8859_4, ISO_8859_5, ISO_8859_6, ISO_8859_7, ISO_8859_8, ISO_8859_10, ISO_8859_13,
    ISO_8859_14, ISO_8859_15, ISO_8859_16, KOI8_R, KOI8_U, MACINTOSH, WINDOWS_874, WINDOWS_1250, WINDOWS_1251,
    WINDOWS_1253, WINDOWS_1254, WINDOWS_1255, WINDOWS_1256, WINDOWS_1257, WINDOWS_1258, X_MAC_CYRILLIC,
];

/// The character that these bytes encode, or 0.
fn character(encoding: &'static Encoding, bytes: &[u8]) -> u32 {
    let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(bytes) else { return 0 };
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(one), None) => one as u32,
        _ => 0,
    }
}

fn print(name: &str, values: &[u32]) {
    println!("static const uint16_t {name}[{}] = {{", values.len());
    for line in values.chunks(24) {
        println!("{},", line.iter().map(|value| (value & 0xffff).to_string()).collect::<Vec<_>>().join(","));
    }
    println!("}};");
}

/// A table of two-byte sequences: leads and trails in the order of their pointers.
fn pairs(encoding: &'static Encoding, prefix: &[u8], leads: &[u8], trails: &[u8]) -> Vec<u32> {
    let mut values = Vec::new();
    for lead in leads {
        for trail in trails {
            values.push(character(encoding, &[prefix, &[*lead, *trail]].concat()));
        }
    }
    values
}

fn span(ranges: &[std::ops::RangeInclusive<u8>]) -> Vec<u8> {
    ranges.iter().cloned().flatten().collect()
}

/// The beginnings of the runs of four-byte sequences of gb18030: pointer and character.
fn print_ranges() {
    let (mut ranges, mut next) = (Vec::new(), 0);
    for pointer in 0..39420u32 {
        let bytes = [pointer / 12600 + 0x81, pointer / 1260 % 10 + 0x30, pointer / 10 % 126 + 0x81, pointer % 10 + 0x30];
        let value = character(GB18030, &bytes.map(|byte| byte as u8));
        if value != next || value == 0 {
            ranges.push((pointer, value));
        }
        next = if value == 0 { 0 } else { value + 1 };
    }
    println!("static const uint16_t gb18030_ranges[{}][2] = {{", ranges.len());
    for (pointer, value) in ranges {
        println!("{{{pointer},{value}}},");
    }
    println!("}};");
}

fn main() {
    println!("static const uint16_t single_byte[{}][128] = {{", SINGLE.len());
    for encoding in SINGLE {
        let values: Vec<_> = (0x80..=0xffu8).map(|byte| character(encoding, &[byte]).to_string()).collect();
        println!("{{{}}},", values.join(","));
    }
    println!("}};");

    let leads = span(&[0x81..=0xfe]);
    print("gb18030_pairs", &pairs(GB18030, &[], &leads, &span(&[0x40..=0x7e, 0x80..=0xfe])));
    print("euc_kr_pairs", &pairs(EUC_KR, &[], &leads, &span(&[0x41..=0xfe])));
    print("jis0208", &pairs(SHIFT_JIS, &[], &span(&[0x81..=0x9f, 0xe0..=0xfc]), &span(&[0x40..=0x7e, 0x80..=0xfc])));
    print("jis0212", &pairs(EUC_JP, &[0x8f], &span(&[0xa1..=0xfe]), &span(&[0xa1..=0xfe])));
    let big5 = pairs(BIG5, &[], &leads, &span(&[0x40..=0x7e, 0xa1..=0xfe]));
    print("big5_pairs", &big5);
    // Values that do not fit in 16 bits are in the second plane.
    assert!(big5.iter().all(|value| value >> 16 == 0 || value >> 16 == 2));
    let bits: Vec<u32> = big5.chunks(16).map(|some| some.iter().enumerate().map(|(i, value)| (value >> 17 & 1) << i).sum()).collect();
    print("big5_plane2", &bits);
    print_ranges();
}
