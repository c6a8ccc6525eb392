//! Any bytes are read as rpm's database.
#![no_main]

use bartizan_supply::image::rpm_packages;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // Two forms are known by their first bytes, one by its thirteenth and those after; a log is the second half.
    let sqlite = [&b"SQLite format 3\0"[..], bytes].concat();
    let ndb = [&b"RpmP"[..], bytes].concat();
    let mut hash = bytes.to_vec();
    if let Some(magic) = hash.get_mut(12..16) {
        magic.copy_from_slice(&[0x61, 0x15, 0x06, 0x00]);
    }
    let (database, journal) = bytes.split_at(bytes.len() / 2);
    for (database, journal) in [(bytes, &[][..]), (&sqlite, &[]), (&ndb, &[]), (&hash, &[]), (database, journal)] {
        if let Ok(packages) = rpm_packages(database, journal) {
            let length = database.len() + journal.len();
            assert!(packages.len() <= 8 * length, "{} bytes of {length}", packages.len());
        }
    }
});
