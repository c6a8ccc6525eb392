//! Paths inside a tree of files, with `/` and below its root, as [`crate::Sources`] names files. Nothing here asks the file system.

/// Joins a folder of the tree and a relative or tree-absolute (`/…`) path; `None` where it leaves the tree.
pub fn join(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    let from = if path.starts_with('/') { "" } else { folder };
    for part in from.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// The folder of a path; empty for the root.
pub fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::{folder, join};

    #[test]
    fn paths_cannot_leave_the_tree() {
        assert_eq!(join("envs/prod", "../../modules/x").as_deref(), Some("modules/x"));
        assert_eq!(join("a", "/b/./c").as_deref(), Some("b/c"));
        assert_eq!(join("a", "../../etc/passwd"), None);
    }

    #[test]
    fn the_root_has_no_name() {
        assert_eq!((folder("a/b.tf"), folder("b.tf")), ("a", ""));
    }
}
