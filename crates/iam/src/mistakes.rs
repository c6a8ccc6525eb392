//! Statements that do not mean what their author probably thinks. They are valid, and evaluated as AWS does.

use crate::document::{Effect, Statement};
use crate::{Comparison, Condition, Principals, Problem, Qualifier};

/// Condition keys with several values. Source: IAM User Guide, "single-valued vs. multivalued context keys", and the service authorization
/// reference (`ArrayOf…` types).
fn is_set_key(key: &str) -> bool {
    matches!(
        key,
        "aws:tagkeys"
            | "aws:calledvia"
            | "aws:principalorgpaths"
            | "aws:sourceorgpaths"
            | "aws:resourceorgpaths"
            | "aws:vpceorgpaths"
            | "aws:principalservicenameslist"
            | "dynamodb:attributes"
            | "dynamodb:leadingkeys"
            | "kms:encryptioncontextkeys"
            | "kms:grantoperations"
            | "ses:recipients"
            | "iam:resourcetagkeys"
    ) || key.ends_with(":amr")
}

/// Keys of which one value is certain, so that a set operator is a mistake.
fn is_single_key(key: &str) -> bool {
    matches!(
        key,
        "aws:principalarn"
            | "aws:principalaccount"
            | "aws:principalorgid"
            | "aws:sourcearn"
            | "aws:sourceaccount"
            | "aws:sourceip"
            | "aws:sourcevpc"
            | "aws:sourcevpce"
            | "aws:requestedregion"
            | "aws:userid"
            | "aws:username"
            | "sts:externalid"
    ) || [":sub", ":aud"].iter().any(|claim| key.ends_with(claim)) && key.contains('.')
}

/// The mistakes of one statement.
pub(crate) fn mistakes(statement: &Statement) -> Vec<Problem> {
    let mut out = Vec::new();
    if statement.effect == Effect::Allow && matches!(statement.principals, Principals::Except(_)) {
        let message = "`Allow` with `NotPrincipal` grants to everyone else, also to strangers".to_owned();
        out.push(Problem { code: "allow-not-principal", message, origin: statement.origin });
    }
    out.extend(statement.conditions.iter().filter_map(mistake));
    out
}

fn mistake(condition: &Condition) -> Option<Problem> {
    let key = condition.key.known()?.to_ascii_lowercase();
    let operator = &condition.operator;
    let name = &condition.key;
    let problem = |code: &'static str, message: String| Some(Problem { code, message, origin: condition.origin });
    match operator.qualifier {
        Some(Qualifier::ForAllValues) if is_single_key(&key) => {
            return problem("all-values-of-a-single-key", format!("`{operator}` on `{name}` also holds where the key is absent"));
        }
        None if is_set_key(&key) && operator.comparison != Comparison::Null => {
            return problem(
                "single-operator-on-a-set",
                format!(
                    "`{name}` has several values, and `{operator}` never matches it: write `ForAnyValue:{operator}` or `ForAllValues:{operator}`"
                ),
            );
        }
        _ => {}
    }
    let exact = matches!(operator.comparison, Comparison::String | Comparison::StringIgnoreCase);
    let wild = condition
        .values
        .iter()
        .find(|value| exact && value.text.known().is_some_and(|known| known.contains('*') && !known.contains("${*}")))?;
    let message = format!("`{operator}` takes the `*` of `{}` literally: write `{}`", wild.text, operator.text.replace("Equals", "Like"));
    Some(Problem { code: "literal-wildcard", message, origin: wild.origin })
}

#[cfg(test)]
mod tests {
    use crate::Document;

    fn codes(condition: &str) -> Vec<&'static str> {
        let text = format!(r#"{{"Statement":{{"Effect":"Allow","Principal":"*","Action":"s3:*","Condition":{{{condition}}}}}}}"#);
        Document::from_json(&text).unwrap().problems.iter().map(|problem| problem.code).collect()
    }

    #[test]
    fn set_operators_and_keys_must_fit_each_other() {
        assert_eq!(codes(r#""ForAllValues:StringEquals":{"aws:PrincipalOrgID":"o-1"}"#), ["all-values-of-a-single-key"]);
        let github = r#""ForAllValues:StringLike":{"token.actions.githubusercontent.com:sub":"repo:org/*"}"#;
        assert_eq!(codes(github), ["all-values-of-a-single-key"]);
        assert_eq!(codes(r#""StringEquals":{"aws:TagKeys":"team"}"#), ["single-operator-on-a-set"]);
        assert!(codes(r#""ForAnyValue:StringEquals":{"aws:TagKeys":"team"},"Null":{"aws:TagKeys":"false"}"#).is_empty());
    }

    #[test]
    fn a_star_under_an_exact_operator_is_a_star() {
        assert_eq!(codes(r#""StringEquals":{"aws:SourceVpce":"vpce-*"}"#), ["literal-wildcard"]);
        assert!(codes(r#""StringLike":{"aws:SourceVpce":"vpce-*"}"#).is_empty());
    }

    #[test]
    fn allow_with_not_principal_is_named() {
        let text = r#"{"Statement":{"Effect":"Allow","NotPrincipal":{"AWS":"111111111111"},"Action":"s3:*"}}"#;
        assert_eq!(Document::from_json(text).unwrap().problems[0].code, "allow-not-principal");
    }
}
