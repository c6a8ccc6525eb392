//! Network endpoints in configuration text: which hosts a text names, with which scheme and port, and which protocol a port speaks.

/// One endpoint that a text names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// Lower-case scheme without `jdbc:`; `None` where the text has none.
    pub(super) scheme: Option<String>,
    /// Lower-case host.
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// The text carries a user or password for it.
    pub(super) credentials: bool,
    /// Whether options in the text ask for TLS.
    pub(super) tls: Option<bool>,
}

/// What the name of a variable lets one expect of its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// A host: `DB_HOST`; a bare word counts.
    Host,
    /// Anything: a host must show a port, a dot or a scheme.
    Anything,
    /// A whole file: only URLs and `host:port` count.
    File,
}

/// Words in a variable's name that say its value is an address.
const ADDRESS_WORDS: &[&str] = &[
    "HOST",
    "HOSTS",
    "HOSTNAME",
    "ENDPOINT",
    "ENDPOINTS",
    "URL",
    "URLS",
    "URI",
    "ADDR",
    "ADDRS",
    "ADDRESS",
    "ADDRESSES",
    "SERVER",
    "SERVERS",
    "BROKER",
    "BROKERS",
    "BOOTSTRAP",
    "UPSTREAM",
    "BACKEND",
    "NODES",
    "DSN",
    "PROXY",
    "TARGET",
    "MASTER",
    "REPLICA",
    "PRIMARY",
];

/// The words of a name, in upper case: `ordersTableName`, `ORDERS_TABLE-name`.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut lower_before = false;
    for character in name.chars() {
        let boundary = !character.is_ascii_alphanumeric() || (character.is_ascii_uppercase() && lower_before);
        if boundary && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if character.is_ascii_alphanumeric() {
            word.push(character.to_ascii_uppercase());
        }
        lower_before = character.is_ascii_lowercase();
    }
    words.push(word);
    words
}

/// What to expect of a variable's or flag's value, from its name.
pub(super) fn expect(name: &str) -> Expect {
    let is_address = words(name).iter().any(|word| ADDRESS_WORDS.contains(&word.as_str()));
    if is_address { Expect::Host } else { Expect::Anything }
}

/// Every endpoint that a text names, in order.
pub(super) fn endpoints(text: &str, expect: Expect) -> Vec<Endpoint> {
    let mut out: Vec<Endpoint> = Vec::new();
    let mut add = |endpoint: Option<Endpoint>| {
        if let Some(endpoint) = endpoint
            && !out.contains(&endpoint)
        {
            out.push(endpoint);
        }
    };
    let separators: &[char] = if expect == Expect::File {
        &[' ', '\t', '\n', '\r', ',', '"', '\'', '<', '>', '`']
    } else {
        &[' ', '\t', '\n', '\r', '"', '\'', '`']
    };
    for token in text.split(separators).filter(|token| !token.is_empty() && token.len() <= MAX_TOKEN_BYTES) {
        if token.contains("://") {
            url(token).into_iter().for_each(|endpoint| add(Some(endpoint)));
            continue;
        }
        for piece in token.split([',', ';']) {
            let (key, value) = match piece.split_once('=') {
                Some((key, value)) => (Some(key), value),
                None => (None, piece),
            };
            let expect = match key {
                Some(key) if expect != Expect::File => self::expect(key),
                Some(_) | None => expect,
            };
            add(plain(value, expect));
        }
    }
    out
}

/// Longer words are data, not addresses.
const MAX_TOKEN_BYTES: usize = 2048;

