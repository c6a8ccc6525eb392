//! Steps inside clusters, from pods to nodes, and to the metadata service: each way found where it is open and nowhere else.

use std::collections::BTreeSet;

use bartizan_review::catalogue::attack::Detector;
use bartizan_review::{Catalogue, Review, Standing};

use crate::small::load;
use crate::support::{CATALOGUE, review};

mod nodes;
mod principals;
mod roles;

use nodes::{TASKS, WEB};
use roles::KEYS;

/// A cluster, its nodes and the role of a workload.
const CLUSTER: &str = r#"
resource "aws_eks_cluster" "main" {
  name     = "main"
  role_arn = "arn:aws:iam::111122223333:role/control-plane"
  vpc_config { subnet_ids = ["subnet-1"] }
  access_config { authentication_mode = "API_AND_CONFIG_MAP" }
}

resource "aws_iam_role" "node" {
  name               = "node"
  assume_role_policy = jsonencode({Statement = [{Effect = "Allow", Principal = {Service = "ec2.amazonaws.com"}, Action = "sts:AssumeRole"}]})
}

resource "aws_iam_role" "orders" {
  name               = "orders"
  assume_role_policy = jsonencode({Statement = [
    {Effect = "Allow", Principal = {Service = "pods.eks.amazonaws.com"}, Action = ["sts:AssumeRole", "sts:TagSession"]},
    {
      Effect    = "Allow"
      Principal = {Federated = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A"}
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {StringEquals = {"oidc.eks.eu-west-1.amazonaws.com/id/A:sub" = "system:serviceaccount:shop:orders"}}
    },
  ]})
}

resource "aws_launch_template" "node" {
  name = "node"
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
}

resource "aws_eks_node_group" "main" {
  cluster_name    = aws_eks_cluster.main.name
  node_group_name = "main"
  node_role_arn   = aws_iam_role.node.arn
  subnet_ids      = ["subnet-1"]
  launch_template {
    id      = aws_launch_template.node.id
    version = "1"
  }
}
"#;

/// A workload that is worth taking over, and one that is not.
const WORKLOADS: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: orders
  namespace: shop
  annotations: {eks.amazonaws.com/role-arn: 'arn:aws:iam::111122223333:role/orders'}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: orders, namespace: shop}
spec:
  template:
    metadata: {labels: {app: orders}}
    spec:
      serviceAccountName: orders
      containers: [{name: orders, image: 'example.com/orders:1'}]
---
apiVersion: v1
kind: Secret
metadata: {name: login, namespace: shop}
type: Opaque
data: {password: c2VjcmV0}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: runner, namespace: ci}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: runner, namespace: ci}
spec:
  template:
    metadata: {labels: {app: runner}}
    spec:
      serviceAccountName: runner
      containers: [{name: runner, image: 'example.com/runner:1'}]
---
";

/// A role with these rules, bound to the runner in every namespace.
fn bound(rules: &str) -> String {
    format!(
        "{WORKLOADS}
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: ci}}
rules:
{rules}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: ci}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ci}}
subjects: [{{kind: ServiceAccount, name: runner, namespace: ci}}]
"
    )
}

fn rule(group: &str, resource: &str, verbs: &str) -> String {
    format!("- {{apiGroups: ['{group}'], resources: ['{resource}'], verbs: [{verbs}]}}\n")
}

/// The edges of a review as `from technique to`.
fn edges(review: &Review) -> BTreeSet<String> {
    review.attack.edges().0.iter().map(|edge| format!("{} {} {}", edge.from, edge.technique, edge.to)).collect()
}

fn reviewed(manifest: &str, terraform: &str) -> Review {
    review(&CATALOGUE.0, &[("main.tf", terraform), ("cluster.yaml", manifest)])
}

/// What somebody gains by one technique.
fn by(review: &Review, from: &str, technique: &str) -> BTreeSet<String> {
    let start = format!("{from} {technique} ");
    edges(review).iter().filter_map(|edge| edge.strip_prefix(&start).map(str::to_owned)).collect()
}

fn set(expected: &[&str]) -> BTreeSet<String> {
    expected.iter().map(|text| (*text).to_owned()).collect()
}

const RUNNER: &str = "ci/ServiceAccount/runner";

#[test]
fn each_right_of_the_cluster_gives_what_it_gives_and_no_more() {
    for (technique, open, closed, expected) in rights() {
        let terraform = if technique == CERTIFICATES { "" } else { CLUSTER };
        let threatened = reviewed(&bound(&open), terraform);
        assert_eq!(by(&threatened, RUNNER, technique), set(expected), "{technique}");
        let refused = reviewed(&bound(&closed), terraform);
        assert_eq!(by(&refused, RUNNER, technique), set(&[]), "{technique}: refused");
    }
}

/// EKS signs no certificates of clients, so this way is there only in clusters that the plan does not declare.
const CERTIFICATES: &str = "eks-k8s-sign-certificate";

