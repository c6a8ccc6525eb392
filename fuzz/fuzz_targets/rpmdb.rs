//! Any bytes are read as rpm's database.
#![no_main]

use bartizan_supply::image::rpm_packages;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // Both forms are known by their first bytes.
    let sqlite = [&b"SQLite format 3\0"[..], bytes].concat();
    let ndb = [&b"RpmP"[..], bytes].concat();
    for database in [bytes, &sqlite, &ndb] {
        if let Ok(packages) = rpm_packages(database) {
            assert!(packages.len() <= 8 * database.len(), "{} bytes of {}", packages.len(), database.len());
        }
    }
});
