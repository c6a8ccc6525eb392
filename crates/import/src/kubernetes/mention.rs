//! Names of AWS resources in configuration text: ARNs, queue URLs, endpoints, and plain names where the variable's name says what they are.

use super::endpoint::words;

/// A resource that a text may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    /// Services that it may belong to, likeliest first.
    pub(super) services: Vec<&'static str>,
    /// Its name.
    pub(super) name: String,
}

/// Services by the third part of an ARN.
const ARN_SERVICES: &[(&str, &str)] = &[
    ("athena", "athena"),
    ("dynamodb", "dynamodb"),
    ("elasticache", "elasticache"),
    ("elasticfilesystem", "efs"),
    ("es", "opensearch"),
    ("events", "eventbridge"),
    ("firehose", "firehose"),
    ("iam", "iam"),
    ("kafka", "msk"),
    ("kinesis", "kinesis"),
    ("kms", "kms"),
    ("lambda", "lambda"),
    ("rds", "rds"),
    ("s3", "s3"),
    ("secretsmanager", "secretsmanager"),
    ("sns", "sns"),
    ("sqs", "sqs"),
    ("ssm", "ssm"),
    ("states", "stepfunctions"),
];

/// Words of a variable's name that say which service a plain name in it belongs to.
const NAME_WORDS: &[(&str, &[&str])] = &[
    ("BUCKET", &["s3"]),
    ("S3", &["s3"]),
    ("QUEUE", &["sqs"]),
    ("SQS", &["sqs"]),
    ("DLQ", &["sqs"]),
    ("TABLE", &["dynamodb"]),
    ("DYNAMO", &["dynamodb"]),
    ("DYNAMODB", &["dynamodb"]),
    ("TOPIC", &["sns"]),
    ("SNS", &["sns"]),
    ("STREAM", &["kinesis", "firehose"]),
    ("KINESIS", &["kinesis"]),
    ("FIREHOSE", &["firehose"]),
    ("SECRET", &["secretsmanager"]),
    ("PARAMETER", &["ssm"]),
    ("SSM", &["ssm"]),
    ("FUNCTION", &["lambda"]),
    ("LAMBDA", &["lambda"]),
    ("BUS", &["eventbridge"]),
    ("WORKGROUP", &["athena"]),
];

/// What a text under an attribute (`env.QUEUE_URL`) may name.
pub(super) fn candidates(attribute: &str, text: &str) -> Vec<Candidate> {
    let mut out = Vec::new();
    let separators = |character: char| character.is_whitespace() || matches!(character, '"' | '\'' | ',' | ';' | '`' | '(' | ')');
    for word in text.split(separators).filter(|word| word.len() > 2 && word.len() < 2048) {
        // `key=arn:…` and `key: arn:…` both hold the ARN behind their separator.
        if let Some(arn) = word.find("arn:").and_then(|at| word.get(at..)) {
            out.extend(from_arn(arn));
        } else if let Some(found) = from_url(word) {
            out.push(found);
        }
    }
    let plain = text.trim();
    let is_name = !plain.is_empty()
        && plain.len() < 256
        && plain.chars().all(|character| character.is_ascii_alphanumeric() || "-_./".contains(character));
    if out.is_empty() && is_name {
        let services = services_of_name(attribute);
        if !services.is_empty() {
            out.push(Candidate { services, name: plain.to_owned() });
        }
    }
    out
}

/// Services whose resources a variable of this name holds: `ORDERS_TABLE_NAME`, `values.app.tableName`.
fn services_of_name(attribute: &str) -> Vec<&'static str> {
    let words = words(attribute.rsplit('.').next().unwrap_or(""));
    let hinted = NAME_WORDS.iter().filter(|(word, _)| words.iter().any(|own| own == word));
    hinted.flat_map(|(_, services)| services.iter().copied()).collect()
}

/// True where a variable's name says that it holds the name of an AWS resource.
pub(super) fn names_service(attribute: &str) -> bool {
    !services_of_name(attribute).is_empty()
}

