//! A small review for the tests of this crate, and a large one for its limits.

use bartizan_model::{
    Address, Architecture, Asset, AssetOrigin, Boundary, BoundaryKind, Classification, Component, Confidence, Diagnostic, Exposure, FileId,
    Flow, FlowStatus, Kind, Node, Reason, ReasonKind, Severity as Level, Span, Text, Value,
};
use bartizan_review::{
    Alarm, AttackPath, Category, Cut, Evidence, Fix, InOrder, Mitigation, PathStep, Question, Recovery, Response, Review, Runbook, Score,
    Severity, Status, Term, Threat, TrainingTopic,
};

/// The file of [`shop`].
pub(crate) const MAIN: &str = r#"resource "aws_s3_bucket" "uploads" {
  bucket = "shop-uploads"
  # written by customers
  acl    = "public-read"
}

resource "aws_db_instance" "orders" {
  engine              = "mysql"
  password            = "hunter2hunter2"
  publicly_accessible = true
}

resource "aws_iam_role" "app" {
  name = "app"
}
"#;

/// The span of a piece of [`MAIN`].
fn at(piece: &str) -> Span {
    let start = MAIN.find(piece).expect("the piece is in the file");
    Span::new(FileId(0), start..start + piece.len())
}

fn component(address: &str, component_type: &str, kind: Kind, piece: &str) -> Component {
    let (source_type, name) = address.split_once('.').expect("a Terraform address");
    Component {
        address: Address::new(address),
        source_type: source_type.to_owned(),
        service: component_type.split('.').next().unwrap_or("").to_owned(),
        component_type: component_type.to_owned(),
        kind,
        name: name.to_owned(),
        name_text: None,
        stack: String::new(),
        account: None,
        region: Some("eu-west-1".to_owned()),
        span: Some(at(piece)),
        settings: indexmap::IndexMap::new(),
        tags: indexmap::IndexMap::new(),
        exposure: Some((Exposure::Account, Vec::new())),
        boundary: Some("account:main".to_owned()),
        assets: Vec::new(),
    }
}

pub(crate) fn threat(id: &str, severity: Severity, (likelihood, impact): (u8, u8), evidence: Vec<Evidence>) -> Threat {
    let score = |value: u8, text: &str| Score {
        value,
        terms: vec![Term { points: f64::from(value), text: text.to_owned(), evidence: evidence.clone() }],
    };
    let (probable, bad) = (score(likelihood, "scanners enumerate bucket names"), score(impact, "customer records are read"));
    Threat {
        id: id.to_owned(),
        rule: id.rsplit_once('-').map_or(id, |(rule, _)| rule).to_owned(),
        title: "Anyone on the internet reads the bucket".to_owned(),
        message: "`shop-uploads` can be read by anyone on the internet".to_owned(),
        category: Category::DataExfiltration,
        stride: vec!["information-disclosure".to_owned()],
        attack: vec!["T1530".to_owned()],
        cwe: vec!["CWE-732".to_owned()],
        targets: vec![Address::new("aws_s3_bucket.uploads")],
        of_system: false,
        flows: vec!["f1".to_owned()],
        status: Status::Open,
        severity,
        inherent_severity: severity,
        residual_likelihood: probable.clone(),
        residual_impact: bad.clone(),
        likelihood: probable,
        impact: bad,
        evidence,
        controls_present: vec!["s3-versioning".to_owned()],
        controls: vec!["block-public-access".to_owned()],
        paths: Vec::new(),
        decision: None,
        explanation: "Public buckets are found by scanners within hours.".to_owned(),
        references: vec!["https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html".to_owned()],
    }
}