/// The hosts of a URL; some schemes list several.
fn url(token: &str) -> Vec<Endpoint> {
    let mut out = Vec::new();
    let Some((before, after)) = token.split_once("://") else { return out };
    let scheme_start =
        before.rfind(|character: char| !(character.is_ascii_alphanumeric() || matches!(character, '+' | '.' | '-'))).map_or(0, |at| at + 1);
    let scheme = before.get(scheme_start..).unwrap_or("").to_ascii_lowercase();
    let scheme = scheme.split('+').next().unwrap_or("").to_owned();
    let end = after.find(['/', '?', '#', ';', '\\', ')', '}', ']', '|']).unwrap_or(after.len());
    let (authority, rest) = after.split_at(end);
    let (credentials, hosts) = match authority.rsplit_once('@') {
        Some((_, hosts)) => (true, hosts),
        None => (false, authority),
    };
    let tls = tls_option(rest);
    for host in hosts.split(',') {
        // What follows a comma may be a whole URL of its own.
        let Some((host, port)) = host_port(host) else { continue };
        out.push(Endpoint { scheme: Some(scheme.clone()).filter(|scheme| !scheme.is_empty()), host, port, credentials, tls });
    }
    if let Some((_, next)) = rest.split_once(',').filter(|(_, next)| next.contains("://")) {
        out.extend(url(next));
    }
    out
}

/// What database drivers call TLS in their URLs.
fn tls_option(options: &str) -> Option<bool> {
    let options = options.to_ascii_lowercase();
    for (key, on, off) in [
        (
            "sslmode=",
            &["require", "verify-ca", "verify-full", "verify_identity", "verify_ca", "required"][..],
            &["disable", "disabled"][..],
        ),
        ("usessl=", &["true"][..], &["false"][..]),
        ("ssl=", &["true"][..], &["false"][..]),
        ("tls=", &["true"][..], &["false"][..]),
        ("encrypt=", &["true", "strict"][..], &["false"][..]),
    ] {
        let Some(at) = options.find(key) else { continue };
        let value: &str = options.get(at + key.len()..).unwrap_or("").split(['&', ';', '?', '/']).next().unwrap_or("");
        if on.contains(&value) {
            return Some(true);
        }
        if off.contains(&value) {
            return Some(false);
        }
    }
    None
}

/// `host`, `host:port`, `user:password@tcp(host:port)/name`.
fn plain(piece: &str, expect: Expect) -> Option<Endpoint> {
    let (credentials, address) = match piece.rsplit_once('@') {
        Some((_, address)) => (true, address),
        None => (false, piece),
    };
    let tls = tls_option(address);
    let inner = address.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or(address, |(inner, _)| inner);
    let authority = inner.split(['/', '?']).next().unwrap_or("");
    let (host, port) = host_port(authority)?;
    let enough = match expect {
        Expect::Host => true,
        Expect::Anything => port.is_some() || host.contains('.'),
        Expect::File => port.is_some(),
    };
    enough.then_some(Endpoint { scheme: None, host, port, credentials, tls })
}

fn host_port(text: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, Some(port.parse().ok().filter(|port| *port != 0)?)),
        None => (text, None),
    };
    is_host(host).then(|| (host.to_ascii_lowercase().trim_end_matches('.').to_owned(), port))
}

/// A DNS name: labels of letters, digits and hyphens, at least one letter.
fn is_host(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label) && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// Protocol and encryption that a URL scheme says; `None` for schemes that say nothing.
pub(super) fn of_scheme(scheme: &str) -> Option<(&'static str, Option<bool>)> {
    Some(match scheme {
        "http" | "ws" => ("http", Some(false)),
        "https" | "wss" => ("https", Some(true)),
        "grpc" => ("grpc", None),
        "grpcs" => ("grpc", Some(true)),
        "mysql" | "mysqlx" | "mariadb" | "mysql2" => ("mysql", None),
        "postgres" | "postgresql" | "postgis" => ("postgresql", None),
        "redis" | "valkey" => ("redis", Some(false)),
        "rediss" | "valkeys" => ("redis", Some(true)),
        "amqp" => ("amqp", Some(false)),
        "amqps" => ("amqp", Some(true)),
        "mongodb" | "mongo" => ("mongodb", None),
        "kafka" => ("kafka", None),
        "nats" => ("nats", None),
        "memcached" | "memcache" => ("memcached", Some(false)),
        "sqlserver" | "mssql" => ("sqlserver", None),
        "oracle" => ("oracle", None),
        "cassandra" | "cql" => ("cassandra", None),
        "ldap" => ("ldap", Some(false)),
        "ldaps" => ("ldap", Some(true)),
        "smtp" => ("smtp", None),
        "smtps" => ("smtp", Some(true)),
        "neo4j" | "bolt" => ("bolt", None),
        "mqtt" => ("mqtt", Some(false)),
        "mqtts" => ("mqtt", Some(true)),
        _ => return None,
    })
}

