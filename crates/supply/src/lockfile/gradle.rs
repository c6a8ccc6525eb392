//! Gradle's `gradle.lockfile`: `group:artifact:version=configuration,…`.

use super::File;
use crate::ecosystem::EcosystemKind;
use crate::package::{Found, Package};

pub(super) fn read(file: &File<'_>) -> Found {
    let mut found = Found::default();
    // Plugins of the build itself.
    let is_build = file.path.ends_with("buildscript-gradle.lockfile");
    for line in file.text.split_inclusive('\n').map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let Some((coordinate, configurations)) = line.split_once('=') else {
            found.malformed(file.path, file.span_of(line), format!("`{line}` is no line of a Gradle lock file"));
            continue;
        };
        if coordinate == "empty" {
            continue;
        }
        let parts: Vec<&str> = coordinate.split(':').collect();
        let [group, artifact, version] = parts.as_slice() else {
            found.malformed(coordinate, file.span_of(line), format!("`{coordinate}` is no `group:artifact:version`"));
            continue;
        };
        let is_test = configurations.split(',').all(|configuration| configuration.to_lowercase().contains("test"));
        let package = Package::new(EcosystemKind::MAVEN, format!("{group}:{artifact}"), *version, file.span_of(line));
        found.packages.push(package.for_development(is_build || is_test));
    }
    found
}
