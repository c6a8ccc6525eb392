//! rpm's database as SQLite and Berkeley DB write it; `data/rpm/make.py` made the files.

use bartizan_supply::image::rpm_packages;
use proptest::prelude::*;

const SQLITE: &[u8] = include_bytes!("data/rpm/rpmdb.sqlite");
const JOURNAL: &[u8] = include_bytes!("data/rpm/rpmdb.sqlite-wal");
const LITTLE: &[u8] = include_bytes!("data/rpm/Packages.little");
const BIG: &[u8] = include_bytes!("data/rpm/Packages.big");

/// Bytes of a page of these databases.
const PAGE: usize = 512;
/// A page in a log, with what is said of it.
const FRAME: usize = 24 + PAGE;

/// `name version`, sorted; or what is wrong.
fn read(database: &[u8], journal: &[u8]) -> Result<Vec<String>, String> {
    let text = rpm_packages(database, journal)?;
    let mut lines: Vec<String> = text.lines().map(|line| line.split('\t').take(2).collect::<Vec<_>>().join(" ")).collect();
    lines.sort();
    Ok(lines)
}

fn strings(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

#[test]
fn a_log_tells_what_is_committed_and_no_more() {
    let before = Ok(strings(&["gone 1.0-1.amzn2", "kept 1.0-1.amzn2"]));
    let after = Ok(strings(&["added 2.0-1.amzn2", "kept 1.0-1.amzn2", "large 3.0-1.amzn2"]));
    assert_eq!(read(SQLITE, &[]), before);
    assert_eq!(read(SQLITE, JOURNAL), after);

    let commits: Vec<usize> = (32..JOURNAL.len()).step_by(FRAME).filter(|at| JOURNAL[at + 4..at + 8] != [0; 4]).collect();
    let [removed, added, large] = commits[..] else { panic!("three transactions are committed, {commits:?}") };
    assert!(large + FRAME < JOURNAL.len(), "the last transaction is open");
    // Cut off, a log holds the transactions that end before.
    let kept = Ok(strings(&["kept 1.0-1.amzn2"]));
    assert_eq!(read(SQLITE, &JOURNAL[..removed + FRAME]), kept);
    assert_eq!(read(SQLITE, &JOURNAL[..added + FRAME - 1]), kept);
    assert_eq!(read(SQLITE, &JOURNAL[..large + FRAME]), after);
    // Damaged frames end it, as do those that another log left behind.
    for at in [removed, removed + 8, removed + 16, removed + 24] {
        let mut damaged = JOURNAL.to_vec();
        damaged[at] ^= 1;
        assert_eq!(read(SQLITE, &damaged), before, "byte {at}");
    }
    for at in [0, 16, 24] {
        let mut damaged = JOURNAL.to_vec();
        damaged[at] ^= 1;
        assert_eq!(read(SQLITE, &damaged), before, "byte {at}");
    }
}

#[test]
fn a_log_of_other_pages_is_not_passed_over() {
    let mut database = SQLITE.to_vec();
    database[16..18].copy_from_slice(&1024u16.to_be_bytes());
    assert_eq!(read(&database, JOURNAL), Err("its write-ahead log is of another database".to_owned()));
}

#[test]
fn hashes_of_berkeley_db_are_read_in_both_orders_of_bytes() {
    let expected: Vec<String> = [0, 1, 2, 4, 5, 6, 7].iter().map(|index| format!("package{index} 1.{index}-1.amzn2")).collect();
    assert_eq!(read(LITTLE, &[]), Ok(expected.clone()));
    assert_eq!(read(BIG, &[]), Ok(expected));
}

#[test]
fn damaged_hashes_say_what_is_wrong() {
    let wrong = |at: usize, bytes: &[u8]| {
        let mut damaged = LITTLE.to_vec();
        damaged[at..at + bytes.len()].copy_from_slice(bytes);
        read(&damaged, &[]).unwrap_err()
    };
    assert_eq!(read(&LITTLE[..LITTLE.len() - 1], &[]), Err(format!("page {} is damaged", LITTLE.len() / PAGE - 1)));
    assert_eq!(wrong(24, &[1]), "it is a Berkeley DB with what rpm does not use");
    assert_eq!(wrong(20, &[1, 2, 0, 0]), "page 0 is damaged");
    let kind = |page: usize| LITTLE[page * PAGE + 25];
    let next = |page: usize| u32::from_le_bytes(LITTLE[page * PAGE + 16..page * PAGE + 20].try_into().unwrap()) as usize;
    // A value over three pages at least, whose second page leads back to the first.
    let first = (1..LITTLE.len() / PAGE).find(|page| kind(*page) == 7 && next(*page) != 0 && next(next(*page)) != 0).unwrap();
    assert_eq!(wrong(next(first) * PAGE + 16, &(first as u32).to_le_bytes()), format!("page {first} is used twice"));
    assert_eq!(wrong(next(first) * PAGE + 25, &[0]), format!("page {} is damaged", next(first)));
    // An item that begins where there is no page.
    let entries = (1..LITTLE.len() / PAGE).find(|page| kind(*page) == 13).unwrap();
    assert_eq!(wrong(entries * PAGE + 26, &[0xff, 0xff]), format!("page {entries} is damaged"));
}

proptest! {
    #[test]
    fn damaged_databases_never_panic_and_never_grow(edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        for (database, journal) in [(SQLITE, JOURNAL), (LITTLE, &[]), (BIG, &[])] {
            let (mut database, mut journal) = (database.to_vec(), journal.to_vec());
            for (at, byte) in &edits {
                let place = at.index(database.len() + journal.len());
                match place.checked_sub(database.len()) {
                    None => database[place] = *byte,
                    Some(place) => journal[place] = *byte,
                }
            }
            if let Ok(packages) = rpm_packages(&database, &journal) {
                prop_assert!(packages.len() <= 8 * (database.len() + journal.len()));
            }
        }
    }
}