/// The shop with a path from the internet over the bucket and the role to the database; the first threat lies on it.
pub(crate) fn attacked() -> Review {
    let mut review = shop();
    let shown = |piece: &str, text: &str| Evidence { span: at(piece), text: text.to_owned() };
    let step = |from: &str, to: &str, technique: &str, actions: &[&str], evidence: Evidence| PathStep {
        from: from.to_owned(),
        to: to.to_owned(),
        technique: technique.to_owned(),
        actions: actions.iter().map(|action| (*action).to_owned()).collect(),
        assumption: technique == "application-flaw",
        conditions: Vec::new(),
        likelihood: 0.5,
        evidence: vec![evidence],
    };
    let mut last = step(
        "aws_iam_role.app",
        "aws_db_instance.orders",
        "data-rds-read",
        &["rds-data:ExecuteStatement"],
        shown("publicly_accessible = true", "`app` grants {it}"),
    );
    last.conditions = vec!["the caller has a second factor".to_owned()];
    review.attack_paths = vec![AttackPath {
        id: "path-5e5e5e".to_owned(),
        from: "internet".to_owned(),
        to: "aws_db_instance.orders".to_owned(),
        operation: Some("read"),
        likelihood: 0.07,
        steps: vec![
            step("internet", "aws_s3_bucket.uploads", "application-flaw", &[], shown("acl    = \"public-read\"", "it answers")),
            step("aws_s3_bucket.uploads", "aws_iam_role.app", "runs-as", &[], shown("name = \"app\"", "it runs as `app`")),
            last,
        ],
        cuts: vec![
            Cut {
                text: "it answers".to_owned(),
                likelihood: 0.0,
                evidence: vec![shown("acl    = \"public-read\"", "it answers")],
                also_ends: Vec::new(),
            },
            Cut { text: "`app` grants {it}".to_owned(), likelihood: 0.0088, evidence: Vec::new(), also_ends: Vec::new() },
        ],
    }];
    if let Some(first) = review.threats.first_mut() {
        first.paths = vec!["path-5e5e5e".to_owned()];
    }
    review
}

