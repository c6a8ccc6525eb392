//! Images of a registry: one on loopback that asks for a token, moves its layers elsewhere and can lie.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use sha2::{Digest as _, Sha256};

use super::{folder, text};

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

fn layer(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append_data(&mut header, path, content.as_bytes()).expect("an entry");
    }
    builder.into_inner().expect("an archive")
}

/// Answers by path, and which paths were asked for.
struct Registry {
    host: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Registry {
    /// Serves `shop/orders:1.2` for two platforms; only `user:secret` gets a token.
    fn start(layer: &[u8], sent: &[u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let host = listener.local_addr().expect("an address").to_string();
        let config = format!(
            r#"{{"os":"linux","architecture":"amd64","config":{{"User":"app"}},"rootfs":{{"type":"layers","diff_ids":["{}"]}}}}"#,
            digest(layer)
        );
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{}","size":{}}},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{}","size":{}}}]}}"#,
            digest(config.as_bytes()),
            config.len(),
            digest(layer),
            layer.len()
        );
        let of = |manifest: &str, architecture: &str| {
            format!(
                r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{}","size":1,"platform":{{"os":"linux","architecture":"{architecture}"}}}}"#,
                digest(manifest.as_bytes())
            )
        };
        let index = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{},{}]}}"#,
            of("another", "arm64"),
            of(&manifest, "amd64")
        );
        let base = "/v2/shop/orders";
        let answers: Vec<(String, Vec<u8>)> = vec![
            (format!("{base}/manifests/1.2"), index.into_bytes()),
            (format!("{base}/manifests/{}", digest(manifest.as_bytes())), manifest.into_bytes()),
            (format!("{base}/blobs/{}", digest(config.as_bytes())), config.into_bytes()),
            ("/elsewhere".to_owned(), sent.to_vec()),
        ];
        let moved = format!("{base}/blobs/{}", digest(layer));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let own = host.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = serve(stream, &own, &answers, &moved, &log);
            }
        });
        Self { host, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("the log").clone()
    }
}

