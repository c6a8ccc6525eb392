//! `bartizan diff` and baselines as their users see them.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::{PLAN, bartizan, folder, plan, text};

/// The plan without the policy that opens it.
const CLOSED: &str = "resource \"aws_s3_bucket\" \"uploads\" {\n  bucket = \"shop-uploads\"\n}\n\nresource \"aws_sqs_queue\" \"orders\" {\n  name = \"orders\"\n}\n";

fn git(folder: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("git runs");
    assert!(output.status.success(), "git {arguments:?}: {}", text(&output.stderr));
}

/// A repository with the closed plan, and the open one in the next commit.
fn repository(name: &str) -> std::path::PathBuf {
    let here = folder(name);
    std::fs::create_dir_all(here.join("infra")).expect("the folder can be made");
    git(&here, &["init", "--quiet"]);
    for (content, message) in [(CLOSED, "closed"), (PLAN, "open")] {
        std::fs::write(here.join("infra/main.tf"), content).expect("the plan can be written");
        git(&here, &["add", "-A"]);
        git(&here, &["commit", "--quiet", "-m", message]);
    }
    here
}

#[test]
fn revisions_are_compared_and_places_are_those_of_the_repository() {
    let here = repository("diff-revisions");
    let output = bartizan(&here, &["diff", "HEAD^", "HEAD", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(told["schema"], "bartizan/diff/1");
    let schema: Value = serde_json::from_slice(&bartizan(&here, &["schema", "diff"]).stdout).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    let errors: Vec<String> = validator.iter_errors(&told).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    let exposed = &told["exposures"][0];
    assert_eq!((&exposed["exposure_before"], &exposed["exposure"]), (&Value::from("account"), &Value::from("internet")));
    assert!(
        told["threats"]
            .as_array()
            .expect("a list")
            .iter()
            .any(|threat| threat["change"] == "new" && threat["origin"]["file"] == "infra/main.tf")
    );
    // The same within a folder of the repository, and for a folder and the working tree.
    for arguments in [&["diff", "HEAD^", "HEAD", "infra"][..], &["diff", "HEAD^", "."], &["diff", "HEAD^", "./infra"]] {
        let shown = text(&bartizan(&here, arguments).stdout);
        assert!(shown.contains("can be reached from the internet (before: its account)"), "{arguments:?}: {shown}");
    }
    let within = bartizan(&here.join("infra"), &["diff", "HEAD^", "HEAD"]);
    assert!(text(&within.stdout).contains("can be reached from the internet"), "{}", text(&within.stderr));
}

#[test]
fn the_gate_judges_what_is_new_or_worse_and_nothing_else() {
    let here = repository("diff-gate");
    for (arguments, code) in [
        (&["diff", "HEAD^", "HEAD", "--fail-on", "low"][..], 1),
        (&["diff", "HEAD", "HEAD", "--fail-on", "info"], 0),
        (&["diff", "HEAD", "HEAD^", "--fail-on", "info"], 0),
        (&["diff", "HEAD^", "nowhere"], 2),
        (&["diff", "--", "--output=x", "HEAD"], 2),
        (&["diff", "HEAD^", "HEAD", "../elsewhere"], 2),
    ] {
        let output = bartizan(&here, arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
    }
    let shown = text(&bartizan(&here, &["diff", "HEAD", "HEAD"]).stdout);
    assert!(shown.contains("HEAD → HEAD: the architecture is unchanged\n"), "{shown}");
    assert!(text(&bartizan(&here, &["diff", "HEAD^", "nowhere"]).stderr).contains("`nowhere` is neither a revision"));
}

#[test]
fn a_name_that_is_a_folder_and_a_branch_has_to_be_told_apart() {
    let here = repository("diff-ambiguous");
    git(&here, &["branch", "infra"]);
    let output = bartizan(&here, &["diff", "HEAD^", "infra"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("write `./infra` or `refs/heads/infra`"), "{}", text(&output.stderr));
    assert_eq!(bartizan(&here, &["diff", "HEAD^", "refs/heads/infra"]).status.code(), Some(0));
}

#[test]
fn links_of_a_repository_lead_nowhere() {
    let here = repository("diff-links");
    std::fs::write(here.join("secret.tf"), "resource \"aws_sqs_queue\" \"secret\" {}\n").expect("the file can be written");
    #[cfg(unix)]
    std::os::unix::fs::symlink("../secret.tf", here.join("infra/link.tf")).expect("the link can be made");
    git(&here, &["add", "infra"]);
    git(&here, &["commit", "--quiet", "-m", "link"]);
    let shown = text(&bartizan(&here, &["diff", "HEAD^", "HEAD"]).stdout);
    assert!(shown.contains("the architecture is unchanged"), "{shown}");
}

#[test]
fn reviews_that_were_written_are_compared_and_others_are_refused() {
    let here = repository("diff-reviews");
    for (revision, target) in [("HEAD^", "before"), ("HEAD", "after")] {
        git(&here, &["checkout", "--quiet", revision]);
        assert!(bartizan(&here, &["review", "infra", "-o", target]).status.success());
        git(&here, &["checkout", "--quiet", "main"]);
    }
    let output = bartizan(&here, &["diff", "before/review.json", "after/review.json", "--format", "markdown"]);
    let comment = text(&output.stdout);
    assert!(comment.starts_with("<!-- bartizan-diff -->\n### Architecture: "), "{comment}");
    assert!(comment.contains("<details><summary>Exposure (1)</summary>"), "{comment}");
    assert!(bartizan(&here, &["model", "infra", "-o", "model.json"]).status.success());
    let refused = bartizan(&here, &["diff", "model.json", "after/review.json"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("it is `bartizan/model/1`"), "{}", text(&refused.stderr));
    // A review of an older version lacks what came later.
    let mut older: Value = serde_json::from_slice(&std::fs::read(here.join("before/review.json")).expect("a review")).expect("JSON");
    older.as_object_mut().expect("an object").remove("permissions");
    std::fs::write(here.join("older.json"), older.to_string()).expect("the file can be written");
    let told: Value =
        serde_json::from_slice(&bartizan(&here, &["diff", "older.json", "after/review.json", "--format", "json"]).stdout).expect("JSON");
    assert_eq!(told["permissions"], serde_json::json!([]));
    assert_eq!(told["exposures"][0]["change"], "worse");
}

#[test]
fn a_baseline_keeps_known_threats_from_the_gate() {
    let plan = plan("baseline");
    let written =
        bartizan(&plan, &["review", ".", "--format", "sarif", "-o", "a.sarif", "--write-baseline", "known.json", "--fail-on", "info"]);
    assert_eq!(written.status.code(), Some(1), "{}", text(&written.stderr));
    let known = bartizan(&plan, &["review", ".", "--format", "sarif", "--baseline", "known.json", "--fail-on", "info"]);
    assert_eq!(known.status.code(), Some(0), "{}", text(&known.stderr));
    let log: Value = serde_json::from_slice(&known.stdout).expect("JSON");
    let states: Vec<&Value> =
        log["runs"][0]["results"].as_array().expect("results").iter().map(|result| &result["baselineState"]).collect();
    assert!(states.contains(&&Value::from("unchanged")) && !states.contains(&&Value::Null), "{states:?}");
    // What is new still stops, and what is gone is told.
    std::fs::write(plan.join("main.tf"), CLOSED).expect("the plan can be written");
    let gone = bartizan(&plan, &["review", ".", "--baseline", "known.json", "--fail-on", "info"]);
    assert_eq!(gone.status.code(), Some(0), "{}", text(&gone.stderr));
    assert!(text(&gone.stderr).contains("no longer occurs"), "{}", text(&gone.stderr));
    std::fs::write(
        plan.join("more.tf"),
        "resource \"aws_db_instance\" \"new\" {\n  engine = \"mysql\"\n  publicly_accessible = true\n  storage_encrypted = false\n}\n",
    )
    .expect("the plan can be written");
    assert_eq!(bartizan(&plan, &["review", ".", "--baseline", "known.json", "--fail-on", "low"]).status.code(), Some(1));
    assert_eq!(bartizan(&plan, &["review", ".", "--baseline", "nowhere.json"]).status.code(), Some(2));
}

#[test]
fn an_acceptance_that_expired_opens_the_threat_and_fails_the_gate() {
    let plan = plan("expired");
    let review: Value = serde_json::from_slice(&bartizan(&plan, &["review", ".", "--format", "json"]).stdout).expect("JSON");
    let open: Vec<&Value> = review["threats"].as_array().expect("threats").iter().filter(|threat| threat["status"] == "open").collect();
    let accept = |until: &str| {
        let decisions: Vec<String> = open
            .iter()
            .map(|threat| {
                format!(
                    "  - threat: {}\n    decision: accept\n    by: the owner\n    why: known\n    until: {until}\n",
                    threat["id"].as_str().expect("an id")
                )
            })
            .collect();
        std::fs::write(plan.join("bartizan.yaml"), format!("decisions:\n{}", decisions.concat())).expect("the file can be written");
        bartizan(&plan, &["review", ".", "--format", "json", "--fail-on", "info"])
    };
    let holds = accept("2999-12-31");
    assert_eq!(holds.status.code(), Some(0), "{}", text(&holds.stderr));
    let expired = accept("2020-01-31");
    assert_eq!(expired.status.code(), Some(1), "{}", text(&expired.stderr));
    assert!(text(&expired.stdout).contains("open again: it was accepted by the owner until 2020-01-31"));
    // A comparison judges it too: what was accepted before is open now.
    let before = accept("2999-12-31").stdout;
    std::fs::write(plan.join("accepted.json"), before).expect("the file can be written");
    accept("2020-01-31");
    let compared = bartizan(&plan, &["diff", "./accepted.json", ".", "--fail-on", "info"]);
    assert_eq!(compared.status.code(), Some(1), "{}", text(&compared.stdout));
    assert!(text(&compared.stdout).contains("was accepted, is open"), "{}", text(&compared.stdout));
}

#[test]
fn formats_for_other_tools_are_written() {
    let plan = plan("other-formats");
    let junit = text(&bartizan(&plan, &["review", ".", "--format", "junit"]).stdout);
    assert!(junit.starts_with("<?xml") && junit.contains("<failure type=\"high\"") && junit.ends_with("</testsuites>\n"), "{junit}");
    for (format, pointer) in [("gitlab-sast", "/vulnerabilities/0/identifiers/0/value"), ("codequality", "/0/check_name")] {
        let report: Value = serde_json::from_slice(&bartizan(&plan, &["review", ".", "--format", format]).stdout).expect("JSON");
        assert!(report.pointer(pointer).is_some_and(Value::is_string), "{format}: {report}");
    }
}

#[test]
fn moved_blocks_tell_what_became_which() {
    let queue = |label: &str, more: &str, timeout: u32, encrypted: bool| {
        format!(
            "resource \"aws_sqs_queue\" \"{label}\" {{\n  {more}\n  visibility_timeout_seconds = {timeout}\n  sqs_managed_sse_enabled = {encrypted}\n}}\n"
        )
    };
    let moved = |from: &str, to: &str| format!("moved {{\n  from = {from}\n  to = {to}\n}}\n");
    let here = folder("diff-moved");
    let write = |file: &str, content: String| {
        let file = here.join(file);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("the folder can be made");
        std::fs::write(file, content).expect("the file can be written");
    };
    // Two queues of one kind whose settings and labels change: only the blocks tell which is which, for one of them in two steps.
    write("before/main.tf", queue("a", "", 30, true) + &queue("b", "count = 1", 60, true));
    write(
        "after/main.tf",
        queue("mail", "", 90, false)
            + "module \"orders\" {\n  source = \"./orders\"\n}\n"
            + &moved("aws_sqs_queue.a", "aws_sqs_queue.old")
            + &moved("aws_sqs_queue.old", "module.orders.aws_sqs_queue.this[\"main\"]")
            + &moved("aws_sqs_queue.b[0]", "aws_sqs_queue.mail"),
    );
    write("after/orders/main.tf", queue("this", "for_each = toset([\"main\"])", 45, true));
    let told: Value = serde_json::from_slice(&bartizan(&here, &["diff", "./before", "./after", "--format", "json"]).stdout).expect("JSON");
    let renamed: Vec<(&str, &str)> = told["renamed"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|renamed| (renamed["before"].as_str().expect("an address"), renamed["after"].as_str().expect("an address")))
        .collect();
    assert_eq!(
        renamed,
        [("aws_sqs_queue.b[0]", "aws_sqs_queue.mail"), ("aws_sqs_queue.a", "module.orders.aws_sqs_queue.this[\"main\"]")],
        "{told:#}"
    );
}

/// Two states of a plan in folders `before` and `after`, compared.
fn compared(name: &str, before: &[(&str, &str)], after: &[(&str, &str)], more: &[&str]) -> String {
    let here = folder(name);
    for (side, files) in [("before", before), ("after", after)] {
        std::fs::create_dir_all(here.join(side)).expect("the folder can be made");
        for (file, content) in files {
            std::fs::write(here.join(side).join(file), content).expect("the file can be written");
        }
    }
    let output = bartizan(&here, &[&["diff", "./before", "./after"], more].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

const CLUSTER: &str = "
apiVersion: v1
kind: ServiceAccount
metadata: {name: api, namespace: payments}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: payments}
rules:
  - apiGroups: [\"\"]
    resources: [configmaps]
    verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: api-reader, namespace: payments}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: api, namespace: payments}]
";

const ADMINISTRATORS: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: admins}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects:
  - {kind: ServiceAccount, name: api, namespace: payments}
  - {kind: Group, name: devs, apiGroup: rbac.authorization.k8s.io}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: elsewhere, namespace: payments}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: of-another-chart}
subjects: [{kind: ServiceAccount, name: api, namespace: payments}]
";

#[test]
fn what_roles_of_a_cluster_give_are_permissions() {
    let wider = CLUSTER.replace("resources: [configmaps]\n    verbs: [get]", "resources: [configmaps, secrets]\n    verbs: [get, list]");
    let shown = compared("diff-rbac-rules", &[("x.yaml", CLUSTER)], &[("x.yaml", &wider)], &[]);
    for line in [
        "2 permissions are wider",
        "  new     `payments/ServiceAccount/api` may do `get` on `secrets` in the namespace `payments`, by `payments/Role/reader`",
        "  new     `payments/ServiceAccount/api` may do `list` on `configmaps` and `secrets` in the namespace `payments`, by `payments/Role/reader`",
    ] {
        assert!(shown.contains(line), "{line} is not in\n{shown}");
    }
    assert!(!shown.contains("\ncomponents\n"), "the rules are told a second time:\n{shown}");
    // Named objects only: all of them was more.
    let named = wider.replace("verbs: [get, list]", "verbs: [get, list]\n    resourceNames: [settings]");
    let shown = compared("diff-rbac-names", &[("x.yaml", &wider)], &[("x.yaml", &named)], &[]);
    assert!(!shown.contains("  new     `payments/ServiceAccount/api`"), "{shown}");
    assert!(shown.contains("  gone    `payments/ServiceAccount/api` may do `get` and `list` on `configmaps` and `secrets`"), "{shown}");
    let back = compared("diff-rbac-names-gone", &[("x.yaml", &named)], &[("x.yaml", &wider)], &[]);
    assert!(back.contains("  new     `payments/ServiceAccount/api` may do `get` and `list` on `configmaps` and `secrets`"), "{back}");

    let shown = compared("diff-rbac-admin", &[("x.yaml", CLUSTER)], &[("x.yaml", CLUSTER), ("y.yaml", ADMINISTRATORS)], &[]);
    for line in [
        "  new     `Group/devs` may do everything in every namespace, by `cluster-admin`",
        "  new     `payments/ServiceAccount/api` may do everything in every namespace, by `cluster-admin`",
        "  new     `payments/ServiceAccount/api` has the role `of-another-chart` in the namespace `payments`",
    ] {
        assert!(shown.contains(line), "{line} is not in\n{shown}");
    }
}

#[test]
fn principals_of_aws_are_told_with_what_they_have_in_a_cluster() {
    let plan = "resource \"aws_eks_cluster\" \"main\" {\n  name = \"main\"\n  role_arn = \"arn:aws:iam::111122223333:role/c\"\n  vpc_config {\n    subnet_ids = [\"subnet-0a1b2c3d\"]\n  }\n}\n\nresource \"aws_iam_role\" \"ops\" {\n  name = \"ops\"\n  assume_role_policy = jsonencode({ Version = \"2012-10-17\", Statement = [] })\n}\n";
    let access = "
resource \"aws_eks_access_entry\" \"ops\" {
  cluster_name      = aws_eks_cluster.main.name
  principal_arn     = aws_iam_role.ops.arn
  kubernetes_groups = [\"devs\"]
}

resource \"aws_eks_access_policy_association\" \"ops\" {
  cluster_name  = aws_eks_cluster.main.name
  principal_arn = aws_iam_role.ops.arn
  policy_arn    = \"arn:aws:eks::aws:cluster-access-policy/AmazonEKSSecretReaderPolicy\"
  access_scope {
    type       = \"namespace\"
    namespaces = [\"payments\"]
  }
}

resource \"aws_eks_pod_identity_association\" \"api\" {
  cluster_name    = aws_eks_cluster.main.name
  namespace       = \"payments\"
  service_account = \"api\"
  role_arn        = aws_iam_role.ops.arn
}
";
    let shown = compared("diff-eks-access", &[("main.tf", plan)], &[("main.tf", plan), ("access.tf", access)], &[]);
    for line in [
        "  new     `aws_iam_role.ops` is in the group `devs` of `aws_eks_cluster.main`",
        "  new     `aws_iam_role.ops` may do `get`, `list` and `watch` on `secrets` in the namespace `payments` of `aws_eks_cluster.main`, by `AmazonEKSSecretReaderPolicy`",
        "  new     `aws_eks_cluster.main:payments/ServiceAccount/api` may act as `aws_iam_role.ops` (`sts:AssumeRole`)",
    ] {
        assert!(shown.contains(line), "{line} is not in\n{shown}");
    }
}