/// Protocol and encryption that a port's name or `appProtocol` says: `http-web`, `grpc`, `kubernetes.io/h2c`.
pub(super) fn of_port_name(name: &str) -> Option<(&'static str, Option<bool>)> {
    let name = name.to_ascii_lowercase();
    let name = name.rsplit('/').next().unwrap_or("");
    if let Some(found) = of_name(name) {
        return Some(found);
    }
    // Istio reads `protocol-anything`, people also write `anything-protocol`.
    let first = name.split('-').next().unwrap_or("");
    let last = name.rsplit('-').next().unwrap_or("");
    of_name(first).or_else(|| of_name(last))
}

fn of_name(name: &str) -> Option<(&'static str, Option<bool>)> {
    match name {
        "http" | "http2" | "h2c" | "web" | "ws" => Some(("http", Some(false))),
        "https" | "wss" => Some(("https", Some(true))),
        "pgsql" | "psql" => Some(("postgresql", None)),
        "mongo" => Some(("mongodb", None)),
        "rabbitmq" => Some(("amqp", None)),
        "tls" => Some(("tls", Some(true))),
        _ => of_scheme(name),
    }
}

/// The protocol that a port number is registered for or customarily speaks.
pub(super) fn of_port(port: u16) -> Option<(&'static str, Option<bool>)> {
    Some(match port {
        80 | 3000 | 5000 | 8000 | 8080 | 8081 | 8888 | 9090 => ("http", Some(false)),
        443 | 8443 => ("https", Some(true)),
        25 | 587 => ("smtp", None),
        389 => ("ldap", Some(false)),
        636 => ("ldap", Some(true)),
        1433 => ("sqlserver", None),
        1521 => ("oracle", None),
        1883 => ("mqtt", Some(false)),
        3306 => ("mysql", None),
        4222 => ("nats", None),
        4317 | 50051 => ("grpc", None),
        4318 | 9200 | 9411 => ("http", None),
        5432 => ("postgresql", None),
        5671 => ("amqp", Some(true)),
        5672 => ("amqp", Some(false)),
        6379 => ("redis", None),
        7687 => ("bolt", None),
        8883 => ("mqtt", Some(true)),
        9042 => ("cassandra", None),
        9092 => ("kafka", Some(false)),
        9094 | 9098 => ("kafka", Some(true)),
        11211 => ("memcached", None),
        27017 => ("mongodb", None),
        _ => return None,
    })
}

/// The data store that an image runs, by the last part of its repository.
pub(super) fn engine_of_image(repository: &str) -> Option<&'static str> {
    let name = repository.rsplit('/').next().unwrap_or("");
    let starts = |prefix: &str| name == prefix || name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('-') && !is_tool(rest));
    const ENGINES: &[(&str, &str)] = &[
        ("mysql", "mysql"),
        ("mariadb", "mysql"),
        ("percona", "mysql"),
        ("postgres", "postgresql"),
        ("postgresql", "postgresql"),
        ("postgis", "postgresql"),
        ("redis", "redis"),
        ("valkey", "redis"),
        ("mongo", "mongodb"),
        ("mongodb", "mongodb"),
        ("rabbitmq", "amqp"),
        ("memcached", "memcached"),
        ("cassandra", "cassandra"),
        ("kafka", "kafka"),
        ("cp-kafka", "kafka"),
        ("elasticsearch", "http"),
        ("opensearch", "http"),
        ("dynamodb-local", "http"),
        ("neo4j", "bolt"),
        ("minio", "http"),
    ];
    ENGINES.iter().find(|(prefix, _)| starts(prefix)).map(|(_, engine)| *engine)
}

/// Images named after an engine that only talk to it.
fn is_tool(suffix: &str) -> bool {
    ["exporter", "operator", "client", "backup", "connect", "ui", "dashboards", "commander", "schema", "rest", "express"]
        .iter()
        .any(|tool| suffix.contains(tool))
}

