//! Images, built here byte by byte: layers on top of each other, what is kept of them, and what is refused.

use std::io::Write as _;
use std::sync::Arc;

use bartizan_model::Sources;
use bartizan_supply::image::{Platform, scan_image_bytes};
use bartizan_supply::{Found, Origin};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use tar::{EntryType, Header};

/// An entry of a layer.
#[derive(Clone)]
enum Of<'a> {
    File(&'a [u8]),
    Symlink(&'a str),
    Hardlink(&'a str),
    Device,
    Folder,
}

fn text(text: &str) -> Of<'_> {
    Of::File(text.as_bytes())
}

/// A tar archive; paths and targets are written as they are, which the builder of the library refuses for hostile ones.
fn tar_of(entries: &[(&str, Of<'_>)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (path, of) in entries {
        let mut header = Header::new_gnu();
        let (kind, target, data) = match of {
            Of::File(data) => (EntryType::Regular, "", *data),
            Of::Symlink(target) => (EntryType::Symlink, *target, &[][..]),
            Of::Hardlink(target) => (EntryType::Link, *target, &[][..]),
            Of::Device => (EntryType::Char, "", &[][..]),
            Of::Folder => (EntryType::Directory, "", &[][..]),
        };
        let fields = header.as_old_mut();
        fields.name.iter_mut().zip(path.bytes()).for_each(|(to, byte)| *to = byte);
        fields.linkname.iter_mut().zip(target.bytes()).for_each(|(to, byte)| *to = byte);
        header.set_entry_type(kind);
        header.set_size(data.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(data);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{:x}", Sha256::digest(bytes))
}

/// A layer: a tar archive, and how it lies in the image.
type Layer = (Vec<u8>, Vec<u8>);

fn layer(entries: &[(&str, Of<'_>)]) -> Layer {
    let archive = tar_of(entries);
    let blob = gzip(&archive);
    (archive, blob)
}

/// The parts of an OCI layout.
struct Layout {
    files: Vec<(String, Vec<u8>)>,
    manifests: Vec<String>,
}

impl Layout {
    fn new() -> Self {
        Self { files: vec![("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec())], manifests: Vec::new() }
    }

    fn blob(&mut self, bytes: Vec<u8>) -> String {
        let digest = digest(&bytes);
        self.files.push((format!("blobs/{}", digest.replace(':', "/")), bytes));
        digest
    }

    /// Adds an image for a platform such as `linux/amd64`.
    fn image(mut self, platform: &str, layers: &[Layer]) -> Self {
        let (os, architecture) = platform.split_once('/').unwrap();
        let ids: Vec<String> = layers.iter().map(|(archive, _)| format!("\"{}\"", digest(archive))).collect();
        let history: Vec<String> = (0..layers.len()).map(|index| format!("{{\"created_by\":\"RUN step {index}\"}}")).collect();
        let config = self.blob(
            format!(
                r#"{{"os":"{os}","architecture":"{architecture}","config":{{"User":"app"}},"rootfs":{{"type":"layers","diff_ids":[{}]}},"history":[{{"created_by":"ENV A=1","empty_layer":true}},{}]}}"#,
                ids.join(","),
                history.join(",")
            )
            .into_bytes(),
        );
        let blobs: Vec<String> = layers.iter().map(|(_, blob)| format!(r#"{{"digest":"{}"}}"#, self.blob(blob.clone()))).collect();
        let manifest = self.blob(format!(r#"{{"config":{{"digest":"{config}"}},"layers":[{}]}}"#, blobs.join(",")).into_bytes());
        self.manifests.push(format!(r#"{{"digest":"{manifest}","platform":{{"os":"{os}","architecture":"{architecture}"}}}}"#));
        self
    }

    fn index(&self) -> String {
        format!(r#"{{"manifests":[{}]}}"#, self.manifests.join(","))
    }

    fn archive(mut self) -> Vec<u8> {
        self.files.push(("index.json".to_owned(), self.index().into_bytes()));
        let entries: Vec<(&str, Of<'_>)> = self.files.iter().map(|(path, bytes)| (path.as_str(), Of::File(bytes))).collect();
        tar_of(&entries)
    }
}

fn scan(archive: Vec<u8>) -> Result<(Found, Sources), String> {
    let mut sources = Sources::default();
    let found = scan_image_bytes("app.tar", Arc::from(archive), None, &mut sources).map_err(|error| error.to_string())?;
    Ok((found, sources))
}

/// `name@version path:line layer`, and what was refused.
fn shown(archive: Vec<u8>) -> Vec<String> {
    let (found, sources) = match scan(archive) {
        Ok(read) => read,
        Err(error) => return vec![format!("error {error}")],
    };
    let layers: Vec<&str> = found.images.iter().flat_map(|image| &image.layers).map(|layer| layer.digest.as_str()).collect();
    let mut lines = Vec::new();
    for package in &found.packages {
        let layer = layers.iter().position(|layer| Some(*layer) == package.layer.as_deref()).unwrap();
        let place = format!("{}:{}", sources.path(package.span), sources.start(package.span).line);
        let own = if package.origin == Origin::Own { " own" } else { "" };
        lines.push(format!("{}@{} {} {layer}{own}", package.name, package.version, place.trim_start_matches("app.tar!/")));
    }
    lines.extend(found.skipped.iter().map(|skipped| format!("skipped {}: {}", skipped.what, skipped.reason)));
    lines
}

fn one(layers: &[Layer]) -> Vec<u8> {
    Layout::new().image("linux/amd64", layers).archive()
}

const OS: &str = "ID=debian\nVERSION_ID=12\nPRETTY_NAME=\"Debian 12\"\n";
const STATUS: &str = "var/lib/dpkg/status";

fn paragraph(name: &str, version: &str) -> String {
    format!("Package: {name}\nStatus: install ok installed\nVersion: {version}\nDescription: x\n Package: no\n\n")
}

#[test]
fn a_package_has_the_layer_that_brought_its_version() {
    let (first, second) = (paragraph("a", "1") + &paragraph("b", "1"), paragraph("a", "1") + &paragraph("b", "2") + &paragraph("c", "1"));
    let third = paragraph("b", "2") + &paragraph("c", "1") + "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n";
    let archive = one(&[
        layer(&[("etc/os-release", text(OS)), (STATUS, text(&first))]),
        layer(&[(STATUS, text(&second))]),
        layer(&[("unrelated", text("x"))]),
        layer(&[(STATUS, text(&third))]),
    ]);
    assert_eq!(shown(archive.clone()), ["b@2 var/lib/dpkg/status:1 1", "c@1 var/lib/dpkg/status:7 1"]);
    let (found, _) = scan(archive).unwrap();
    let [image] = found.images.as_slice() else { panic!("one image") };
    assert_eq!((image.platform.as_str(), image.distribution.as_str(), image.user.as_str()), ("linux/amd64", "Debian 12", "app"));
    assert_eq!(image.layers[1].created_by.as_deref(), Some("RUN step 1"));
    assert!(found.packages.iter().all(|package| package.ecosystem.to_string() == "Debian:12"));
}

#[test]
fn source_packages_are_told() {
    let status = "Package: libssl3\nSource: openssl (3.0.1)\nVersion: 3.0.1+b1\n\nPackage: libc6\nSource: glibc\nVersion: 2.36\n\n";
    let apk = "P:libssl3\nV:3.3.1-r0\no:openssl\n\nP:zlib\nV:1.3-r0\no:zlib\n\n";
    let archive = one(&[layer(&[(STATUS, text(status)), ("lib/apk/db/installed", text(apk))])]);
    let (found, _) = scan(archive).unwrap();
    let sources: Vec<String> = found
        .packages
        .iter()
        .map(|package| format!("{} {:?}", package.name, package.source.as_ref().map(|source| (&*source.name, &*source.version))))
        .collect();
    assert_eq!(
        sources,
        [
            r#"libssl3 Some(("openssl", "3.0.1"))"#,
            r#"libc6 Some(("glibc", "2.36"))"#,
            r#"libssl3 Some(("openssl", "3.3.1-r0"))"#,
            "zlib None"
        ]
    );
}

#[test]
fn what_an_upper_layer_takes_away_is_not_there() {
    let package = |name: &str| format!(r#"{{"name":"{name}","version":"1.0.0"}}"#);
    let (a, b, c) = (package("a"), package("b"), package("c"));
    let archive = one(&[
        layer(&[
            ("app/node_modules/a/package.json", text(&a)),
            ("app/node_modules/b/package.json", text(&b)),
            ("lib/node_modules/c/package.json", text(&c)),
        ]),
        // Moved: gone in one place, there in another.
        layer(&[
            ("app/node_modules/.wh.a", text("")),
            ("lib/.wh..wh..opq", text("")),
            ("lib/node_modules/a/package.json", text(&a)),
            ("lib/.wh..wh.plnk", text("")),
        ]),
    ]);
    assert_eq!(shown(archive), ["b@1.0.0 app/node_modules/b/package.json:1 0", "a@1.0.0 lib/node_modules/a/package.json:1 1"]);
}

#[test]
fn links_lead_to_records_inside_of_the_image_only() {
    let status = paragraph("a", "1");
    let archive = one(&[layer(&[
        ("srv/records", text(&status)),
        ("var/lib/dpkg", Of::Symlink("../../../../../srv/dpkg")),
        ("srv/dpkg/status", Of::Hardlink("srv/records")),
        ("etc/os-release", Of::Symlink("/usr/lib/os-release")),
        ("usr", Of::Folder),
        ("usr/lib/os-release", text(OS)),
        ("etc/x", Of::Symlink("x")),
    ])]);
    let (found, _) = scan(archive).unwrap();
    assert_eq!(found.packages.iter().map(|package| package.ecosystem.to_string()).collect::<Vec<_>>(), ["Debian:12"]);
    assert!(found.skipped.is_empty(), "{:?}", found.skipped);
}

#[test]
fn what_the_distribution_owns_is_its_package_alone() {
    let metadata = |name: &str| format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n\nVersion: 9\n");
    let (owned, own) = (metadata("six"), metadata("Flask"));
    let folder = "usr/lib/python3/dist-packages";
    let list = format!("/.\n/{folder}/six-1.0.dist-info/METADATA\n");
    let status = paragraph("python3-six", "1.0-1");
    let archive = one(&[layer(&[
        (STATUS, text(&status)),
        ("var/lib/dpkg/info/python3-six.list", text(&list)),
        (&format!("{folder}/six-1.0.dist-info/METADATA"), text(&owned)),
        (&format!("{folder}/Flask-1.0.dist-info/METADATA"), text(&own)),
    ])]);
    assert_eq!(
        shown(archive),
        ["python3-six@1.0-1 var/lib/dpkg/status:1 0", "Flask@1.0 usr/lib/python3/dist-packages/Flask-1.0.dist-info/METADATA:2 0"]
    );
}

#[test]
fn lock_files_count_where_nothing_of_them_is_installed() {
    let lock = r#"{"lockfileVersion":3,"packages":{"":{},"node_modules/a":{"version":"1.0.0"},"node_modules/b":{"version":"1.0.0"}}}"#;
    let installed = r#"{"name":"a","version":"1.0.0"}"#;
    let archive = one(&[layer(&[
        ("app/package-lock.json", text(lock)),
        ("app/node_modules/a/package.json", text(installed)),
        ("bundled/package-lock.json", text(lock)),
        ("app/node_modules/a/yarn.lock", text("c@1:\n  version \"1.0.0\"\n")),
        ("bundled/package.json", text(r#"{"name":"bundled","version":"0.1.0","dependencies":{"a":"1"}}"#)),
    ])]);
    assert_eq!(
        shown(archive),
        [
            "a@1.0.0 app/node_modules/a/package.json:1 0",
            "bundled@0.1.0 bundled/package.json:1 0 own",
            "a@1.0.0 bundled/package-lock.json:1 0",
            "b@1.0.0 bundled/package-lock.json:1 0",
        ]
    );
}

#[test]
fn packages_of_all_languages_are_read_where_they_are_installed() {
    let archive = one(&[layer(&[
        (
            "gems/specifications/rack-2.2.3.gemspec",
            text("Gem::Specification.new do |s|\n  s.name = \"rack\".freeze\n  s.version = \"2.2.3\"\n"),
        ),
        ("app/vendor/composer/installed.json", text(r#"{"packages":[{"name":"twig/twig","version":"v2.4.0"}],"dev-package-names":[]}"#)),
        ("app/a.deps.json", text(r#"{"libraries":{"Json/12.0.1":{"type":"package"},"app/1.0.0":{"type":"project"}}}"#)),
        ("x/b.egg-info/PKG-INFO", text("Name: b\nVersion: 2\n")),
    ])]);
    assert_eq!(
        shown(archive),
        [
            "Json@12.0.1 app/a.deps.json:1 0",
            "app@1.0.0 app/a.deps.json:1 0 own",
            "twig/twig@v2.4.0 app/vendor/composer/installed.json:1 0",
            "rack@2.2.3 gems/specifications/rack-2.2.3.gemspec:2 0",
            "b@2 x/b.egg-info/PKG-INFO:1 0",
        ]
    );
}

#[test]
fn an_image_for_several_platforms_is_read_for_one() {
    let image = |name: &str| [layer(&[(STATUS, text(&paragraph(name, "1")))])];
    let both = Layout::new().image("linux/arm64", &image("arm")).image("linux/amd64", &image("amd")).archive();
    assert_eq!(shown(both.clone()), ["amd@1 var/lib/dpkg/status:1 0"]);
    let arm: Platform = "linux/arm64".parse().unwrap();
    let found = scan_image_bytes("app.tar", Arc::from(both.clone()), Some(&arm), &mut Sources::default()).unwrap();
    assert_eq!(found.packages[0].name, "arm");
    let other: Platform = "windows/amd64".parse().unwrap();
    let error = scan_image_bytes("app.tar", Arc::from(both), Some(&other), &mut Sources::default()).unwrap_err();
    assert_eq!(error.to_string(), "the image has nothing for windows/amd64; it has linux/amd64, linux/arm64");
    let only = Layout::new().image("linux/arm64", &image("arm")).archive();
    assert_eq!(shown(only), ["arm@1 var/lib/dpkg/status:1 0"]);
}

#[test]
fn what_docker_saves_is_read_in_its_old_form() {
    let status = paragraph("a", "1");
    let archive = tar_of(&[(STATUS, text(&status))]);
    let config = format!(r#"{{"os":"linux","architecture":"amd64","rootfs":{{"diff_ids":["{0}","{0}"]}}}}"#, digest(&archive));
    let manifest = r#"[{"Config":"config.json","RepoTags":["app:1"],"Layers":["x/layer.tar","y/layer.tar"]}]"#;
    let saved = tar_of(&[
        ("x/layer.tar", Of::File(&archive)),
        ("y/layer.tar", Of::Symlink("../x/layer.tar")),
        ("config.json", text(&config)),
        ("manifest.json", text(manifest)),
    ]);
    assert_eq!(shown(saved.clone()), ["a@1 var/lib/dpkg/status:1 0"]);
    assert_eq!(scan(saved).unwrap().0.images[0].tags, ["app:1"]);
}

#[test]
fn what_is_not_what_its_digest_says_is_refused() {
    let mut changed = layer(&[(STATUS, text(&paragraph("a", "1")))]);
    let mut layout = Layout::new().image("linux/amd64", &[changed.clone()]);
    changed.1 = gzip(&tar_of(&[(STATUS, text(&paragraph("b", "1")))]));
    let (path, bytes) = layout.files.iter_mut().find(|(_, bytes)| bytes.starts_with(&[0x1f, 0x8b])).unwrap();
    *bytes = changed.1;
    let expected = format!("error `{path}` of the image: its content has another digest");
    assert_eq!(shown(layout.archive()), [expected]);
    let mut layout = Layout::new().image("linux/amd64", &[]);
    for (path, bytes) in &mut layout.files {
        if path.starts_with("blobs/") {
            bytes.push(b' ');
        }
    }
    assert!(shown(layout.archive())[0].contains("its content has another digest"));
}

#[test]
fn hostile_paths_are_told_and_not_followed() {
    let archive = one(&[layer(&[
        ("/var/lib/dpkg/status", text(&paragraph("absolute", "1"))),
        ("../../var/lib/dpkg/status", text(&paragraph("above", "1"))),
        ("var/lib/dpkg/status", Of::Device),
        ("app/package.json", Of::Hardlink("../../etc/shadow")),
        ("dev/null", Of::Device),
        ("var/lib/loop", Of::Symlink("loop")),
        ("lib/apk/db/installed", text("P:a\nV:1-r0\n\n")),
    ])]);
    assert_eq!(
        shown(archive),
        [
            "a@1-r0 lib/apk/db/installed:1 0",
            "skipped app.tar!//var/lib/dpkg/status: it cannot be read: its path is absolute or leads out of the image",
            "skipped app.tar!/../../var/lib/dpkg/status: it cannot be read: its path is absolute or leads out of the image",
            "skipped app.tar!/var/lib/dpkg/status: it cannot be read: it is a device or a pipe",
            "skipped app.tar!/app/package.json: it cannot be read: it is a link that leads out of the image",
        ]
    );
}

#[test]
fn bombs_and_endless_indexes_are_refused() {
    // Two gigabytes of zeros in two megabytes; what follows the archive counts as well.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&tar_of(&[])).unwrap();
    for _ in 0..1100 {
        encoder.write_all(&vec![0; 1 << 20]).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(shown(one(&[(Vec::new(), bomb)]))[0].ends_with("it grows out of proportion"));

    let mut layout = Layout::new();
    let mut digest = layout.blob(br#"{"manifests":[]}"#.to_vec());
    let index = |digest: &str| format!(r#"{{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"{digest}"}}"#);
    for _ in 0..6 {
        digest = layout.blob(format!(r#"{{"manifests":[{}]}}"#, index(&digest)).into_bytes());
    }
    layout.manifests = vec![index(&digest)];
    assert_eq!(shown(layout.archive()), ["error `index.json` of the image: indexes lie too deep in indexes"]);

    let mut layout = Layout::new();
    layout.manifests = vec![r#"{"digest":"sha256:x","mediaType":"text/plain"}"#.to_owned(); 1001];
    assert_eq!(shown(layout.archive()), ["error `index.json` of the image: it names more than 1000 manifests"]);
}

#[test]
fn a_name_of_any_length_is_no_way_to_fill_the_memory() {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..13].copy_from_slice(b"././@LongLink");
    header.set_entry_type(EntryType::GNULongName);
    header.set_size(1 << 40);
    header.set_cksum();
    let mut archive = header.as_bytes().to_vec();
    archive.resize(1 << 20, b'a');
    let blob = gzip(&archive);
    assert!(shown(one(&[(archive, blob)]))[0].ends_with("a name is too long"));
}

#[test]
fn what_is_no_image_says_what_would_be_one() {
    let no_image = shown(tar_of(&[("readme.txt", text("x"))]));
    assert_eq!(
        no_image,
        ["error `app.tar` is no image: it has neither `index.json` nor `manifest.json`; `docker save` and `skopeo copy` write images"]
    );
    assert!(shown(gzip(&one(&[])))[0].contains("it is compressed as a whole"));
    let whole = one(&[layer(&[(STATUS, text(&paragraph("a", "1")))])]);
    let index = whole.windows(10).rposition(|bytes| bytes == b"index.json").unwrap();
    let cut = "error `app.tar` is no image: it ends in the middle of `index.json`, so it was not written or copied as a whole";
    assert_eq!(shown(whole[..index + 520].to_vec()), [cut]);
}

#[test]
fn layers_that_are_no_archives_say_so_without_their_bytes() {
    let of = |blob: &[u8]| shown(one(&[(Vec::new(), blob.to_vec())])).remove(0);
    assert!(of(b"BZh91AY&SY").ends_with("which images do not use; gzip and zstd are read"));
    assert!(of(b"\xfd7zXZ\0\0\x04").ends_with("which images do not use; gzip and zstd are read"));
    let garbage = of(&[b"\x1b[2J".repeat(200), vec![0; 512]].concat());
    assert!(garbage.starts_with("error `blobs/sha256/") && !garbage.contains(char::is_control), "{garbage:?}");
    // A frame of Zstandard with a window of 128 MiB.
    assert!(of(&[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88, 0x01, 0x00, 0x00]).contains("window"));
}

#[test]
fn archives_of_a_repository_are_opened_in_memory() {
    let zip_of = |entries: &[(&str, &[u8])]| {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (path, bytes) in entries {
            zip.start_file(*path, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    };
    let jar =
        zip_of(&[("META-INF/maven/g/a/pom.properties", b"groupId=g\nartifactId=a\nversion=1.0\n"), ("META-INF/MANIFEST.MF", b"A: b\n")]);
    let bundle = zip_of(&[("META-INF/MANIFEST.MF", b"Bundle-SymbolicName: org.example.tool;singleton:=t\n rue\nBundle-Version: 9\n")]);
    let war = zip_of(&[
        ("WEB-INF/lib/a.jar", &jar),
        ("WEB-INF/lib/tool-2.1.jar", &bundle),
        ("META-INF/MANIFEST.MF", b"Implementation-Vendor-Id: own\n"),
    ]);
    let layer = zip_of(&[
        ("python/lib/python3.12/site-packages/idna-3.3.dist-info/METADATA", b"Name: idna\nVersion: 3.3\n"),
        ("nodejs/node_modules/ms/package.json", br#"{"name":"ms","version":"2.0.0"}"#),
        ("nodejs/package-lock.json", br#"{"lockfileVersion":3,"packages":{"node_modules/dev":{"version":"1.0.0","dev":true}}}"#),
        ("java/lib/service.war", &war),
        ("../../escape/METADATA", b"Name: x\n"),
    ]);
    let broken = b"PK\x03\x04".to_vec();
    let files = std::collections::BTreeMap::from([("layer.zip".to_owned(), layer), ("broken.jar".to_owned(), broken)]);
    let paths = files.keys().cloned().collect();
    let read = |path: &str| files.get(path).cloned().ok_or_else(|| bartizan_supply::SkipReason::Unreadable("gone".to_owned()));
    let mut sources = Sources::default();
    let found = bartizan_supply::scan::scan(&paths, &read, &mut sources);
    let mut lines: Vec<String> =
        found.packages.iter().map(|package| format!("{}@{} {}", package.name, package.version, sources.path(package.span))).collect();
    lines.extend(found.skipped.iter().map(|skipped| format!("skipped {}", skipped.what)));
    assert_eq!(
        lines,
        [
            "g:a@1.0 layer.zip!/java/lib/service.war!/WEB-INF/lib/a.jar!/META-INF/maven/g/a/pom.properties",
            "org.example:tool@2.1 layer.zip!/java/lib/service.war!/WEB-INF/lib/tool-2.1.jar!/META-INF/MANIFEST.MF",
            "ms@2.0.0 layer.zip!/nodejs/node_modules/ms/package.json",
            "idna@3.3 layer.zip!/python/lib/python3.12/site-packages/idna-3.3.dist-info/METADATA",
            "skipped broken.jar",
            "skipped layer.zip!/4",
            "skipped layer.zip!/java/lib/service.war",
        ]
    );
}

#[test]
fn rpms_database_is_read_with_its_log_wherever_both_come_from() {
    let database = Of::File(include_bytes!("data/rpm/rpmdb.sqlite"));
    let journal = Of::File(include_bytes!("data/rpm/rpmdb.sqlite-wal"));
    let link = ("var/lib/rpm", Of::Symlink("../../usr/lib/sysimage/rpm"));
    let path = "usr/lib/sysimage/rpm/rpmdb.sqlite";
    let log = "usr/lib/sysimage/rpm/rpmdb.sqlite-wal";
    let lower = layer(&[link, (path, database.clone())]);
    let with_log = [format!("kept@1.0-1.amzn2 {path}!/packages:1 0"), format!("added@2.0-1.amzn2 {path}!/packages:2 1")];
    let large = format!("large@3.0-1.amzn2 {path}!/packages:3 1");
    let without = [format!("kept@1.0-1.amzn2 {path}!/packages:1 0"), format!("gone@1.0-1.amzn2 {path}!/packages:2 0")];
    let whiteout = "usr/lib/sysimage/rpm/.wh.rpmdb.sqlite-wal";
    let (upper, gone, empty) = (layer(&[(log, journal.clone())]), layer(&[(whiteout, text(""))]), layer(&[(log, text(""))]));
    assert_eq!(shown(one(&[lower.clone(), upper.clone()])), [&with_log[..], &[large]].concat());
    assert_eq!(shown(one(&[lower.clone(), upper.clone(), gone])), without);
    assert_eq!(shown(one(&[lower.clone(), upper, empty])), without);
    // What only the log makes whole is not said to be damaged, and what stays damaged is said once.
    let half: &[u8] = &include_bytes!("data/rpm/rpmdb.sqlite")[..512];
    let read = shown(one(&[layer(&[(path, Of::File(half)), (log, journal)])]));
    assert!(read.iter().all(|line| !line.starts_with("skipped")), "{read:?}");
    assert_eq!(read.len(), 3);
    assert_eq!(shown(one(&[layer(&[(path, Of::File(half))])])), [format!("skipped app.tar!/{path}: it cannot be read: page 2 is damaged")]);
}
