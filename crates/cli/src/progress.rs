//! A line on standard error while a run takes longer than a second; nothing at all where nobody watches.

use std::io::IsTerminal as _;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Runs that are faster show nothing.
const PATIENCE: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(120);

/// Tells what the run does; it goes away when dropped.
pub(crate) struct Progress {
    watcher: Option<(Sender<String>, JoinHandle<()>)>,
}

impl Progress {
    pub(crate) fn start() -> Self {
        if !std::io::stderr().is_terminal() {
            return Self { watcher: None };
        }
        let (sender, receiver) = mpsc::channel::<String>();
        let watcher = std::thread::spawn(move || {
            let mut words = String::new();
            let began = std::time::Instant::now();
            let mut bar: Option<ProgressBar> = None;
            loop {
                match receiver.recv_timeout(TICK) {
                    Ok(next) => words = next,
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
                if began.elapsed() < PATIENCE {
                    continue;
                }
                let bar = bar.get_or_insert_with(|| {
                    // The template is ours; were it wrong, the default one would do.
                    let style =
                        ProgressStyle::with_template("{spinner} {msg} ({elapsed})").unwrap_or_else(|_| ProgressStyle::default_spinner());
                    ProgressBar::new_spinner().with_style(style)
                });
                bar.set_message(words.clone());
                bar.tick();
            }
            if let Some(bar) = bar {
                bar.finish_and_clear();
            }
        });
        Self { watcher: Some((sender, watcher)) }
    }

    pub(crate) fn say(&self, words: impl Into<String>) {
        if let Some((sender, _)) = &self.watcher {
            // Only a watcher that is gone does not listen, and then there is nobody to tell.
            let _ = sender.send(words.into());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((sender, watcher)) = self.watcher.take() {
            drop(sender);
            let _ = watcher.join();
        }
    }
}