#[test]
fn eks_signs_no_certificates_of_clients() {
    let open = rights().into_iter().find(|(technique, ..)| *technique == CERTIFICATES).unwrap().1;
    let found = reviewed(&bound(&open), CLUSTER);
    assert_eq!(by(&found, RUNNER, CERTIFICATES), set(&[]));
    let elsewhere = reviewed(&bound(&open), "");
    let edges = elsewhere.attack.edges().0;
    assert!(edges.iter().any(|edge| edge.technique == CERTIFICATES && edge.verdict == Standing::Conditional), "{edges:?}");
}

/// By technique: rules that give it, rules beside them that do not, and what the runner gains.
fn rights() -> Vec<(&'static str, String, String, &'static [&'static str])> {
    let rbac = "rbac.authorization.k8s.io";
    let certificates = "certificates.k8s.io";
    vec![
        (
            "eks-k8s-exec-pod",
            rule("", "pods/exec", "create"),
            rule("", "pods", "get, list"),
            &["ci/Deployment/runner", "shop/Deployment/orders"],
        ),
        (
            "eks-k8s-attach-pod",
            rule("", "pods/ephemeralcontainers", "patch"),
            rule("", "pods/ephemeralcontainers", "get"),
            &["ci/Deployment/runner", "shop/Deployment/orders"],
        ),
        (
            "eks-k8s-create-pod",
            rule("batch", "jobs", "create"),
            rule("batch", "jobs", "get, delete"),
            &["aws_iam_role.orders", "shop/Secret/login"],
        ),
        (
            "eks-k8s-update-workload",
            rule("apps", "deployments", "patch"),
            rule("apps", "statefulsets", "patch"),
            &["ci/Deployment/runner", "shop/Deployment/orders"],
        ),
        ("eks-k8s-privileged-pod", rule("", "pods", "create"), rule("", "pods", "delete"), &["aws_eks_node_group.main"]),
        ("eks-k8s-token", rule("", "serviceaccounts/token", "create"), rule("", "serviceaccounts", "create"), &["aws_iam_role.orders"]),
        ("eks-k8s-secret-token", rule("", "secrets", "list"), rule("", "secrets", "create"), &["shop/Secret/login"]),
        (
            "eks-k8s-bind",
            rule(rbac, "clusterroles", "bind") + &rule(rbac, "clusterrolebindings", "create"),
            rule(rbac, "clusterrolebindings", "create"),
            &["aws_eks_cluster.main"],
        ),
        (
            "eks-k8s-escalate",
            rule(rbac, "clusterroles", "escalate, update"),
            rule(rbac, "clusterroles", "update"),
            &["aws_eks_cluster.main"],
        ),
        (
            "eks-k8s-impersonate",
            rule("", "groups", "impersonate") + &rule("", "users", "impersonate"),
            rule("", "groups", "impersonate"),
            &["aws_eks_cluster.main"],
        ),
        (
            "eks-k8s-sign-certificate",
            rule(certificates, "certificatesigningrequests", "create")
                + &rule(certificates, "certificatesigningrequests/approval", "update")
                + &rule(certificates, "signers", "approve"),
            rule(certificates, "certificatesigningrequests", "create"),
            &["kubernetes:cluster"],
        ),
        (
            "eks-k8s-node-proxy",
            rule("", "nodes/proxy", "get"),
            rule("", "nodes", "get"),
            &["ci/Deployment/runner", "shop/Deployment/orders"],
        ),
        (
            "eks-k8s-admission",
            rule("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "patch"),
            rule("admissionregistration.k8s.io", "validatingwebhookconfigurations", "patch"),
            &["aws_eks_cluster.main"],
        ),
        ("eks-aws-auth", rule("", "configmaps", "update"), rule("", "configmaps", "get"), &["aws_eks_cluster.main"]),
    ]
}

/// The catalogue names each detector, and each of its primitives that has one is found in a plan where everything is open and in none that
/// is closed; the loader refuses names that are no detector.
#[test]
fn every_detector_of_the_catalogue_finds_its_way_where_it_is_open_and_only_there() {
    let detected = || CATALOGUE.0.attack.list.iter().filter_map(|primitive| Some((primitive.detector?, primitive.id.clone())));
    let named: BTreeSet<Detector> = detected().map(|(detector, _)| detector).collect();
    assert_eq!(named, Detector::ALL.iter().copied().collect(), "detectors that no primitive uses, or that are not in the list");
    let found = |open: bool| -> BTreeSet<String> {
        let rules: String = rights().into_iter().map(|(_, opens, closes, _)| if open { opens } else { closes }).collect();
        let rules =
            if open { rules + &rule("", "configmaps, pods", "get").replace("'configmaps, pods'", "configmaps, pods") } else { rules };
        let closed = |text: String| if open { text } else { text.replace("\"optional\"", "\"required\"") };
        let keys = if open { KEYS } else { "" };
        let terraform = closed(format!("{CLUSTER}{keys}{}{WEB}", TASKS))
            .replace("_hop_limit = 1", if open { "_hop_limit = 2" } else { "_hop_limit = 1" });
        let mut used: BTreeSet<String> = BTreeSet::new();
        for terraform in [terraform.as_str(), ""] {
            used.extend(reviewed(&bound(&rules), terraform).attack.edges().0.into_iter().map(|edge| edge.technique));
        }
        used
    };
    let (open, closed) = (found(true), found(false));
    for (_, id) in detected() {
        assert!(open.contains(&id), "`{id}` is not found");
        // Whoever acts as a node acts as its pods, wherever there are nodes.
        assert!(id == "eks-node-role" || !closed.contains(&id), "`{id}` is found where it is closed");
    }
}

#[test]
fn every_step_of_a_role_shows_its_binding_and_its_rule() {
    let found = reviewed(&bound(&rule("", "pods/exec", "create")), CLUSTER);
    let paths =
        found.attack.paths(Some(RUNNER), &bartizan_review::Goal::Components(vec![bartizan_model::Address::new("aws_iam_role.orders")]));
    let steps: Vec<&str> = paths[0].steps.iter().map(|step| step.technique.as_str()).collect();
    assert_eq!(steps, ["eks-k8s-exec-pod", "runs-as"]);
    let shown = |step: usize| -> Vec<&str> {
        paths[0].steps[step].evidence.iter().map(|item| found.architecture.sources.excerpt(item.span)).collect()
    };
    assert!(shown(0)[0].contains("name: runner, namespace: ci"), "{:?}", shown(0));
    assert!(shown(0)[1].contains("pods/exec"), "{:?}", shown(0));
    assert!(!shown(1).is_empty());
}

#[test]
fn a_right_in_one_namespace_stays_in_it() {
    let manifest = format!(
        "{WORKLOADS}
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: ci, namespace: ci}}
rules:
- {{apiGroups: [''], resources: [pods, pods/exec, secrets], verbs: ['*']}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: ci, namespace: ci}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: ci}}
subjects: [{{kind: ServiceAccount, name: runner}}]
"
    );
    let found = reviewed(&manifest, CLUSTER);
    assert_eq!(by(&found, RUNNER, "eks-k8s-exec-pod"), set(&["ci/Deployment/runner"]));
    assert_eq!(by(&found, RUNNER, "eks-k8s-secret-token"), set(&[]));
    assert_eq!(by(&found, RUNNER, "eks-k8s-create-pod"), set(&[]));
}

