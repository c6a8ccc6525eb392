//! Readers of lock files: real syntax in, packages with their lines out.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::Sources;
use bartizan_supply::scan::scan;
use bartizan_supply::{Found, Origin, Relation, SkipReason};

fn found(files: &[(&str, &str)]) -> (Found, Sources) {
    let files: BTreeMap<String, String> = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let paths: BTreeSet<String> = files.keys().cloned().collect();
    let mut sources = Sources::default();
    let read = |path: &str| files.get(path).map(|text| text.clone().into_bytes()).ok_or_else(|| SkipReason::Unreadable("gone".to_owned()));
    let found = scan(&paths, &read, &mut sources);
    (found, sources)
}

/// `line name@version` and what is special: `direct`, `dev`, `own`, `elsewhere`.
fn packages(files: &[(&str, &str)]) -> Vec<String> {
    let (found, sources) = found(files);
    let mut shown = Vec::new();
    for package in &found.packages {
        let line = sources.start(package.span).line;
        let mut text = format!("{line} {}@{}", package.name, package.version);
        if package.relation == Relation::Direct {
            text.push_str(" direct");
        }
        if package.is_development {
            text.push_str(" dev");
        }
        match &package.origin {
            Origin::Registry => {}
            Origin::Own => text.push_str(" own"),
            Origin::Elsewhere(_) => text.push_str(" elsewhere"),
        }
        shown.push(text);
    }
    for skipped in &found.skipped {
        let line = skipped.span.map_or(0, |span| sources.start(span).line);
        shown.push(format!("{line} skipped {}: {}", skipped.what, skipped.reason));
    }
    shown
}

#[test]
fn cargo_lock_tells_own_packages_git_and_who_is_asked_for() {
    let text = r#"version = 4

[[package]]
name = "app"
version = "0.1.0"
dependencies = [
 "serde",
 "time 0.1.44",
]

[[package]]
name = "fork"
version = "2.0.0"
source = "git+https://example.org/fork?rev=abc#abc"

[[package]]
name = "serde"
version = "1.0.200"
source = "registry+https://github.com/rust-lang/crates.io-index"

[[package]]
name = "time"
version = "0.1.44"
source = "registry+https://github.com/rust-lang/crates.io-index"

[[package]]
name = "time"
version = "0.3.9"
source = "registry+https://github.com/rust-lang/crates.io-index"
"#;
    let expected = ["4 app@0.1.0 own", "12 fork@2.0.0 elsewhere", "17 serde@1.0.200 direct", "22 time@0.1.44 direct", "27 time@0.3.9"];
    assert_eq!(packages(&[("Cargo.lock", text)]), expected);
}

#[test]
fn package_lock_3_tells_aliases_links_repositories_and_nested_copies() {
    let text = r#"{
  "name": "app", "version": "1.0.0", "lockfileVersion": 3,
  "packages": {
    "": {"name": "app", "version": "1.0.0", "dependencies": {"a": "^1", "aliased": "npm:real@^2"}, "devDependencies": {"@s/d": "1"}},
    "node_modules/a": {"version": "1.2.0", "resolved": "https://registry.npmjs.org/a/-/a-1.2.0.tgz"},
    "node_modules/a/node_modules/b": {"version": "0.1.0"},
    "node_modules/aliased": {"name": "real", "version": "2.0.0"},
    "node_modules/b": {"version": "0.2.0", "resolved": "git+ssh://git@example.org/b.git#abc"},
    "node_modules/@s/d": {"version": "1.0.0", "dev": true},
    "node_modules/lib": {"resolved": "packages/lib", "link": true},
    "packages/lib": {"name": "lib", "version": "0.0.1"},
    "node_modules/broken": {"version": 7}
  }
}"#;
    let expected = [
        "4 app@1.0.0 direct own",
        "5 a@1.2.0 direct",
        "6 b@0.1.0",
        "7 real@2.0.0 direct",
        "8 b@0.2.0 elsewhere",
        "9 @s/d@1.0.0 direct dev",
        "11 lib@0.0.1 direct own",
        "12 skipped node_modules/broken: it is not what its format asks for",
    ];
    assert_eq!(packages(&[("package-lock.json", text)]), expected);
}