fn from_arn(arn: &str) -> Vec<Candidate> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, _, service, _, _, resource] = parts.as_slice() else { return Vec::new() };
    let Some((_, service)) = ARN_SERVICES.iter().find(|(own, _)| own == service) else { return Vec::new() };
    let mut names: Vec<String> = Vec::new();
    match *service {
        "s3" => names.extend(resource.split('/').next().map(str::to_owned)),
        "ssm" => {
            let path = resource.strip_prefix("parameter").unwrap_or(resource);
            names.push(path.to_owned());
            names.push(path.trim_start_matches('/').to_owned());
        }
        "secretsmanager" => {
            let name = resource.strip_prefix("secret:").unwrap_or(resource);
            names.push(name.to_owned());
            // Secrets Manager appends a hyphen and six characters of its own.
            names.extend(
                name.len()
                    .checked_sub(7)
                    .and_then(|at| name.get(..at))
                    .filter(|_| name.rfind('-') == name.len().checked_sub(7))
                    .map(str::to_owned),
            );
        }
        _ => {
            // `table/orders/stream/…`, `function:orders:live`, `orders`, `cluster:orders`
            let mut segments = resource.split(['/', ':']);
            let first = segments.next().unwrap_or("");
            names.push(segments.next().unwrap_or(first).to_owned());
        }
    }
    names.into_iter().map(|name| Candidate { services: vec![*service], name }).collect()
}

fn from_url(word: &str) -> Option<Candidate> {
    let candidate = |service: &'static str, name: &str| Some(Candidate { services: vec![service], name: name.to_owned() });
    if let Some(rest) = word.strip_prefix("s3://").or_else(|| word.strip_prefix("s3a://")) {
        return candidate("s3", rest.split('/').next()?);
    }
    let after_scheme = word.split_once("://").map_or(word, |(_, rest)| rest);
    let (authority, path) = after_scheme.split_once('/').unwrap_or((after_scheme, ""));
    let host = authority.rsplit('@').next()?.split(':').next()?;
    let labels: Vec<&str> = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?.split('.').collect();
    match labels.as_slice() {
        ["sqs", _] | [_, "queue"] => candidate("sqs", path.rsplit('/').next()?),
        ["s3", ..] => candidate("s3", path.split('/').next()?),
        [bucket @ .., "s3"] | [bucket @ .., "s3", _] if !bucket.is_empty() => candidate("s3", &bucket.join(".")),
        [identifier, _, _, "rds"] => Some(Candidate { services: vec!["rds", "documentdb", "neptune"], name: (*identifier).to_owned() }),
        ["master" | "replica", name, _, _, "cache"] | [name, _, _, _, "cache"] | [name, _, _, "cache"] => candidate("elasticache", name),
        [domain, _, "es" | "aoss"] => {
            let name = domain.strip_prefix("search-").or_else(|| domain.strip_prefix("vpc-"))?;
            candidate("opensearch", name.rsplit_once('-').map_or(name, |(name, _)| name))
        }
        [broker, name, _, _, "kafka", _] if broker.starts_with("b-") => candidate("msk", name),
        [_, name, _, "kafka-serverless", _] => candidate("msk", name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::candidates;

    fn names(attribute: &str, text: &str) -> Vec<String> {
        candidates(attribute, text).into_iter().map(|candidate| format!("{}:{}", candidate.services.join("|"), candidate.name)).collect()
    }

    #[test]
    fn arns_urls_and_endpoints_name_their_resource() {
        assert_eq!(names("env.X", "arn:aws:sqs:eu-west-1:111122223333:orders"), ["sqs:orders"]);
        assert_eq!(names("env.X", "arn:aws:dynamodb:eu-west-1:111122223333:table/carts/stream/1"), ["dynamodb:carts"]);
        assert_eq!(
            names("env.X", "arn:aws:secretsmanager:eu-west-1:1:secret:db/pw-a1B2c3"),
            ["secretsmanager:db/pw-a1B2c3", "secretsmanager:db/pw"]
        );
        assert_eq!(names("env.X", "https://sqs.eu-west-1.amazonaws.com/111122223333/orders.fifo"), ["sqs:orders.fifo"]);
        assert_eq!(names("env.X", "s3://exports/daily/"), ["s3:exports"]);
        assert_eq!(names("env.X", "https://exports.s3.eu-west-1.amazonaws.com/x"), ["s3:exports"]);
        assert_eq!(names("env.X", "jdbc:mysql://orders.c1a2b3.eu-west-1.rds.amazonaws.com:3306/db"), ["rds|documentdb|neptune:orders"]);
        assert_eq!(names("env.X", "https://vpc-logs-abc123.eu-west-1.es.amazonaws.com"), ["opensearch:logs"]);
    }

    #[test]
    fn plain_names_count_only_under_a_telling_variable() {
        assert_eq!(names("env.ORDERS_TABLE_NAME", "orders"), ["dynamodb:orders"]);
        assert!(names("env.APP_NAME", "orders").is_empty());
        assert!(names("env.TABLE", "not a name!").is_empty());
    }
}
