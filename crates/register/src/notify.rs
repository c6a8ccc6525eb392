//! Channels: how notices reach people and other systems.
//!
//! Where a channel leads (an address that often is a secret itself) stays with whoever sends; the register knows only its name.
//! Nothing here asks AWS: EventBridge and SNS get the shape that `aws events put-events` and `aws sns publish` take.

mod http;
mod mail;
mod payload;

use std::io::Write as _;
use std::path::PathBuf;

use crate::error::RegisterError;
use crate::outbox::Outgoing;
use crate::place::hidden;
use crate::record::digest;
use crate::time::Time;

/// What a receiver understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChannelKind {
    /// `bartizan/notice/1`, signed as Standard Webhooks says.
    Webhook,
    /// An incoming webhook of Slack, or of what takes the same.
    Slack,
    /// Mail in plain text.
    Mail,
    /// Entries as EventBridge's PutEvents takes them.
    EventBridge,
    /// A message as SNS's Publish takes it.
    Sns,
}

impl ChannelKind {
    /// All.
    pub const ALL: [Self; 5] = [Self::Webhook, Self::Slack, Self::Mail, Self::EventBridge, Self::Sns];

    /// The word for it.
    pub fn id(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Slack => "slack",
            Self::Mail => "mail",
            Self::EventBridge => "eventbridge",
            Self::Sns => "sns",
        }
    }
}

#[derive(Clone, PartialEq, Eq)]
enum Target {
    Url(String),
    File(PathBuf),
    Output,
    Mailbox(String),
}

/// A way to people or to other systems.
#[derive(Clone, PartialEq, Eq)]
pub struct Channel {
    kind: ChannelKind,
    target: Target,
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name())
    }
}

/// What sending needs besides the channel.
#[derive(Clone, Default)]
pub struct Sender {
    /// Key of webhooks' signatures: `whsec_` and Base64, or any text; unsigned where it is `None`.
    pub key: Option<String>,
    /// Address of the mail server: `smtps://user:password@host`, `smtp://host?tls=required`.
    pub smtp: Option<String>,
    /// From whom mail comes.
    pub from: Option<String>,
}

impl Channel {
    /// Reads `KIND=TARGET`: the target is an address (`https://…`), `file:PATH` for lines of JSON, `-` for standard output, or a mailbox.
    ///
    /// # Errors
    /// It is no channel.
    pub fn parse(text: &str) -> Result<Self, RegisterError> {
        let wrong = |reason: String| RegisterError::NotFound(format!("`{}` is no channel: {reason}", shown(text)));
        let kinds: Vec<&str> = ChannelKind::ALL.into_iter().map(ChannelKind::id).collect();
        let (word, target) = text.split_once('=').ok_or_else(|| wrong("write KIND=TARGET".to_owned()))?;
        let kind = ChannelKind::ALL.into_iter().find(|kind| kind.id() == word);
        let kind = kind.ok_or_else(|| wrong(format!("the kinds are {}", kinds.join(", "))))?;
        let target = match target {
            "" => return Err(wrong("it leads nowhere".to_owned())),
            "-" => Target::Output,
            _ if target.starts_with("https://") || target.starts_with("http://") => Target::Url(target.to_owned()),
            _ => match target.strip_prefix("file:") {
                Some(path) => Target::File(path.into()),
                None if kind == ChannelKind::Mail && mail::is_mailbox(target) => Target::Mailbox(target.to_owned()),
                None if kind == ChannelKind::Mail => return Err(wrong("that is no address of mail".to_owned())),
                None => return Err(wrong("write https://…, file:PATH or -".to_owned())),
            },
        };
        if kind == ChannelKind::Mail && matches!(target, Target::Url(_)) {
            return Err(wrong("mail goes to an address of mail".to_owned()));
        }
        Ok(Self { kind, target })
    }

    /// Its name in the register: the kind, and enough of a digest to tell channels apart; never where it leads.
    pub fn name(&self) -> String {
        const HEX_DIGITS: usize = 12;
        let target = match &self.target {
            Target::Url(url) => url.clone(),
            Target::File(path) => path.display().to_string(),
            Target::Output => "-".to_owned(),
            Target::Mailbox(address) => address.clone(),
        };
        format!("{}:{}", self.kind.id(), digest(target.as_bytes()).get(..HEX_DIGITS).unwrap_or_default())
    }

    /// Sends. On standard output and in files a notice is one line of JSON.
    ///
    /// # Errors
    /// In words, without what is secret of the target: it cannot be reached or does not take the notice.
    pub fn send(&self, sender: &Sender, outgoing: &Outgoing, now: Time) -> Result<(), String> {
        let body = payload::json(self.kind, outgoing);
        match &self.target {
            Target::Url(url) => {
                let headers = match self.kind {
                    ChannelKind::Webhook => payload::signed(sender.key.as_deref(), &outgoing.key, now, &body)?,
                    _ => Vec::new(),
                };
                http::post(url, &outgoing.key, &headers, &body).map_err(|error| error.replace(url.as_str(), &hidden_address(url)))
            }
            Target::File(path) => {
                let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
                // One call, so that lines of several workers never mix.
                file.and_then(|mut file| file.write_all(format!("{body}\n").as_bytes()))
                    .map_err(|error| format!("{}: {error}", path.display()))
            }
            Target::Output => {
                let mut out = std::io::stdout().lock();
                out.write_all(format!("{body}\n").as_bytes()).and_then(|()| out.flush()).map_err(|error| error.to_string())
            }
            Target::Mailbox(address) => mail::send(sender, address, outgoing, now),
        }
    }
}

/// A channel as the user wrote it, without what may be secret.
fn shown(text: &str) -> String {
    match text.split_once('=') {
        Some((kind, target)) => format!("{kind}={}", hidden_address(target)),
        None => text.to_owned(),
    }
}

/// Scheme and host: paths of incoming webhooks are their passwords.
fn hidden_address(url: &str) -> String {
    let hidden = hidden(url);
    match hidden.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", rest.split('/').next().unwrap_or_default()),
        None => hidden,
    }
}

#[cfg(test)]
mod tests {
    use super::Channel;

    #[test]
    fn channels_are_read_and_keep_where_they_lead_to_themselves() {
        let read = |text: &str| Channel::parse(text).map(|channel| channel.name()).map_err(|error| error.to_string());
        let name = read("slack=https://hooks.example.org/services/T0/B0/s3cret").unwrap();
        assert!(name.starts_with("slack:") && name.len() == 18, "{name}");
        assert_ne!(Ok(name), read("slack=https://hooks.example.org/services/T0/B0/other"));
        for good in ["webhook=http://localhost:9/x", "eventbridge=-", "sns=file:out/news.jsonl", "mail=security@example.org"] {
            assert!(read(good).is_ok(), "{good}");
        }
        for (wrong, words) in [
            ("mail=https://example.org", "mail goes to"),
            ("mail=nobody", "no address of mail"),
            ("pigeon=https://u:s3cret@example.org/s3cret", "`pigeon=https://u@example.org` is no channel: the kinds are webhook, slack"),
            ("slack", "KIND=TARGET"),
            ("slack=ftp://x", "write https://"),
        ] {
            let error = read(wrong).unwrap_err();
            assert!(error.contains(words) && !error.contains("s3cret"), "{error}");
        }
    }
}
