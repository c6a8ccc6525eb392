//! Notices are taken by one sender at a time, tried again after a pause, and sent once.

use std::time::Duration;

use bartizan_register::{Place, Register, Severity, Time};

use super::{day, on_both, run, threat};

const LEASE: Duration = Duration::from_secs(60);

fn with_notices(place: &Place) -> Register {
    let mut register = Register::open(place).expect("a register");
    let mut run = run(day(1), &[threat("a", Severity::High), threat("b", Severity::Low)]);
    run.channels = vec!["webhook".to_owned(), "mail".to_owned(), "mail".to_owned()];
    assert_eq!(register.record(&run).expect("a run").n_notices, 2);
    // Nothing new makes no notice.
    run.at = day(2);
    assert_eq!(register.record(&run).expect("a run").n_notices, 0);
    register
}

#[test]
fn a_notice_is_sent_once_through_each_channel() {
    on_both(|place| {
        let mut register = with_notices(place);
        let channels = ["webhook".to_owned()];
        assert_eq!(register.outgoing(&["slack".to_owned()], "one", LEASE).expect("an answer"), None);
        let taken = register.outgoing(&channels, "one", LEASE).expect("an answer").expect("a notice");
        assert_eq!((taken.channel.as_str(), taken.attempt, taken.notice.n_news), ("webhook", 1, 2));
        assert_eq!(taken.notice.summary, "shop: first run: 2 new findings (1 high, 1 low)");
        let ids: Vec<&str> = taken.notice.news.iter().map(|news| news.id.as_str()).collect();
        assert_eq!(ids, ["a", "b"]);
        assert_eq!(register.outgoing(&channels, "two", LEASE).expect("an answer"), None, "another sender has it");
        assert_eq!((register.is_sending(&channels).expect("yes"), register.is_sending(&["mail".to_owned()]).expect("no")), (true, false));
        register.sent(&taken, Time(0)).expect("written");
        assert_eq!(register.outgoing(&channels, "two", LEASE).expect("an answer"), None);
        let states: Vec<_> = register.notices().expect("notices").into_iter().map(|of| (of.channel, of.state, of.sent_at)).collect();
        let sent = ("webhook".to_owned(), "sent".to_owned(), "1970-01-01T00:00:00Z".to_owned());
        assert_eq!(states, [("mail".to_owned(), "waiting".to_owned(), String::new()), sent]);
    });
}

#[test]
fn a_sender_that_dies_is_followed_by_another_with_the_same_key_and_failures_pause() {
    on_both(|place| {
        let mut register = with_notices(place);
        let channels = ["webhook".to_owned()];
        let lost = register.outgoing(&channels, "dead", Duration::from_secs(1)).expect("an answer").expect("a notice");
        let taken = loop {
            match register.outgoing(&channels, "two", LEASE).expect("an answer") {
                Some(taken) => break taken,
                None => std::thread::sleep(Duration::from_millis(100)),
            }
        };
        assert_eq!((taken.key.as_str(), taken.attempt), (lost.key.as_str(), 2));
        assert!(!register.not_sent(&taken, "503").expect("written"));
        assert_eq!(register.outgoing(&channels, "two", LEASE).expect("an answer"), None, "it pauses");
        assert_eq!(register.retry().expect("written"), 1);
        // Eight failures in a row end it, until somebody asks for another try.
        for attempt in 1..=8 {
            let taken = register.outgoing(&channels, "two", LEASE).expect("an answer").expect("a notice");
            assert_eq!(taken.attempt, attempt);
            let is_last = register.not_sent(&taken, "503").expect("written");
            assert_eq!(is_last, attempt == 8);
            if !is_last {
                register.hurry().expect("written");
            }
        }
        let failed = register.notices().expect("notices").into_iter().find(|of| of.channel == "webhook").expect("it");
        assert_eq!((failed.state.as_str(), failed.attempts, failed.error.as_str()), ("failed", 8, "503"));
        assert_eq!(register.retry().expect("written"), 1);
    });
}