/// A shop with a public bucket, a database with a literal password and a role.
pub(crate) fn shop() -> Review {
    let mut architecture = Architecture::default();
    architecture.sources.add("main.tf", MAIN);
    architecture.declarations.system = Some("Shop".to_owned());
    architecture.declarations.description = Some("Sells things to <everyone> | and ships them.".to_owned());
    let mut bucket = component("aws_s3_bucket.uploads", "s3.bucket", Kind::DataStore, "resource \"aws_s3_bucket\" \"uploads\" {");
    bucket.exposure = Some((
        Exposure::Internet,
        vec![Reason {
            kind: ReasonKind::Permission,
            text: "its ACL grants reading to everyone".to_owned(),
            span: Some(at("acl    = \"public-read\"")),
        }],
    ));
    bucket.assets = vec!["customer-records".to_owned()];
    let acl = at("acl    = \"public-read\"");
    let reference = Text::reference("aws_s3_bucket.uploads", "arn", None);
    let mut policy = reference;
    policy.push(&Text::literal("/*"));
    bucket.settings.insert("acl".to_owned(), Node::text("public-read", acl));
    bucket.settings.insert("policy_arn".to_owned(), Node::text(policy, acl));
    bucket.settings.insert("versioning".to_owned(), Node::new(Value::unresolved("variable `versioning` has no value"), acl));
    let mut database = component("aws_db_instance.orders", "rds.instance", Kind::DataStore, "resource \"aws_db_instance\" \"orders\" {");
    database.settings.insert("password".to_owned(), Node::text("hunter2hunter2", at("\"hunter2hunter2\"")));
    let role = component("aws_iam_role.app", "iam.role", Kind::Supporting, "resource \"aws_iam_role\" \"app\" {");
    let mut internet = bucket.clone();
    internet.address = Address::internet();
    internet.name = "Internet".to_owned();
    internet.kind = Kind::ExternalEntity;
    internet.span = None;
    internet.settings.clear();
    internet.boundary = Some("internet".to_owned());
    for component in [bucket, database, role, internet] {
        architecture.components.insert(component.address.clone(), component);
    }
    let boundary = |id: &str, kind, name: &str| Boundary { id: id.to_owned(), kind, name: name.to_owned(), parent: None, span: None };
    architecture.boundaries =
        vec![boundary("internet", BoundaryKind::Internet, "Internet"), boundary("account:main", BoundaryKind::Account, "main")];
    architecture.flows = vec![Flow {
        id: "f1".to_owned(),
        from: Address::internet(),
        to: Address::new("aws_s3_bucket.uploads"),
        protocol: "https".to_owned(),
        port: Some(443),
        encrypted: Some(true),
        authentication: Some("none".to_owned()),
        data: vec!["customer-records".to_owned()],
        confidence: Confidence::Reachable,
        status: FlowStatus::Active,
        why: vec![Reason { kind: ReasonKind::Permission, text: "the ACL lets everyone read".to_owned(), span: Some(acl) }],
    }];
    architecture.assets = vec![Asset {
        name: "customer-records".to_owned(),
        description: "Names and addresses".to_owned(),
        classification: Classification { confidentiality: 5, integrity: 4, availability: 3 },
        origin: AssetOrigin::Declared,
        stored_in: vec![Address::new("aws_s3_bucket.uploads")],
        why: Vec::new(),
    }];
    architecture.diagnostics = vec![
        Diagnostic::new("terraform/unresolved-reference", Level::Warning, "`var.versioning` has no value", acl)
            .with_help("give it a default"),
    ];
    architecture.normalise();

    let shown = |piece: &str, text: &str| Evidence { span: at(piece), text: text.to_owned() };
    let public = vec![
        shown("acl    = \"public-read\"", "acl is `public-read`"),
        shown("resource \"aws_s3_bucket\" \"uploads\" {\n  bucket = \"shop-uploads\"", "the bucket"),
    ];
    let mut literal = threat(
        "plain-text-secret-0b0b0b",
        Severity::High,
        (3, 4),
        vec![shown("password            = \"hunter2hunter2\"", "password is a literal")],
    );
    literal.category = Category::UnauthorizedAccess;
    literal.cwe = vec!["CWE-798".to_owned()];
    literal.title = "A password is written in the source".to_owned();
    literal.message = "the password of `orders` is a literal".to_owned();
    literal.targets = vec![Address::new("aws_db_instance.orders")];
    let mut accepted =
        threat("db-public-3c3c3c", Severity::Medium, (2, 4), vec![shown("publicly_accessible = true", "publicly accessible")]);
    accepted.status = Status::Accepted;
    accepted.decision = Some("accepted by ops until 2027-03-31: no route leads there".to_owned());
    let mut asked = threat("db-no-backup-4d4d4d", Severity::Medium, (2, 4), Vec::new());
    asked.status = Status::Question;
    asked.targets = vec![Address::new("aws_db_instance.orders")];
    Review {
        threats: vec![threat("s3-public-read-3f9a1c", Severity::Critical, (5, 5), public), literal, accepted, asked],
        attack_paths: Vec::new(),
        further_paths: Vec::new(),
        attack: bartizan_review::Attack::default(),
        mitigations: vec![Mitigation {
            id: "block-public-access-81b2ee".to_owned(),
            control: "block-public-access".to_owned(),
            title: "Block public access".to_owned(),
            kind: "prevent".to_owned(),
            target: Address::new("aws_s3_bucket.uploads"),
            threats: vec!["s3-public-read-3f9a1c".to_owned()],
            points: vec![20.0],
            effect: "likelihood 5 → 1".to_owned(),
            risk_reduction: 20.0,
            cost: "no charge".to_owned(),
            cost_usd_per_month: Some(0.0),
            performance: "none".to_owned(),
            advice: "worth it: it costs nothing".to_owned(),
            standards: vec!["AWS FSBP S3.8 (2026-08)".to_owned()],
            fix: Some(Fix {
                language: "hcl".to_owned(),
                code: "resource \"aws_s3_bucket_public_access_block\" \"uploads\" {\n  bucket = aws_s3_bucket.uploads.id\n}\n".to_owned(),
                place: Some(at("resource \"aws_s3_bucket\" \"uploads\" {")),
                complete: true,
            }),
        }],
        response: Response {
            alarms: vec![Alarm {
                component: Address::new("aws_s3_bucket.uploads"),
                signal: "CloudTrail PutBucketPolicy".to_owned(),
                condition: "any".to_owned(),
                why: "the policy opens".to_owned(),
                covered_by: None,
                fix: None,
            }],
            recovery: vec![Recovery {
                component: Address::new("aws_db_instance.orders"),
                configured: Vec::new(),
                rpo: "everything".to_owned(),
                rto: "not known".to_owned(),
                target: None,
                gaps: vec!["no backup".to_owned()],
            }],
            runbooks: vec![Runbook {
                category: "data-exfiltration".to_owned(),
                title: "Data leaves".to_owned(),
                body: "## Contain\n\n1. Close it:\n\n```sh\naws s3api put-public-access-block --bucket shop-uploads\n```\n".to_owned(),
            }],
        },
        questions: vec![Question {
            id: "versioning-aaaaaa".to_owned(),
            text: "Is `versioning` of `uploads` on?".to_owned(),
            to: "operations".to_owned(),
            about: Address::new("aws_s3_bucket.uploads"),
            setting: Some("versioning".to_owned()),
            why: "variable `versioning` has no value".to_owned(),
            span: Some(acl),
            decides: vec!["db-no-backup-4d4d4d".to_owned()],
        }],
        in_order: vec![InOrder {
            rule: "db-encrypted".to_owned(),
            title: "Databases are encrypted".to_owned(),
            because: "storage is encrypted".to_owned(),
            checked: vec![Address::new("aws_db_instance.orders")],
            evidence: Vec::new(),
        }],
        training: vec![TrainingTopic {
            audience: "developers".to_owned(),
            title: "Public buckets".to_owned(),
            body: "Look at `uploads`.".to_owned(),
            threats: vec!["s3-public-read-3f9a1c".to_owned()],
        }],
        diagnostics: Vec::new(),
        architecture,
    }
}