/// One request for each connection.
fn serve(mut stream: TcpStream, host: &str, answers: &[(String, Vec<u8>)], moved: &str, log: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    let target = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut authorization = String::new();
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("authorization")) {
            authorization = format!("{name}:{}", value.trim());
        }
    }
    let path = target.split('?').next().unwrap_or_default();
    log.lock().expect("the log").push(path.to_owned());
    // Base64 of `user:secret`.
    let has_password = authorization.ends_with("Basic dXNlcjpzZWNyZXQ=");
    let (status, header, body): (&str, String, &[u8]) = match path {
        "/token" if has_password => ("200 OK", String::new(), br#"{"token":"opened"}"#),
        "/token" => ("401 Unauthorized", String::new(), b"wrong user or password"),
        "/elsewhere" => ("200 OK", String::new(), answers.iter().find(|(known, _)| known == path).map_or(b"", |(_, body)| body)),
        _ if !authorization.ends_with("Bearer opened") => {
            ("401 Unauthorized", format!("www-authenticate: Bearer realm=\"http://{host}/token\",service=\"test\"\r\n"), b"{}")
        }
        path if path == moved => ("307 Temporary Redirect", format!("location: http://{host}/elsewhere\r\n"), b""),
        path => match answers.iter().find(|(known, _)| known == path) {
            Some((_, body)) => ("200 OK", String::new(), body),
            None => ("404 Not Found", String::new(), br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#),
        },
    };
    write!(stream, "HTTP/1.1 {status}\r\n{header}content-length: {}\r\nconnection: close\r\n\r\n", body.len())?;
    stream.write_all(body)
}

const ADVISORY: &str = r#"{"id": "GHSA-aaaa-bbbb-cccc", "modified": "2026-01-01T00:00:00Z", "aliases": ["CVE-2026-1"], "summary": "A request may read any file",
 "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
 "affected": [{"package": {"ecosystem": "PyPI", "name": "webframe"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.1"}]}]}]}"#;
const INSTALLED: &[(&str, &str)] =
    &[("usr/lib/python3/site-packages/webframe-2.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: webframe\nVersion: 2.0\n")];

/// Runs with what `docker login` left for a registry.
fn run(here: &Path, login: Option<(&str, &str)>, arguments: &[&str]) -> Output {
    let docker = here.join("docker");
    std::fs::create_dir_all(&docker).expect("a folder");
    let config = login.map_or("{}".to_owned(), |(host, auth)| format!(r#"{{"auths":{{"{host}":{{"auth":"{auth}"}}}}}}"#));
    std::fs::write(docker.join("config.json"), config).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_bartizan"));
    for name in
        ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR"]
    {
        command.env_remove(name);
    }
    command.args(arguments).current_dir(here).env("DOCKER_CONFIG", &docker).output().expect("the program runs")
}

fn prepared(name: &str) -> std::path::PathBuf {
    let here = folder(name);
    std::fs::write(here.join("advisory.json"), ADVISORY).expect("a file");
    let output = run(&here, None, &["db", "update", "advisory.json", "--database", "a.db"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    here
}

#[test]
fn an_image_is_read_from_its_registry_with_the_credentials_of_docker() {
    let here = prepared("registry");
    let layer = layer(INSTALLED);
    let registry = Registry::start(&layer, &layer);
    let image = format!("{}/shop/orders:1.2", registry.host);
    let output = run(&here, Some((&registry.host, "dXNlcjpzZWNyZXQ=")), &["scan", "--image", &image, "--database", "a.db"]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{shown}{}", text(&output.stderr));
    let place = format!("{image}!/usr/lib/python3/site-packages/webframe-2.0.dist-info/METADATA:2");
    assert!(shown.contains("critical  CVE-2026-1  webframe 2.0, mended in 2.1") && shown.contains(&place), "{shown}");
    assert!(shown.contains(&format!("{image}: no distribution, linux/amd64, 1 layer, runs as app")), "{shown}");
    let manifests = registry.asked().iter().filter(|path| path.contains("/manifests/")).count();
    assert_eq!(manifests, 2, "registries count what is asked for: {:?}", registry.asked());
}

#[test]
fn an_image_that_is_not_handed_out_is_told_and_counted() {
    let here = prepared("registry-refuses");
    let layer = layer(INSTALLED);
    let registry = Registry::start(&layer, b"something else");
    let image = |tag: &str| format!("{}/shop/orders:{tag}", registry.host);
    let login = Some((registry.host.as_str(), "dXNlcjpzZWNyZXQ="));
    let wrong = Some((registry.host.as_str(), "dXNlcjp3cm9uZw=="));
    let nowhere = "127.0.0.1:1/shop/orders:1.2".to_owned();
    for (login, image, told) in [
        (None, image("1.2"), "; `docker login 127.0.0.1:"),
        (wrong, image("1.2"), "Not authorized"),
        (login, image("1.3"), "manifest unknown"),
        (login, image("1.2"), "of the image: "),
        (None, nowhere, "cannot read `127.0.0.1:1/shop/orders:1.2`: error sending request"),
    ] {
        let output = run(&here, login, &["scan", "--image", &image, "--database", "a.db"]);
        let errors = text(&output.stderr);
        assert_eq!((output.status.code(), errors.contains(told)), (Some(4), true), "{image}: {errors}{}", text(&output.stdout));
    }
    let output = run(&here, login, &["scan", "--image", &image("1.2"), "--platform", "linux/s390x", "--database", "a.db"]);
    assert!(
        text(&output.stderr).contains("the image has nothing for linux/s390x; it has linux/amd64, linux/arm64"),
        "{}",
        text(&output.stderr)
    );
    let output = run(&here, login, &["scan", "--image", "no such file.tar", "--database", "a.db"]);
    assert_eq!((output.status.code(), text(&output.stderr).contains("there is no such file")), (Some(2), true), "{}", text(&output.stderr));
}

#[test]
fn a_review_pulls_what_the_plan_names_and_joins_it_to_the_workload() {
    let here = prepared("registry-review");
    let layer = layer(INSTALLED);
    let registry = Registry::start(&layer, &layer);
    let image = format!("{}/shop/orders:1.2", registry.host);
    let manifest = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: orders\nspec:\n  selector:\n    matchLabels: {{app: orders}}\n  template:\n    metadata:\n      labels: {{app: orders}}\n    spec:\n      containers:\n        - name: orders\n          image: {image}\n"
    );
    std::fs::write(here.join("orders.yaml"), manifest).expect("a file");
    let login = Some((registry.host.as_str(), "dXNlcjpzZWNyZXQ="));
    for (arguments, is_asked) in [(&["review", "orders.yaml", "--pull"][..], true), (&["review", "orders.yaml"], false)] {
        let before = registry.asked().len();
        let output = run(&here, login, &[arguments, &["--database", "a.db", "--format", "json"]].concat());
        let review: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let threats = review["threats"].as_array().expect("threats").iter();
        let raised: Vec<&str> =
            threats.filter_map(|threat| threat["rule"].as_str()).filter(|rule| rule.starts_with("dependency-v")).collect();
        assert_eq!(raised, if is_asked { vec!["dependency-vulnerable"] } else { Vec::new() });
        assert_eq!(registry.asked().len() > before, is_asked, "nobody is asked unless it is wished");
    }
    // The register keeps the packages of the image, and watching pulls it again.
    let record = ["record", "orders.yaml", "--pull", "--system", "shop", "--database", "a.db", "--register", "r.sqlite"];
    let output = run(&here, login, &record);
    assert!(text(&output.stdout).contains("open vulnerabilities: 1 critical"), "{}{}", text(&output.stdout), text(&output.stderr));
    let output = run(&here, login, &["register", "vulnerabilities", "--register", "r.sqlite"]);
    assert!(text(&output.stdout).contains("; shipped by "), "{}", text(&output.stdout));
    let before = registry.asked().len();
    let output = run(&here, login, &["watch", "--once", "--database", "a.db", "--register", "r.sqlite"]);
    assert!(text(&output.stdout).contains("nothing has changed"), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(registry.asked().len() > before);
}
