//! `new`: writes files to fill in, so that nobody starts from an old copy.

use std::path::Path;

use anyhow::{Context, Result, bail};
use bartizan_review::Category;

pub(crate) fn rule(root: &Path, name: &str) -> Result<String> {
    let Some((group, id)) = name.split_once('/') else {
        bail!("a rule is named <group>/<id>, for example data-exfiltration/s3-public-read")
    };
    if !Category::ALL.iter().any(|category| category.id() == group) {
        let groups: Vec<&str> = Category::ALL.iter().map(|category| category.id()).collect();
        bail!("there is no group `{group}`; there are {}", groups.join(", "));
    }
    check_id(id)?;
    let folder = root.join("catalogue/threats").join(group);
    create(&folder.join(format!("{id}.yaml")), &RULE.replace("ID", id).replace("GROUP", group))?;
    create(&folder.join(format!("{id}.md")), &PAGE.replace("ID", id))?;
    Ok(format!(
        "wrote catalogue/threats/{group}/{id}.yaml and .md; fill them in (docs/catalogue.md says how), then run\n  \
         BARTIZAN_RULE={id} cargo nextest run -p bartizan-review it"
    ))
}

pub(crate) fn service(root: &Path, name: &str) -> Result<String> {
    check_id(name)?;
    let path = root.join("catalogue/services/aws").join(format!("{name}.yaml"));
    create(&path, &SERVICE.replace("NAME", name))?;
    Ok(format!("wrote catalogue/services/aws/{name}.yaml; fill it in (docs/catalogue.md says how)"))
}

fn check_id(id: &str) -> Result<()> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if id.is_empty() || !id.chars().all(fits) {
        bail!("`{id}` is no id: lower-case letters, digits and hyphens");
    }
    Ok(())
}

fn create(path: &Path, text: &str) -> Result<()> {
    if path.exists() {
        bail!("{} exists already", path.display());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

const RULE: &str = r#"id: ID
title: What an attacker gets, in one short sentence
group: GROUP
stride: [information-disclosure]
attack: []                # T1530: an id of frameworks/attack.yaml
cwe: []                   # CWE-732: an id of frameworks/cwe.yaml
on: component             # component | flow | system
types: [s3.bucket]        # or traits: [object_store]
# given: ""               # where this is false the rule does not apply at all
when: "settings.versioning != 'Enabled'"
# presumes: [internet]    # what the base likelihood already counts: internet, exposure
probability: {base: 3, because: ""}
impact: {base: 3, because: "", of: confidentiality}      # confidentiality integrity availability any
controls: []
evidence: [settings.versioning]      # the first is the place to fix
message: "`{name}` …"
in_order: ""
question: {to: development, text: "What is `{setting}` of `{name}`?"}      # development operations "data owner"
references: [https://docs.aws.amazon.com/]
detect: {trail: [], guardduty: [], metrics: []}
"#;

const PAGE: &str = r#"# Title

Why it matters: what is lost, to whom.
How it is attacked.

When it looks like it but is none.

## Remedy

What to do.

## Examples

### Threatened

```hcl
resource "aws_s3_bucket" "data" { # threat: ID
  bucket = "acme-data"
}
```

### Safe

```hcl
resource "aws_s3_bucket" "data" {
  bucket = "acme-data"
}

resource "aws_s3_bucket_versioning" "data" {
  bucket = aws_s3_bucket.data.id
  versioning_configuration {
    status = "Enabled"
  }
}
```

### Unknown

```hcl
variable "status" {
  type = string
}

resource "aws_s3_bucket" "data" {
  bucket = "acme-data"
}

resource "aws_s3_bucket_versioning" "data" {
  bucket = aws_s3_bucket.data.id
  versioning_configuration {
    status = var.status
  }
}
```
"#;

const SERVICE: &str = r#"service: NAME
title: Amazon …
iam: [NAME]
principal: NAME.amazonaws.com
api: {protocol: https, port: 443, encrypted: true, authentication: iam}
types:
  thing:
    title: thing
    kind: process          # external_entity | process | data_store | supporting
    traits: []
    arn: "arn:{partition}:NAME:{region}:{account}:thing/{name}"
    settings:
      logging: {type: bool, default: false, about: "its access is logged"}
terraform:
  aws_NAME_thing:
    is: thing
    name: name
    settings:
      logging: logging_enabled
    links:
      runs_as: role_arn
"#;