#[test]
fn package_lock_1_nests_and_npm_shrinkwrap_is_the_same() {
    let text = r#"{"lockfileVersion": 1, "dependencies": {
  "a": {"version": "1.0.0", "requires": {"b": "^2"}, "dependencies": {
    "b": {"version": "2.0.0", "dev": true}}},
  "g": {"version": "git+https://example.org/g.git#0a1"},
  "n": {"version": "npm:other@3.0.0"}
}}"#;
    let expected = [
        "2 a@1.0.0",
        "3 b@2.0.0 dev",
        "5 other@3.0.0",
        "4 skipped g@git+https://example.org/g.git#0a1: `git+https://example.org/g.git#0a1` settles no version",
    ];
    assert_eq!(packages(&[("npm-shrinkwrap.json", text)]), expected);
}

#[test]
fn pnpm_lock_of_each_age() {
    let nine = "lockfileVersion: '9.0'
importers:
  .:
    dependencies:
      react-dom:
        specifier: ^18
        version: 18.2.0(react@18.2.0)
    devDependencies:
      '@types/node':
        specifier: ^20
        version: 20.1.0
packages:
  '@types/node@20.1.0':
    resolution: {integrity: sha512-x}
  react-dom@18.2.0:
    resolution: {integrity: sha512-x}
    peerDependencies:
      react: ^18.2.0
  react@18.2.0:
    resolution: {integrity: sha512-x}
  fork@https://codeload.github.com/o/fork/tar.gz/abc:
    resolution: {tarball: https://codeload.github.com/o/fork/tar.gz/abc}
    version: 1.0.0
snapshots:
  '@types/node@20.1.0': {}
  react-dom@18.2.0(react@18.2.0):
    dependencies:
      react: 18.2.0
  react@18.2.0: {}
";
    let expected = ["13 @types/node@20.1.0 direct dev", "15 react-dom@18.2.0 direct", "19 react@18.2.0", "21 fork@1.0.0 dev elsewhere"];
    assert_eq!(packages(&[("pnpm-lock.yaml", nine)]), expected);
    let six = "lockfileVersion: '6.0'
dependencies:
  a:
    specifier: ^1
    version: 1.0.0(b@2.0.0)
packages:

  /a@1.0.0(b@2.0.0):
    resolution: {integrity: sha512-x}
    dev: false

  /@s/b@2.0.0:
    resolution: {integrity: sha512-x}
    dev: true
";
    assert_eq!(packages(&[("pnpm-lock.yaml", six)]), ["8 a@1.0.0 direct", "12 @s/b@2.0.0 dev"]);
    let five = "lockfileVersion: 5.4
dependencies:
  a: 1.0.0_b@2.0.0
packages:
  /a/1.0.0_b@2.0.0:
    dev: false
  /@s/b/2.0.0:
    dev: true
";
    assert_eq!(packages(&[("pnpm-lock.yaml", five)]), ["5 a@1.0.0 direct", "7 @s/b@2.0.0 dev"]);
    // Other registries stand before the first slash, and the one that everybody uses may be written out.
    let hosts = "lockfileVersion: 5.3
dependencies:
  a: registry.example.org/a/1.0.0
packages:
  registry.example.org/a/1.0.0:
    dev: false
  registry.npmjs.org/@s/b/2.0.0_a@1.0.0:
    dev: true
  git.example.org/o/r/0123abc:
    name: c
    version: 3.0.0
    resolution: {tarball: https://git.example.org/o/r/tar.gz/0123abc}
";
    assert_eq!(packages(&[("pnpm-lock.yaml", hosts)]), ["5 a@1.0.0 direct", "7 @s/b@2.0.0 dev", "9 c@3.0.0 elsewhere"]);
    assert_eq!(
        packages(&[("pnpm-lock.yaml", "lockfileVersion: '12.0'\n")]),
        ["1 skipped pnpm-lock.yaml: version `12.0` of the format is not known"]
    );
}

#[test]
fn pnpm_lock_in_two_documents() {
    let text = "---
lockfileVersion: '9.0'
importers:
  .:
    packageManagerDependencies:
      pnpm:
        specifier: 12.0.0
        version: 12.0.0
packages:
  exe@12.0.0: {}
  pnpm@12.0.0: {}
snapshots:
  pnpm@12.0.0:
    optionalDependencies:
      exe: 12.0.0
---
lockfileVersion: '9.0'
importers:
  .:
    dependencies:
      a:
        specifier: ^1
        version: 1.0.0
packages:
  a@1.0.0: {}
snapshots:
  a@1.0.0: {}
";
    let expected = ["10 exe@12.0.0 dev", "11 pnpm@12.0.0 direct dev", "25 a@1.0.0 direct"];
    assert_eq!(packages(&[("pnpm-lock.yaml", text)]), expected);
}

#[test]
fn yarn_lock_of_both_syntaxes() {
    let one = r#"# yarn lockfile v1


"@babel/core@^7.1.0", "@babel/core@^7.2.0":
  version "7.2.2"
  resolved "https://registry.yarnpkg.com/@babel/core/-/core-7.2.2.tgz#x"
  dependencies:
    lodash "^4"

aliased@npm:lodash@^4:
  version "4.17.21"

fork@git+https://example.org/fork.git:
  "version" "1.0.0"
  "resolved" "git+https://example.org/fork.git#abc"
"#;
    assert_eq!(packages(&[("yarn.lock", one)]), ["4 @babel/core@7.2.2", "10 lodash@4.17.21", "13 fork@1.0.0 elsewhere"]);
    let berry = r#"__metadata:
  version: 6
  cacheKey: 8

"@babel/core@npm:^7.1.0, @babel/core@npm:^7.2.0":
  version: 7.2.2
  resolution: "@babel/core@npm:7.2.2"
  languageName: node
  linkType: hard

"aliased@npm:lodash@^4":
  version: 4.17.21
  resolution: "lodash@npm:4.17.21"

"app@workspace:.":
  version: 0.0.0-use.local
  resolution: "app@workspace:."
"#;
    assert_eq!(packages(&[("yarn.lock", berry)]), ["5 @babel/core@7.2.2", "11 lodash@4.17.21", "15 app@ own"]);
}

#[test]
fn requirements_settle_a_version_with_two_equal_signs_only() {
    let text = "# comment
-r base.txt
--index-url https://pypi.example.org/simple
Django==3.2.0
requests[security] == 2.19.1 ; python_version < '3'  # why
six==1.16.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
flask>=0.12
jinja2
-e git+https://example.org/x.git#egg=x
-e .
./local
pkg @ https://example.org/pkg.whl
wild==1.*
";
    let expected = [
        "4 Django@3.2.0",
        "5 requests@2.19.1",
        "6 six@1.16.0",
        "1 base@1.0",
        "9 skipped flask: `>=0.12` settles no version",
        "10 skipped jinja2: no version is given",
        "11 skipped git+https://example.org/x.git#egg=x: no version is given",
        "14 skipped pkg: `@ https://example.org/pkg.whl` settles no version",
        "15 skipped wild: `==1.*` settles no version",
    ];
    assert_eq!(packages(&[("base.txt", "base==1.0\n-r requirements.txt\n"), ("requirements.txt", text)]), expected);
    assert_eq!(packages(&[("requirements.txt", "-rgone.txt\n--requirement=loop.txt\n"), ("loop.txt", "-r loop.txt\n")]).len(), 2);
    assert_eq!(packages(&[("requirements-dev.txt", "pytest==7.0\n")]), ["1 pytest@7.0 dev"]);
    assert_eq!(packages(&[("requirements/prod.txt", "pytest==7.0\n")]), ["1 pytest@7.0"]);
    assert!(packages(&[("notes.txt", "pytest==7.0\n")]).is_empty());
}

#[test]
fn lock_files_of_python_tell_groups_and_sources() {
    let poetry = r#"[[package]]
name = "requests"
version = "2.19.1"
category = "main"

[[package]]
name = "pytest"
version = "7.0"
groups = ["dev"]

[[package]]
name = "fork"
version = "1.0"
[package.source]
type = "git"
url = "https://example.org/fork.git"
"#;
    assert_eq!(packages(&[("poetry.lock", poetry)]), ["2 requests@2.19.1", "7 pytest@7.0 dev", "12 fork@1.0 elsewhere"]);
    let uv = r#"version = 1
[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [{ name = "flask" }]
[package.dev-dependencies]
dev = [{ name = "pytest" }]
[[package]]
name = "flask"
version = "3.0.0"
source = { registry = "https://pypi.org/simple" }
dependencies = [{ name = "jinja2" }]
[[package]]
name = "jinja2"
version = "3.1.0"
source = { registry = "https://pypi.org/simple" }
[[package]]
name = "pytest"
version = "8.0.0"
source = { registry = "https://pypi.org/simple" }
"#;
    assert_eq!(packages(&[("uv.lock", uv)]), ["3 app@0.1.0 own", "10 flask@3.0.0 direct", "15 jinja2@3.1.0", "19 pytest@8.0.0 direct dev"]);
    let pdm = "[[package]]\nname = \"a\"\nversion = \"1.0\"\ngroups = [\"default\", \"test\"]\n[[package]]\nname = \"b\"\nversion = \"2.0\"\ngroups = [\"test\"]\n";
    assert_eq!(packages(&[("pdm.lock", pdm)]), ["2 a@1.0", "6 b@2.0 dev"]);
    let pipenv = r#"{"default": {
  "requests": {"version": "==2.19.1"},
  "free": {"version": "*"}
}, "develop": {
  "pytest": {"version": "==7.0"}
}, "docs": {
  "sphinx": {"version": "==4.0"}
}}"#;
    let expected = ["2 requests@2.19.1", "5 pytest@7.0 dev", "7 sphinx@4.0", "3 skipped free: `*` settles no version"];
    assert_eq!(packages(&[("Pipfile.lock", pipenv)]), expected);
}

#[test]
fn go_mod_follows_replacements_and_reads_sums_of_old_modules() {
    let text = "module example.com/app
go 1.16
require golang.org/x/text v0.3.0
require (
\tgithub.com/a/b v1.0.0 // indirect
\tgithub.com/c/d v1.0.0
\tgithub.com/local/x v0.0.0
)
replace github.com/c/d v1.0.0 => github.com/fork/d v1.0.1
replace github.com/local/x => ../x
";
    let sum =
        "github.com/e/f v1.0.0 h1:x=\ngithub.com/e/f v1.2.0 h1:x=\ngithub.com/e/f v1.3.0/go.mod h1:x=\ngolang.org/x/text v0.3.0 h1:x=\n";
    let expected = [
        "1 example.com/app@ direct own",
        "3 golang.org/x/text@v0.3.0 direct",
        "5 github.com/a/b@v1.0.0",
        "6 github.com/fork/d@v1.0.1 direct",
        "7 github.com/local/x@ direct own",
        "2 github.com/e/f@v1.2.0",
    ];
    assert_eq!(packages(&[("go.mod", text), ("go.sum", sum)]), expected);
    let newer = text.replace("go 1.16", "go 1.21");
    assert_eq!(packages(&[("go.mod", &newer), ("go.sum", sum)]).len(), 7);
}

#[test]
fn go_mod_tells_the_version_of_the_standard_library() {
    let of = |lines: &str| packages(&[("go.mod", &format!("module a\n{lines}\n"))]).split_off(1);
    assert_eq!(of("go 1.21"), ["2 stdlib@1.21.0 direct", "2 toolchain@1.21.0 direct dev"]);
    assert_eq!(of("go 1.21.3\ntoolchain go1.22.1-vendor"), ["3 stdlib@1.22.1 direct", "3 toolchain@1.22.1 direct dev"]);
    assert_eq!(of("go 1.23rc2\ntoolchain default"), ["2 stdlib@1.23.0-rc.2 direct", "2 toolchain@1.23.0-rc.2 direct dev"]);
    assert_eq!(of("go 1.20"), [""; 0], "before Go 1.21 the line names a language, not what builds the program");
}

#[test]
fn pom_follows_properties_and_parents_inside_the_tree() {
    let parent = "<project><groupId>ex</groupId><artifactId>parent</artifactId><version>1</version>
<properties><yaml.version>1.26</yaml.version></properties>
<dependencyManagement><dependencies>
<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-api</artifactId><version>1.7.30</version></dependency>
</dependencies></dependencyManagement></project>";
    let child = "<project>
<parent><groupId>ex</groupId><artifactId>parent</artifactId><version>1</version></parent>
<artifactId>app</artifactId>
<dependencies>
<dependency><groupId>org.yaml</groupId>
  <artifactId>snakeyaml</artifactId><version>${yaml.version}</version></dependency>
<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-api</artifactId></dependency>
<dependency><groupId>${project.groupId}</groupId><artifactId>lib</artifactId><version>${project.version}</version></dependency>
<dependency><groupId>junit</groupId><artifactId>junit</artifactId><version>[4.12]</version><scope>test</scope></dependency>
<dependency><groupId>a</groupId><artifactId>range</artifactId><version>[1,2)</version></dependency>
<dependency><groupId>a</groupId><artifactId>b</artifactId><version>${unknown}</version></dependency>
<dependency><groupId>a</groupId><artifactId>none</artifactId></dependency>
</dependencies></project>";
    let expected = [
        "3 ex:app@1 own",
        "6 org.yaml:snakeyaml@1.26 direct",
        "7 org.slf4j:slf4j-api@1.7.30 direct",
        "8 ex:lib@1 direct",
        "9 junit:junit@4.12 direct dev",
        "1 ex:parent@1 own",
        "10 skipped a:range: `[1,2)` settles no version",
        "11 skipped a:b: `${unknown}` is settled elsewhere",
        "12 skipped a:none: `the version` is settled elsewhere",
    ];
    assert_eq!(packages(&[("pom.xml", parent), ("app/pom.xml", child)]), expected);
}

#[test]
fn gradle_bundler_and_composer() {
    let gradle = "# comment\norg.yaml:snakeyaml:1.26=runtimeClasspath,testRuntimeClasspath\njunit:junit:4.12=testCompileClasspath\nempty=annotationProcessor\nnonsense\n";
    let expected = ["2 org.yaml:snakeyaml@1.26", "3 junit:junit@4.12 dev", "5 skipped gradle.lockfile: it is not what its format asks for"];
    assert_eq!(packages(&[("gradle.lockfile", gradle)]), expected);
    let bundler = "GIT
  remote: https://example.org/fork.git
  specs:
    fork (1.0.0)
GEM
  remote: https://rubygems.org/
  specs:
    nokogiri (1.13.3-x86_64-linux)
      racc (~> 1.4)
    racc (1.6.0)
PLATFORMS
  x86_64-linux
DEPENDENCIES
  fork!
  nokogiri (~> 1.13)
BUNDLED WITH
   2.3.7
";
    let expected = ["4 fork@1.0.0 direct elsewhere", "8 nokogiri@1.13.3 direct", "10 racc@1.6.0"];
    assert_eq!(packages(&[("Gemfile.lock", bundler)]), expected);
    let old = "---\ndependencies:\n  rack:\n    version: = 1.0.0\n";
    assert_eq!(packages(&[("Gemfile.lock", old)]), ["1 skipped Gemfile.lock: it is not what its format asks for"]);
    let composer = r#"{"packages": [
  {"name": "twig/twig", "version": "v2.4.0"},
  {"name": "a/branch", "version": "dev-main"},
  {"name": "a/list", "version": "dev-main", "type": "metapackage"}],
"packages-dev": [{
  "name": "phpunit/phpunit", "version": "5.6.2"}]}"#;
    let expected = ["2 twig/twig@v2.4.0", "6 phpunit/phpunit@5.6.2 dev", "3 skipped a/branch@dev-main: `dev-main` settles no version"];
    assert_eq!(packages(&[("composer.lock", composer)]), expected);
}