#[test]
fn what_goes_into_a_module_that_nobody_can_read_is_told_so() {
    let after = "module \"orders\" {\n  source  = \"example/queues/aws\"\n  version = \"1.0.0\"\n}\n\nmoved {\n  from = aws_sqs_queue.orders\n  to   = module.orders.aws_sqs_queue.this\n}\n";
    let before = "resource \"aws_sqs_queue\" \"orders\" {\n  name_prefix = \"orders\"\n}\n";
    let shown = compared("diff-unread-module", &[("main.tf", before)], &[("main.tf", after)], &[]);
    let line = "gone    `aws_sqs_queue.orders` sqs queue; it went into `module.orders`, whose code is not among the files, so what became of it is not known";
    assert!(shown.contains(line), "{shown}");
}

#[test]
fn services_get_findings_by_their_path_in_the_repository() {
    let here = repository("review-in-repository");
    for (place, path) in [(here.clone(), "infra"), (here.join("infra"), ".")] {
        let file = |format: &str, pointer: &str| -> String {
            let output = bartizan(&place, &["review", path, "--format", format]);
            let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
            told.pointer(pointer).and_then(Value::as_str).map(str::to_owned).unwrap_or_else(|| panic!("{format}: no {pointer}"))
        };
        for (format, pointer) in [
            ("sarif", "/runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri"),
            ("gitlab-sast", "/vulnerabilities/0/location/file"),
            ("codequality", "/0/location/path"),
        ] {
            assert_eq!(file(format, pointer), "infra/main.tf", "{format} of {path}");
        }
        // Ids and what people read stay as they are.
        assert_eq!(file("json", "/threats/0/evidence/0/file"), "main.tf");
    }
}
