//! What it takes to meet a condition, by its key.

/// Where the value of a condition key comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyClass {
    /// The architecture determines it: who calls, from which network, for which service.
    Graph,
    /// The attacker writes it into the request.
    Attacker,
    /// Something the attacker must first have: a second factor, a token, an external id, a place in a network.
    Capability,
    /// Time.
    Time,
    /// Not known to this crate.
    Other,
}

/// The class of a condition key; keys compare without case.
///
/// Source: IAM User Guide, global condition context keys; the classes are this project's judgement.
pub fn key_class(key: &str) -> KeyClass {
    let key = key.to_ascii_lowercase();
    match key.as_str() {
        "aws:principalarn"
        | "aws:principalaccount"
        | "aws:principalorgid"
        | "aws:principalorgpaths"
        | "aws:principaltype"
        | "aws:principalisawsservice"
        | "aws:principalservicename"
        | "aws:userid"
        | "aws:username"
        | "aws:resourceaccount"
        | "aws:resourceorgid"
        | "aws:resourceorgpaths"
        | "aws:sourcevpc"
        | "aws:sourcevpce"
        | "aws:sourcevpcarn"
        | "aws:vpcsourceip"
        | "aws:vpceaccount"
        | "aws:vpceorgid"
        | "aws:vpceorgpaths"
        | "aws:ec2instancesourcevpc"
        | "aws:ec2instancesourceprivateipv4"
        | "iam:passedtoservice"
        | "aws:sourcearn"
        | "aws:sourceaccount"
        | "aws:sourceorgid"
        | "aws:sourceorgpaths"
        | "aws:viaawsservice"
        | "aws:calledvia"
        | "aws:calledviafirst"
        | "aws:calledvialast"
        | "kms:viaservice"
        | "kms:calleraccount" => KeyClass::Graph,
        "aws:requestedregion"
        | "aws:tagkeys"
        | "aws:useragent"
        | "aws:referer"
        | "aws:securetransport"
        | "sts:rolesessionname"
        | "dynamodb:attributes"
        | "dynamodb:select"
        | "s3:prefix"
        | "s3:delimiter"
        | "s3:max-keys" => KeyClass::Attacker,
        "aws:multifactorauthpresent"
        | "aws:multifactorauthage"
        | "sts:externalid"
        | "aws:sourceip"
        | "aws:sourceidentity"
        | "sts:sourceidentity" => KeyClass::Capability,
        "aws:currenttime" | "aws:epochtime" | "aws:tokenissuetime" => KeyClass::Time,
        other if other.starts_with("aws:principaltag/") || other.starts_with("aws:resourcetag/") => KeyClass::Graph,
        other if other.starts_with("aws:requesttag/") || other.starts_with("s3:x-amz-") => KeyClass::Attacker,
        other if other.starts_with("saml:") || is_token_claim(other) => KeyClass::Capability,
        _ => KeyClass::Other,
    }
}

/// `token.actions.githubusercontent.com:sub`: the issuer's host stands before the colon.
fn is_token_claim(key: &str) -> bool {
    key.rsplit_once(':').is_some_and(|(issuer, claim)| issuer.contains('.') && !claim.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{KeyClass, key_class};

    #[test]
    fn keys_have_a_class_whatever_their_case() {
        assert_eq!(key_class("AWS:SourceIP"), KeyClass::Capability);
        assert_eq!(key_class("aws:PrincipalTag/team"), KeyClass::Graph);
        assert_eq!(key_class("token.actions.githubusercontent.com:sub"), KeyClass::Capability);
        assert_eq!(key_class("aws:EpochTime"), KeyClass::Time);
        assert_eq!(key_class("s3:prefix"), KeyClass::Attacker);
        assert_eq!(key_class("x:y"), KeyClass::Other);
    }
}