#[cfg(test)]
mod tests {
    use super::{Expect, endpoints, engine_of_image, expect, of_port_name};

    fn hosts(text: &str, expect: Expect) -> Vec<String> {
        endpoints(text, expect)
            .into_iter()
            .map(|endpoint| {
                let scheme = endpoint.scheme.map(|scheme| format!("{scheme}://")).unwrap_or_default();
                let port = endpoint.port.map(|port| format!(":{port}")).unwrap_or_default();
                format!("{scheme}{}{port}", endpoint.host)
            })
            .collect()
    }

    #[test]
    fn urls_of_all_kinds_give_scheme_host_and_port() {
        assert_eq!(hosts("http://catalog", Expect::Anything), ["http://catalog"]);
        assert_eq!(hosts("http://catalog.catalog.svc:80/health?x=y", Expect::Anything), ["http://catalog.catalog.svc:80"]);
        assert_eq!(hosts("jdbc:mysql://orders-db:3306/orders?useSSL=true", Expect::Anything), ["mysql://orders-db:3306"]);
        assert_eq!(hosts("amqp://user:pa%40ss@rabbitmq:5672/", Expect::Anything), ["amqp://rabbitmq:5672"]);
        assert_eq!(hosts("mongodb://a:27017,b:27018/db", Expect::Anything), ["mongodb://a:27017", "mongodb://b:27018"]);
        assert_eq!(hosts("http://a:1,http://b:2", Expect::Host), ["http://a:1"]);
        assert_eq!(hosts("mongodb+srv://m.example/db", Expect::Anything), ["mongodb://m.example"]);
        assert_eq!(hosts("jdbc:sqlserver://sql:1433;encrypt=true", Expect::Anything), ["sqlserver://sql:1433"]);
    }

    #[test]
    fn options_tell_whether_tls_is_asked_for() {
        let tls = |text: &str| endpoints(text, Expect::Anything).first().and_then(|endpoint| endpoint.tls);
        assert_eq!(tls("postgres://db/x?sslmode=disable"), Some(false));
        assert_eq!(tls("postgres://db/x?sslmode=verify-full&a=b"), Some(true));
        assert_eq!(tls("jdbc:mysql://db/x?useSSL=false"), Some(false));
        assert_eq!(tls("postgres://db/x?sslmode=prefer"), None);
    }

    #[test]
    fn bare_words_count_only_where_an_address_is_expected() {
        assert_eq!(hosts("carts", expect("CARTS_HOST")), ["carts"]);
        assert_eq!(hosts("carts", expect("cartsEndpoint")), ["carts"]);
        assert!(hosts("carts", expect("DB_NAME")).is_empty());
        assert_eq!(hosts("redis:6379", expect("CACHE")), ["redis:6379"]);
        assert_eq!(hosts("k-0.kafka:9092,k-1.kafka:9092", expect("KAFKA")), ["k-0.kafka:9092", "k-1.kafka:9092"]);
        assert_eq!(hosts("user:secret@tcp(db:3306)/shop", expect("STORE")), ["db:3306"]);
        assert_eq!(hosts("host=db port=5432 dbname=orders", expect("X")), ["db"]);
        assert!(hosts("10.0.0.1:80 1.2.3 12:30 true", Expect::Anything).is_empty());
        assert_eq!(hosts("upstream: api.shop:80\nname: api\nlevel: info", Expect::File), ["api.shop:80"]);
    }

    #[test]
    fn port_names_and_images_tell_the_protocol() {
        assert_eq!(of_port_name("http-metrics").map(|found| found.0), Some("http"));
        assert_eq!(of_port_name("tcp-mysql").map(|found| found.0), Some("mysql"));
        assert_eq!(of_port_name("kubernetes.io/h2c").map(|found| found.0), Some("http"));
        assert_eq!(of_port_name("main"), None);
        assert_eq!(engine_of_image("library/mysql"), Some("mysql"));
        assert_eq!(engine_of_image("prom/mysqld-exporter"), None);
        assert_eq!(engine_of_image("bitnami/redis-exporter"), None);
        assert_eq!(engine_of_image("amazon/dynamodb-local"), Some("http"));
    }
}
