//! Who comes in from AWS or from outside: access entries, access policies, `aws-auth`, callers without a name.

use bartizan_review::Standing;

use super::{CLUSTER, WORKLOADS, bound, by, edges, reviewed, rule, set};

const OPERATOR: &str = r#"
resource "aws_iam_user" "operator" {
  name = "operator"
}
"#;

#[test]
fn access_policies_entries_and_aws_auth_let_principals_in() {
    let association = |policy: &str, scope: &str| {
        format!(
            r#"{CLUSTER}{OPERATOR}
resource "aws_eks_access_entry" "operator" {{
  cluster_name  = aws_eks_cluster.main.name
  principal_arn = aws_iam_user.operator.arn
}}
resource "aws_eks_access_policy_association" "operator" {{
  cluster_name  = aws_eks_cluster.main.name
  policy_arn    = "arn:aws:eks::aws:cluster-access-policy/{policy}"
  principal_arn = aws_iam_user.operator.arn
  access_scope {{
    {scope}
  }}
}}
"#
        )
    };
    let user = "aws_iam_user.operator";
    let admin = reviewed(WORKLOADS, &association("AmazonEKSClusterAdminPolicy", "type = \"cluster\""));
    assert_eq!(by(&admin, user, "cluster-administrator"), set(&["aws_eks_cluster.main"]));
    assert!(by(&admin, "aws_eks_cluster.main", "administers-cluster").contains("aws_iam_role.orders"));
    let view = reviewed(WORKLOADS, &association("AmazonEKSViewPolicy", "type = \"cluster\""));
    assert_eq!(by(&view, user, "cluster-administrator"), set(&[]));
    assert_eq!(by(&view, user, "eks-k8s-secret-token"), set(&[]));
    let edit = reviewed(WORKLOADS, &association("AmazonEKSEditPolicy", "type = \"namespace\"\n namespaces = [\"ci\"]"));
    assert_eq!(by(&edit, user, "eks-k8s-exec-pod"), set(&["ci/Deployment/runner"]));

    let auth = |group: &str| {
        format!(
            "{WORKLOADS}
apiVersion: v1
kind: ConfigMap
metadata: {{name: aws-auth, namespace: kube-system}}
data:
  mapUsers: |
    - userarn: arn:aws:iam::111122223333:user/operator
      username: operator
      groups:
        - {group}
"
        )
    };
    let with_user = format!("{CLUSTER}{OPERATOR}");
    let masters = reviewed(&auth("system:masters"), &with_user);
    assert_eq!(by(&masters, user, "cluster-administrator"), set(&["aws_eks_cluster.main"]));
    assert_eq!(by(&reviewed(&auth("viewers"), &with_user), user, "cluster-administrator"), set(&[]));
}

#[test]
fn an_open_endpoint_alone_gives_nothing_and_anonymous_rights_do() {
    let closed = reviewed(WORKLOADS, CLUSTER);
    assert!(edges(&closed).iter().all(|edge| !edge.ends_with(" aws_eks_cluster.main") || !edge.starts_with("internet ")));
    let anonymous = bound(&rule("", "pods/exec", "create"))
        .replace("{kind: ServiceAccount, name: runner, namespace: ci}", "{kind: User, name: 'system:anonymous'}");
    let open = reviewed(&anonymous, CLUSTER);
    assert!(by(&open, "internet", "eks-k8s-exec-pod").contains("shop/Deployment/orders"));
}

#[test]
fn aws_auth_that_terraform_writes_maps_roles_by_reference() {
    let terraform = |group: &str| {
        format!(
            r#"{CLUSTER}
resource "aws_iam_role" "ops" {{
  name               = "ops"
  assume_role_policy = jsonencode({{Statement = [{{Effect = "Allow", Principal = {{AWS = "arn:aws:iam::111122223333:root"}}, Action = "sts:AssumeRole"}}]}})
}}
resource "kubernetes_config_map" "aws_auth" {{
  metadata {{
    name      = "aws-auth"
    namespace = "kube-system"
  }}
  data = {{
    mapRoles = yamlencode([{{rolearn = aws_iam_role.ops.arn, username = "ops", groups = ["{group}"]}}])
  }}
}}
"#
        )
    };
    let ops = "aws_iam_role.ops";
    let found = |terraform: &str| by(&reviewed(WORKLOADS, terraform), ops, "cluster-administrator");
    assert_eq!(found(&terraform("system:masters")), set(&["aws_eks_cluster.main"]));
    assert_eq!(found(&terraform("viewers")), set(&[]));
    // A cluster that takes access entries only does not read the map.
    assert_eq!(found(&terraform("system:masters").replace("API_AND_CONFIG_MAP", "API")), set(&[]));
}

#[test]
fn who_calls_a_closed_endpoint_needs_a_place_in_its_network() {
    let verdict = |network: &str| {
        let terraform = format!(
            r#"{}{OPERATOR}
resource "aws_eks_access_policy_association" "operator" {{
  cluster_name  = aws_eks_cluster.main.name
  policy_arn    = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
  principal_arn = aws_iam_user.operator.arn
  access_scope {{ type = "cluster" }}
}}
variable "open" {{}}
"#,
            CLUSTER.replace(
                "  vpc_config { subnet_ids = [\"subnet-1\"] }",
                &format!("  vpc_config {{\n    subnet_ids = [\"subnet-1\"]\n    {network}\n  }}")
            )
        );
        let edges = reviewed(WORKLOADS, &terraform).attack.edges().0;
        edges.into_iter().find(|edge| edge.technique == "cluster-administrator").map(|edge| edge.verdict)
    };
    assert_eq!(verdict(""), Some(Standing::Yes));
    assert_eq!(verdict("endpoint_public_access = false"), Some(Standing::Conditional));
    assert_eq!(verdict("endpoint_public_access = var.open"), Some(Standing::Conditional));
    assert_eq!(verdict("public_access_cidrs = [\"192.0.2.0/24\"]"), Some(Standing::Conditional));
}