#[test]
fn an_enforced_standard_keeps_privileged_pods_out() {
    let manifest = |labels: &str| {
        format!(
            "{WORKLOADS}
apiVersion: v1
kind: Namespace
metadata: {{name: ci, labels: {labels}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: ci, namespace: ci}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}}
subjects: [{{kind: ServiceAccount, name: runner, namespace: ci}}]
"
        )
    };
    let open = reviewed(&manifest("{}"), CLUSTER);
    assert_eq!(by(&open, RUNNER, "eks-k8s-privileged-pod"), set(&["aws_eks_node_group.main"]));
    let closed = reviewed(&manifest("{pod-security.kubernetes.io/enforce: restricted}"), CLUSTER);
    assert_eq!(by(&closed, RUNNER, "eks-k8s-privileged-pod"), set(&[]));
}

#[test]
fn rights_that_terraform_declares_are_the_same() {
    let terraform = format!(
        r#"{CLUSTER}
resource "kubernetes_service_account" "runner" {{
  metadata {{
    name      = "builder"
    namespace = "ci"
  }}
}}
resource "kubernetes_cluster_role" "ci" {{
  metadata {{ name = "ci" }}
  rule {{
    api_groups = [""]
    resources  = ["pods/exec"]
    verbs      = ["create"]
  }}
}}
resource "kubernetes_cluster_role_binding" "ci" {{
  metadata {{ name = "ci" }}
  role_ref {{
    api_group = "rbac.authorization.k8s.io"
    kind      = "ClusterRole"
    name      = kubernetes_cluster_role.ci.metadata[0].name
  }}
  subject {{
    kind      = "ServiceAccount"
    name      = kubernetes_service_account.runner.metadata[0].name
    namespace = "ci"
  }}
}}
"#
    );
    let found = reviewed(WORKLOADS, &terraform);
    let gained = by(&found, "kubernetes_service_account.runner", "eks-k8s-exec-pod");
    assert!(gained.contains("shop/Deployment/orders"), "{gained:?}");
}

#[test]
fn a_detector_that_is_not_there_is_a_mistake_of_the_catalogue() {
    let primitive = |detector: &str| {
        let text = format!(
            "primitives:\n  - id: x\n    title: X\n    kind: k8s\n    detector: {detector}\n    target: [eks.cluster]\n    gives: cluster\n"
        );
        load(vec![("attack/x.yaml".to_owned(), text)])
    };
    let loaded: Result<Catalogue, Vec<String>> = primitive("role-bind");
    assert!(loaded.is_ok(), "{loaded:?}");
    let told = primitive("role-bund").unwrap_err().join("\n");
    assert!(told.contains("role-bund") && told.contains("attack/x.yaml"), "{told}");
}
