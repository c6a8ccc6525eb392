//! From the cluster to AWS: roles that trust service accounts, and credentials that objects hold.

use super::{CLUSTER, RUNNER, bound, by, reviewed, rule, set};

#[test]
fn configuration_with_a_credential_is_read_by_who_may_read_its_object() {
    let terraform = format!("{CLUSTER}{KEYS}");
    let cases = [
        ("config-k8s-config-map", rule("", "configmaps", "get"), "kubernetes_config_map.mail"),
        ("config-k8s-workload", rule("", "pods", "list"), "kubernetes_pod.mail"),
        ("config-k8s-secret", rule("", "secrets", "get"), "kubernetes_secret.mail"),
    ];
    for (technique, rule, holder) in cases {
        let found = reviewed(&bound(&rule), &terraform);
        assert_eq!(by(&found, RUNNER, technique), set(&[holder]), "{technique}");
        assert!(by(&found, RUNNER, "leaked-access-key").contains("aws_iam_user.mailer"), "{technique}");
        let refused = reviewed(&bound(&self::rule("", "services", "get")), &terraform);
        assert_eq!(by(&refused, RUNNER, technique), set(&[]), "{technique}");
    }
}

#[test]
fn an_annotation_gives_a_pod_the_role_only_where_the_role_trusts_its_account() {
    let trust = |principal: &str, account: &str| {
        format!(
            r#"
resource "aws_iam_role" "stock" {{
  name               = "stock"
  assume_role_policy = jsonencode({{Statement = [{{Effect = "Allow", Principal = {principal}, Action = "sts:AssumeRoleWithWebIdentity",
    Condition = {{StringEquals = {{"oidc.eks.eu-west-1.amazonaws.com/id/A:sub" = "system:serviceaccount:shop:{account}"}}}}}}]}})
}}
"#
        )
    };
    let manifest = "
apiVersion: v1
kind: ServiceAccount
metadata: {name: stock, namespace: shop, annotations: {eks.amazonaws.com/role-arn: 'arn:aws:iam::111122223333:role/stock'}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: stock, namespace: shop}
spec:
  template:
    metadata: {labels: {app: stock}}
    spec:
      serviceAccountName: stock
      automountServiceAccountToken: false
      containers: [{name: stock, image: 'example.com/stock:1'}]
";
    let provider = r#"{Federated = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A"}"#;
    let roles = |terraform: &str| by(&reviewed(manifest, &format!("{CLUSTER}{terraform}")), "shop/Deployment/stock", "runs-as");
    assert_eq!(roles(&trust(provider, "stock")), set(&["aws_iam_role.stock"]));
    assert_eq!(roles(&trust(provider, "other")), set(&[]));
    assert_eq!(roles(&trust(r#"{Service = "lambda.amazonaws.com"}"#, "stock")), set(&[]));
}

/// A key in a config map, in a Secret and in the environment of a pod.
pub(super) const KEYS: &str = r#"
resource "aws_iam_user" "mailer" {
  name = "mailer"
}
resource "aws_iam_access_key" "mailer" {
  user = aws_iam_user.mailer.name
}
resource "kubernetes_config_map" "mail" {
  metadata {
    name      = "mail"
    namespace = "shop"
  }
  data = { key = aws_iam_access_key.mailer.secret }
}
resource "kubernetes_secret" "mail" {
  metadata {
    name      = "mail"
    namespace = "shop"
  }
  data = { key = aws_iam_access_key.mailer.secret }
}
resource "kubernetes_pod" "mail" {
  metadata {
    name      = "mail"
    namespace = "shop"
  }
  spec {
    container {
      name  = "mail"
      image = "example.com/mail:1"
      env {
        name  = "KEY"
        value = aws_iam_access_key.mailer.secret
      }
    }
  }
}
"#;

/// A role that takes tokens of the cluster of these accounts.
fn trusting(subjects: &str) -> String {
    format!(
        r#"{CLUSTER}
resource "aws_iam_openid_connect_provider" "main" {{
  url            = aws_eks_cluster.main.identity[0].oidc[0].issuer
  client_id_list = ["sts.amazonaws.com"]
}}
resource "aws_iam_role" "backup" {{
  name = "backup"
  assume_role_policy = jsonencode({{Statement = [{{
    Effect    = "Allow"
    Action    = "sts:AssumeRoleWithWebIdentity"
    Principal = {{Federated = aws_iam_openid_connect_provider.main.arn}}
    Condition = {{StringLike = {{"${{replace(aws_eks_cluster.main.identity[0].oidc[0].issuer, "https://", "")}}:sub" = [{subjects}]}}}}
  }}]}})
}}
"#
    )
}

#[test]
fn roles_are_taken_by_the_accounts_that_their_trust_lets_in() {
    let token = bound(&rule("", "serviceaccounts/token", "create"));
    let found = |subjects: &str| by(&reviewed(&token, &trusting(subjects)), RUNNER, "eks-k8s-token").contains("aws_iam_role.backup");
    assert!(found("\"system:serviceaccount:shop:orders\""));
    assert!(found("\"system:serviceaccount:*\""));
    assert!(found("\"system:serviceaccount:kube-system:backup\""), "a trust names an account that no file declares");
    assert!(!found("\"repo:example/app:*\""));
    assert!(!found("var.subject"), "nothing tells who is meant");
    // A right over the tokens of one namespace gives no account of another.
    let own = token.replace("kind: ClusterRoleBinding\nmetadata: {name: ci}", "kind: RoleBinding\nmetadata: {name: ci, namespace: ci}");
    let inner = |subjects: &str| by(&reviewed(&own, &trusting(subjects)), RUNNER, "eks-k8s-token").contains("aws_iam_role.backup");
    assert!(inner("\"system:serviceaccount:ci:*\""));
    assert!(!inner("\"system:serviceaccount:shop:*\""));
}

#[test]
fn an_annotation_gives_no_role_whose_trust_refuses_the_account() {
    let token = bound(&rule("", "serviceaccounts/token", "create")).replace("role/orders", "role/backup");
    let found = |subject: &str| {
        let terraform = trusting(&format!("\"system:serviceaccount:{subject}\""));
        by(&reviewed(&token, &terraform), RUNNER, "eks-k8s-token")
    };
    // The role of the orders trusts their account whatever the annotation says.
    assert_eq!(found("shop:orders"), set(&["aws_iam_role.backup", "aws_iam_role.orders"]));
    let own = token.replace("kind: ClusterRoleBinding\nmetadata: {name: ci}", "kind: RoleBinding\nmetadata: {name: ci, namespace: shop}");
    let refused = trusting("\"system:serviceaccount:other:orders\"");
    assert_eq!(by(&reviewed(&own, &refused), RUNNER, "eks-k8s-token"), set(&["aws_iam_role.orders"]));
}
