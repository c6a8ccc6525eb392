//! Mail in plain text.

use std::time::{Duration, SystemTime};

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MessageBuilder};
use lettre::{Message, SmtpTransport, Transport as _};

use super::Sender;
use super::payload::text;
use crate::outbox::Outgoing;
use crate::time::Time;

/// A mail server that takes longer is tried again later.
const TIMEOUT: Duration = Duration::from_secs(20);

pub(super) fn is_mailbox(text: &str) -> bool {
    text.parse::<Mailbox>().is_ok()
}

pub(super) fn send(sender: &Sender, to: &str, outgoing: &Outgoing, now: Time) -> Result<(), String> {
    let server = sender.smtp.as_deref().ok_or("no mail server is named: set BARTIZAN_SMTP to smtps://user:password@host")?;
    // The library's own words would tell the address with its password.
    let transport = SmtpTransport::from_url(server).map_err(|_| "the address of the mail server cannot be read".to_owned())?;
    let message = message(sender.from.as_deref().unwrap_or(to), to, outgoing, now)?;
    transport.timeout(Some(TIMEOUT)).build().send(&message).map(|_| ()).map_err(|error| error.to_string())
}

/// The same notice has the same id of mail, by which mailboxes know what they have already.
fn message(from: &str, to: &str, outgoing: &Outgoing, now: Time) -> Result<Message, String> {
    let mailbox = |text: &str| text.parse::<Mailbox>().map_err(|error| format!("`{text}` is no address of mail: {error}"));
    let seconds = u64::try_from(now.0).unwrap_or(0);
    MessageBuilder::new()
        .from(mailbox(from)?)
        .to(mailbox(to)?)
        .subject(format!("[bartizan] {}", outgoing.notice.summary))
        .message_id(Some(format!("<{}@bartizan>", outgoing.key)))
        .date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
        .header(ContentType::TEXT_PLAIN)
        .body(text(&outgoing.notice))
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::message;
    use crate::notify::payload::tests::outgoing;
    use crate::time::Time;

    #[test]
    fn a_mail_has_the_notice_and_an_id_that_stays_the_same() {
        let mail = message("Bartizan <bartizan@example.org>", "security@example.org", &outgoing(), Time(0)).unwrap();
        let mail = String::from_utf8(mail.formatted()).unwrap();
        for line in [
            "From: Bartizan <bartizan@example.org>\r\n",
            "To: security@example.org\r\n",
            "Subject: [bartizan] shop: 1 new finding (1 high)\r\n",
            "Message-ID: <k1@bartizan>\r\n",
            "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n",
            "new  high  <b> & CVE-1 in webframe  (webframe-1)\r\n",
        ] {
            assert!(mail.contains(line), "{line:?} is not in\n{mail}");
        }
        assert!(message("nobody", "security@example.org", &outgoing(), Time(0)).is_err());
    }
}
