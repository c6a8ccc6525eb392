//! The file system: what is listed, and what nothing may read.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use bartizan_import::{Tree, load};

/// A fresh folder for one test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // A folder of an earlier run may hold other files.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn paths(tree: &Tree) -> Vec<&str> {
    tree.paths().collect()
}

#[test]
fn links_are_followed_inside_and_never_outside() {
    let folder = folder("links");
    write(&folder, "secret/passwords.tf", "resource \"aws_s3_bucket\" \"b\" {}\n");
    write(&folder, "plan/main.tf", "");
    write(&folder, "plan/shared/s.tf", "");
    let link = |target: PathBuf, name: &str| symlink(target, folder.join("plan").join(name)).unwrap();
    link(folder.join("secret"), "directory");
    link(folder.join("secret/passwords.tf"), "file.tf");
    link(folder.join("plan/directory/passwords.tf"), "through.tf");
    link(folder.join("plan/shared"), "inside");
    link(folder.join("plan"), "around");
    link(folder.join("plan/nowhere"), "broken");
    link(PathBuf::from("/"), "root");
    let tree = load(&[folder.join("plan")]).unwrap();
    assert_eq!(paths(&tree), ["inside/s.tf", "main.tf", "shared/s.tf"]);
    assert!(tree.text("directory/passwords.tf").is_err());
}

#[test]
fn a_link_that_is_given_itself_is_followed() {
    let folder = folder("given-link");
    write(&folder, "real/main.tf", "");
    symlink(folder.join("real"), folder.join("link")).unwrap();
    assert_eq!(paths(&load(&[folder.join("link")]).unwrap()), ["main.tf"]);
}

#[test]
fn modules_beside_the_plan_are_read_and_nothing_else_there() {
    let folder = folder("beside");
    write(&folder, "envs/prod/main.tf", "module \"q\" {\n  source = \"../../modules/q\"\n}\n");
    write(&folder, "modules/q/main.tf", "");
    write(&folder, "modules/other/main.tf", "");
    write(&folder, "secret.txt", "x");
    assert_eq!(paths(&load(&[folder.join("envs/prod")]).unwrap()), ["envs/prod/main.tf", "modules/q/main.tf"]);
}

#[test]
fn pipes_and_sockets_are_passed_over() {
    let folder = folder("special");
    write(&folder, "main.tf", "");
    std::os::unix::net::UnixListener::bind(folder.join("socket.tf")).unwrap();
    assert_eq!(paths(&load(std::slice::from_ref(&folder)).unwrap()), ["main.tf"]);
}

#[test]
fn files_that_are_too_large_are_told() {
    let folder = folder("large");
    let file = fs::File::create(folder.join("main.tf")).unwrap();
    // Sparse: it takes no room.
    file.set_len(1 << 40).unwrap();
    let tree = load(std::slice::from_ref(&folder)).unwrap();
    assert!(tree.text("main.tf").unwrap_err().contains("larger than 256 MiB"));
    let architecture = bartizan_import::import(&tree, &crate::support::SERVICES);
    assert_eq!(crate::support::codes(&architecture), ["input/unreadable"]);
}
