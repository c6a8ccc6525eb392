//! A decision in words.

use crate::policies::Layer;
use crate::{Decision, Outcome, Reason, Truth};

impl Reason<'_> {
    /// ``the identity policy, statement `Read` ``.
    pub fn place(&self) -> String {
        let statement = match &self.statement.sid {
            Some(sid) if !sid.is_empty() => format!("`{sid}`"),
            _ => format!("{}", self.statement.index + 1),
        };
        format!("the {}, statement {statement}", self.layer)
    }
}

impl Decision<'_> {
    /// Why the decision is as it is, one sentence a line, most decisive first; lower case, without full stops.
    pub fn explain(&self) -> Vec<String> {
        let sure = |reasons: &[Reason<'_>]| reasons.iter().filter(|reason| reason.applies.is_yes()).map(Reason::place).collect::<Vec<_>>();
        let all = |reasons: &[Reason<'_>]| reasons.iter().map(Reason::place).collect::<Vec<_>>();
        match self.outcome {
            Outcome::Allow if self.allowed_by.is_empty() => vec!["allowed without any policy".to_owned()],
            Outcome::Allow => {
                let certain = sure(&self.allowed_by);
                let by = if certain.is_empty() { all(&self.allowed_by) } else { certain };
                by.into_iter().map(|place| format!("allowed by {place}")).collect()
            }
            Outcome::ExplicitDeny => {
                let certain = sure(&self.denied_by);
                let by = if certain.is_empty() { all(&self.denied_by) } else { certain };
                let mut out: Vec<_> = by.into_iter().map(|place| format!("denied by {place}")).collect();
                if out.is_empty() {
                    out.push(format!("denied by {}", Layer::BlockPublicAccess));
                }
                out
            }
            Outcome::ImplicitDeny if self.missing.is_empty() => vec!["no statement allows it".to_owned()],
            Outcome::ImplicitDeny => self.missing.iter().map(|layer| format!("no statement of the {layer} allows it")).collect(),
            Outcome::Conditional => {
                let mut out: Vec<_> = self
                    .allowed_by
                    .iter()
                    .map(|reason| match reason.applies {
                        Truth::Yes => format!("allowed by {}", reason.place()),
                        Truth::Maybe | Truth::No => format!("perhaps allowed by {}", reason.place()),
                    })
                    .collect();
                out.extend(self.denied_by.iter().map(|reason| format!("perhaps denied by {}", reason.place())));
                out.extend(self.needs.iter().map(|need| format!("only if {}", need.text)));
                if !self.decided {
                    out.push("possible, not shown: something in it is not known or there are too many combinations".to_owned());
                }
                out
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Caller, Context, Document, Policies, Request, ResourceName, decide};

    fn explain(statements: &str, boundary: Option<&str>) -> Vec<String> {
        let document = |text: &str| Document::from_json(&format!(r#"{{"Version":"2012-10-17","Statement":[{text}]}}"#)).unwrap();
        let (policy, boundary) = (document(statements), boundary.map(document));
        let caller = Caller::user("arn:aws:iam::111111111111:user/u", "111111111111");
        let mut request = Request::new(caller, "s3:GetObject", ResourceName::new("arn:aws:s3:::b/k"), Context::open());
        request.resource_account = Some("111111111111".into());
        decide(&request, &Policies { identity: vec![&policy], boundary: boundary.as_ref(), ..Policies::default() }).explain()
    }

    const READ: &str = r#"{"Sid":"Read","Effect":"Allow","Action":"s3:*","Resource":"*"}"#;

    #[test]
    fn the_deciding_statements_are_named() {
        assert_eq!(explain(READ, None), ["allowed by the identity policy, statement `Read`"]);
        let denied = format!(r#"{READ},{{"Effect":"Deny","Action":"s3:Get*","Resource":"*"}}"#);
        assert_eq!(explain(&denied, None), ["denied by the identity policy, statement 2"]);
        let boundary = r#"{"Effect":"Allow","Action":"ec2:*","Resource":"*"}"#;
        assert_eq!(explain(READ, Some(boundary)), ["no statement of the permissions boundary allows it"]);
    }

    #[test]
    fn a_condition_is_said_as_what_it_takes() {
        let mfa = format!(
            r#"{READ},{{"Sid":"Mfa","Effect":"Deny","Action":"*","Resource":"*","Condition":{{"NotIpAddress":{{"aws:SourceIp":"203.0.113.0/24"}}}}}}"#
        );
        let expected = [
            "allowed by the identity policy, statement `Read`",
            "perhaps denied by the identity policy, statement `Mfa`",
            "only if IpAddress aws:SourceIp `203.0.113.0/24`",
        ];
        assert_eq!(explain(&mfa, None), expected);
    }
}
