//! Sending what waits to be told.

use std::time::Duration;

use bartizan_register::{Channel, Register, Sender};

use crate::args::register::NotifyArgs;
use crate::terminal;

/// How long a sender may take for one notice; a receiver is given up long before.
pub(in crate::command) const LEASE: Duration = Duration::from_secs(60);

/// The channels that the user names.
pub(in crate::command) fn channels(arguments: &NotifyArgs) -> anyhow::Result<Vec<Channel>> {
    arguments
        .notify
        .iter()
        .map(|text| {
            let text = match text.split_once("=env:") {
                Some((kind, name)) => {
                    let target = std::env::var(name).map_err(|_| anyhow::anyhow!("`{name}` of `{text}` is not set in the environment"))?;
                    format!("{kind}={target}")
                }
                None => text.clone(),
            };
            Ok(Channel::parse(&text)?)
        })
        .collect()
}

/// Sends everything that is due through these channels, each once; false where something could not be sent.
pub(in crate::command) fn send(register: &mut Register, channels: &[Channel], lease: Duration) -> anyhow::Result<bool> {
    let names = names(channels);
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let sender = Sender { key: set("BARTIZAN_WEBHOOK_KEY"), smtp: set("BARTIZAN_SMTP"), from: set("BARTIZAN_MAIL_FROM") };
    let worker = worker();
    let mut all_sent = true;
    while let Some(outgoing) = register.outgoing(&names, &worker, lease)? {
        let Some(channel) = channels.iter().find(|channel| channel.name() == outgoing.channel) else { continue };
        let now = super::now()?;
        match channel.send(&sender, &outgoing, now) {
            Ok(()) => register.sent(&outgoing, now)?,
            Err(error) => {
                all_sent = false;
                let is_last = register.not_sent(&outgoing, &error)?;
                let then = if is_last { "it is given up" } else { "`bartizan watch` tries again" };
                terminal::warning(&format!(
                    "a notice of {} through {} is not sent: {error}; {then}",
                    outgoing.notice.system, outgoing.channel
                ));
            }
        }
    }
    Ok(all_sent)
}

/// Names of channels, as the register knows them.
pub(in crate::command) fn names(channels: &[Channel]) -> Vec<String> {
    channels.iter().map(Channel::name).collect()
}

/// A name that no other worker has: machine, process, moment of its start.
pub(in crate::command) fn worker() -> String {
    let machine = std::fs::read_to_string("/etc/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default();
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    format!("{}:{}:{since}", machine.trim(), std::process::id())
}