#[test]
fn nuget_reads_locks_old_lists_and_projects_without_a_lock() {
    let lock = r#"{"version": 1, "dependencies": {"net6.0": {
  "Newtonsoft.Json": {"type": "Direct", "resolved": "13.0.1"},
  "System.Memory": {"type": "Transitive", "resolved": "4.5.4"},
  "mine": {"type": "Project"}
}}}"#;
    let expected = ["2 Newtonsoft.Json@13.0.1 direct", "3 System.Memory@4.5.4", "4 mine@ own"];
    assert_eq!(packages(&[("packages.lock.json", lock), ("a.csproj", "<Project><broken")]), expected, "a lock says more than its project");
    let config = "<?xml version=\"1.0\"?>\n<packages>\n  <package id=\"jQuery\" version=\"3.4.1\" />\n  <package id=\"Tool\" version=\"1.0\" developmentDependency=\"true\" />\n</packages>";
    assert_eq!(packages(&[("packages.config", config)]), ["3 jQuery@3.4.1", "4 Tool@1.0 dev"]);
    let project = "<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup><V>1.2.3</V></PropertyGroup><ItemGroup>
<PackageReference Include=\"A\" Version=\"$(V)\" />
<PackageReference Include=\"B\"><Version>[2.0.0]</Version></PackageReference>
<PackageReference Include=\"C\" />
<PackageReference Include=\"D\" Version=\"1.*\" />
<PackageReference Include=\"E\" Version=\"$(Nowhere)\" />
</ItemGroup></Project>";
    let central = "<Project><ItemGroup><PackageVersion Include=\"c\" Version=\"3.0\" /></ItemGroup></Project>";
    let expected = [
        "2 A@1.2.3 direct",
        "3 B@2.0.0 direct",
        "4 C@3.0 direct",
        "5 skipped D: `1.*` settles no version",
        "6 skipped E: `$(Nowhere)` is settled elsewhere",
    ];
    assert_eq!(packages(&[("src/a.csproj", project), ("Directory.Packages.props", central)]), expected);
}

