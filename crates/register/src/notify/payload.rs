//! Notices in the shapes that receivers take.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::ChannelKind;
use crate::notice::{News, Notice};
use crate::outbox::Outgoing;
use crate::time::Time;

/// Slack refuses longer texts of a block. Source: Slack, reference of the section block.
const SLACK_CHARACTERS: usize = 3000;
/// News that a message for people lists.
const LISTED: usize = 20;
/// SNS refuses longer subjects. Source: AWS, SNS API reference, Publish.
const SUBJECT_CHARACTERS: usize = 100;

/// The body for a kind of channel, on one line.
pub(super) fn json(kind: ChannelKind, outgoing: &Outgoing) -> String {
    let Outgoing { key, notice, .. } = outgoing;
    match kind {
        ChannelKind::Webhook | ChannelKind::Mail => {
            let mut value = serde_json::to_value(notice).unwrap_or(Value::Null);
            if let Some(object) = value.as_object_mut() {
                object.insert("key".to_owned(), key.as_str().into());
            }
            value
        }
        ChannelKind::Slack => slack(notice),
        // Source: AWS, EventBridge API reference, PutEvents: the detail is JSON in a string.
        ChannelKind::EventBridge => json!({"Entries": [{
            "Source": "bartizan",
            "DetailType": "Bartizan Notice",
            "Time": notice.at,
            "Resources": [],
            "Detail": json(ChannelKind::Webhook, outgoing),
        }]}),
        // Source: AWS, SNS API reference, Publish; the last two fields are for FIFO topics, which know repeated messages by them.
        ChannelKind::Sns => json!({
            "Subject": subject(&notice.summary),
            "Message": json(ChannelKind::Webhook, outgoing),
            "MessageAttributes": {
                "system": {"DataType": "String", "StringValue": notice.system},
                "severity": {"DataType": "String", "StringValue": notice.news.first().map_or("", |news| news.severity.as_str())},
            },
            "MessageGroupId": "bartizan",
            "MessageDeduplicationId": key,
        }),
    }
    .to_string()
}

/// For people, in plain text.
pub(super) fn text(notice: &Notice) -> String {
    let mut text = format!("{}\n{}, run {}\n\n", notice.summary, notice.at, notice.run);
    for News { kind, severity, title, id, text: more, .. } in notice.news.iter().take(LISTED) {
        let more = if more.is_empty() { String::new() } else { format!("  {more}") };
        text.push_str(&format!("{kind}  {severity}  {title}  ({id}){more}\n"));
    }
    text.push_str(&rest(notice));
    text
}

fn rest(notice: &Notice) -> String {
    match notice.n_news.saturating_sub(LISTED) {
        0 => String::new(),
        n => format!("and {n} more: bartizan register history --system '{}'\n", notice.system),
    }
}

fn slack(notice: &Notice) -> Value {
    // Source: Slack, formatting text: these three are the only ones that need it.
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut text = format!("*{}*\n", escaped(&notice.summary));
    for News { kind, severity, title, .. } in notice.news.iter().take(LISTED) {
        text.push_str(&format!("• {kind} · {severity} · {}\n", escaped(title)));
    }
    text.push_str(&escaped(&rest(notice)));
    let text: String = text.chars().take(SLACK_CHARACTERS).collect();
    json!({
        "text": escaped(&notice.summary),
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}}],
    })
}

/// ASCII without control characters, as SNS wants it.
fn subject(summary: &str) -> String {
    summary.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).take(SUBJECT_CHARACTERS).collect()
}

/// Headers by which a receiver knows who sends, when, and what it has already.
///
/// Source: Standard Webhooks 1.0: `v1,` and the Base64 of HMAC-SHA256 over id, time and body, joined by dots.
pub(super) fn signed(secret: Option<&str>, key: &str, now: Time, body: &str) -> Result<Vec<(&'static str, String)>, String> {
    let mut headers = vec![("webhook-id", key.to_owned()), ("webhook-timestamp", now.0.to_string())];
    if let Some(secret) = secret {
        let bytes = match secret.strip_prefix("whsec_") {
            Some(encoded) => STANDARD.decode(encoded).map_err(|_| "the key of signatures is no Base64 behind `whsec_`".to_owned())?,
            None => secret.as_bytes().to_vec(),
        };
        let mut mac = Hmac::<Sha256>::new_from_slice(&bytes).map_err(|error| error.to_string())?;
        mac.update(format!("{key}.{}.{body}", now.0).as_bytes());
        headers.push(("webhook-signature", format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))));
    }
    Ok(headers)
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::Value;

    use super::{json, signed};
    use crate::notice::{NOTICE, News, Notice};
    use crate::notify::ChannelKind;
    use crate::outbox::Outgoing;
    use crate::time::Time;

    pub(crate) fn outgoing() -> Outgoing {
        let news = News {
            about: "vulnerability".to_owned(),
            id: "webframe-1".to_owned(),
            kind: "new".to_owned(),
            severity: "high".to_owned(),
            title: "<b> & CVE-1 in webframe".to_owned(),
            text: String::new(),
        };
        let notice = Notice {
            schema: NOTICE.to_owned(),
            system: "shop".to_owned(),
            repository: String::new(),
            run: 7,
            at: "2026-11-28T04:00:00Z".to_owned(),
            summary: "shop: 1 new finding (1 high)".to_owned(),
            n_news: 1,
            news: vec![news],
        };
        Outgoing::new("k1", "webhook:1", notice)
    }

    fn body(kind: ChannelKind) -> Value {
        serde_json::from_str(&json(kind, &outgoing())).unwrap()
    }

    fn at(value: &Value, pointer: &str) -> String {
        value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    #[test]
    fn each_receiver_gets_its_shape() {
        let webhook = body(ChannelKind::Webhook);
        assert_eq!(
            (at(&webhook, "/schema"), at(&webhook, "/key"), at(&webhook, "/news/0/id")),
            (NOTICE.into(), "k1".into(), "webframe-1".into())
        );
        let slack = body(ChannelKind::Slack);
        let text = at(&slack, "/blocks/0/text/text");
        assert_eq!(text, "*shop: 1 new finding (1 high)*\n• new · high · &lt;b&gt; &amp; CVE-1 in webframe\n");
        let event = body(ChannelKind::EventBridge);
        let detail: Value = serde_json::from_str(&at(&event, "/Entries/0/Detail")).unwrap();
        assert_eq!(detail, webhook);
        let sns = body(ChannelKind::Sns);
        assert_eq!(
            (at(&sns, "/MessageDeduplicationId"), at(&sns, "/MessageAttributes/severity/StringValue")),
            ("k1".into(), "high".into())
        );
        assert_eq!(serde_json::from_str::<Value>(&at(&sns, "/Message")).unwrap(), webhook);
    }

    #[test]
    fn signatures_are_those_of_the_specification() {
        // The example of the Standard Webhooks specification's libraries.
        let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let headers = signed(Some(key), "msg_p5jXN8AQM9LWM0D4loKWxJek", Time(1_614_265_330), "{\"test\": 2432232314}").unwrap();
        let signature = headers.iter().find(|(name, _)| *name == "webhook-signature").map(|(_, value)| value.as_str());
        assert_eq!(signature, Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
        assert_eq!(signed(None, "k", Time(1), "").map(|headers| headers.len()), Ok(2));
        assert!(signed(Some("whsec_§"), "k", Time(1), "").is_err());
    }
}