/// The shop with names that try to break out of every format.
pub(crate) fn hostile() -> Review {
    let mut review = shop();
    let name = "</script><script>alert(1)</script><img src=x onerror=alert(2)> | `*_[x](javascript:alert(3))";
    for component in review.architecture.components.values_mut() {
        component.name = name.to_owned();
    }
    review.architecture.declarations.system = Some(name.to_owned());
    for threat in &mut review.threats {
        threat.title = name.to_owned();
        threat.message = format!("{name} leaks");
        threat.explanation = name.to_owned();
        threat.references.push("javascript:alert(4)".to_owned());
    }
    for mitigation in &mut review.mitigations {
        mitigation.title = name.to_owned();
        mitigation.fix.iter_mut().for_each(|fix| fix.code = format!("{name}\n```\n"));
    }
    review.questions.iter_mut().for_each(|question| question.text = name.to_owned());
    review
}

/// A review of `n_components` buckets and `n_threats` threats.
pub(crate) fn large(n_components: usize, n_threats: usize) -> Review {
    let mut review = shop();
    let (template, flow) =
        (review.architecture.components[&Address::new("aws_s3_bucket.uploads")].clone(), review.architecture.flows[0].clone());
    for index in 0..n_components {
        let mut component = template.clone();
        component.address = Address::new(format!("aws_s3_bucket.b{index}"));
        component.name = format!("bucket-{index}");
        let mut flow = flow.clone();
        flow.id = format!("g{index}");
        flow.to = component.address.clone();
        review.architecture.components.insert(component.address.clone(), component);
        review.architecture.flows.push(flow);
    }
    let threat = review.threats[0].clone();
    for index in 0..n_threats {
        let mut threat = threat.clone();
        threat.id = format!("s3-public-read-{index}");
        threat.targets = vec![Address::new(format!("aws_s3_bucket.b{index}"))];
        review.threats.push(threat);
    }
    review
}