#[test]
fn a_malformed_file_is_told_with_its_line_and_the_others_are_read() {
    let files = [
        ("a/package-lock.json", "{\n  \"lockfileVersion\": 3,\n  \"packages\": [}\n"),
        ("b/Cargo.lock", "[[package]]\nname = \"x\n"),
        ("c/pnpm-lock.yaml", "a: b\nc: }\n"),
        ("d/pom.xml", "<!DOCTYPE x [<!ENTITY e \"v\">]>\n<project/>"),
        ("e/requirements.txt", "a==1\n"),
    ];
    let (found, sources) = found(&files);
    let places: Vec<String> = found
        .diagnostics
        .iter()
        .filter_map(|diagnostic| diagnostic.span)
        .map(|span| format!("{}:{}", sources.path(span), sources.start(span).line))
        .collect();
    assert_eq!(places, ["a/package-lock.json:3", "b/Cargo.lock:2", "c/pnpm-lock.yaml:2", "d/pom.xml:1"]);
    assert_eq!(found.skipped.len(), 4);
    assert_eq!(found.packages.len(), 1);
}

#[test]
fn declarations_without_a_lock_file_are_counted() {
    let files = [
        ("a/package.json", r#"{"dependencies": {"x": "^1"}}"#),
        ("b/package.json", r#"{"name": "tools"}"#),
        ("c/Cargo.toml", "[dependencies]\nx = \"1\"\n"),
        ("c/sub/Cargo.toml", "[dependencies]\n"),
        ("c/Cargo.lock", "version = 4\n"),
        ("d/composer.json", r#"{"require": {"php": ">=8"}}"#),
        ("e/Gemfile", "source 'x'\ngem 'rails'\n"),
    ];
    let (found, _) = found(&files);
    let what: Vec<&str> = found.skipped.iter().map(|skipped| skipped.what.as_str()).collect();
    assert_eq!(what, ["a/package.json", "e/Gemfile"]);
}

#[test]
fn texts_of_windows_shells_are_read() {
    let mut bytes = vec![0xFF, 0xFE];
    bytes.extend("six==1.16.0\r\n".encode_utf16().flat_map(u16::to_le_bytes));
    let paths = BTreeSet::from(["requirements.txt".to_owned(), "requirements-binary.txt".to_owned()]);
    let read = |path: &str| Ok(if path == "requirements.txt" { bytes.clone() } else { vec![0xC0, 0x00] });
    let found = scan(&paths, &read, &mut Sources::default());
    assert_eq!(found.packages.iter().map(|package| package.name.as_str()).collect::<Vec<_>>(), ["six"]);
    assert_eq!(found.skipped.iter().map(|skipped| skipped.what.as_str()).collect::<Vec<_>>(), ["requirements-binary.txt"]);
}

#[test]
fn a_project_file_in_latin_1_is_read_where_it_says_so() {
    let file = |encoding: &str| {
        let head = format!("<?xml version=\"1.0\" encoding='{encoding}'?>\n<project><developers><name>J");
        let tail = "rg</name></developers><dependencies><dependency><groupId>org.example</groupId><artifactId>mail</artifactId><version>1.2</version></dependency></dependencies></project>";
        [head.as_bytes(), &[0xF6], tail.as_bytes()].concat()
    };
    for (encoding, expected) in [("ISO-8859-1", (1, 0)), ("utf-8", (0, 1))] {
        let read = |_: &str| Ok(file(encoding));
        let found = scan(&BTreeSet::from(["pom.xml".to_owned()]), &read, &mut Sources::default());
        assert_eq!((found.packages.iter().filter(|package| package.origin == Origin::Registry).count(), found.skipped.len()), expected);
    }
}
