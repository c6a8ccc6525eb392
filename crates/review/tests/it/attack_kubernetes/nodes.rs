//! Pods and tasks and the machines below them, and machines that the internet reaches.

use super::{CLUSTER, RUNNER, WORKLOADS, bound, by, reviewed, rule, set};
use crate::support::{CATALOGUE, review};

#[test]
fn a_pod_without_a_token_is_nobody_in_the_cluster() {
    let open = bound(&rule("", "pods/exec", "create"));
    assert_eq!(by(&reviewed(&open, CLUSTER), "ci/Deployment/runner", "runs-as"), set(&[RUNNER]));
    let closed = open.replace("serviceAccountName: runner", "serviceAccountName: runner\n      automountServiceAccountToken: false");
    assert_eq!(by(&reviewed(&closed, CLUSTER), "ci/Deployment/runner", "runs-as"), set(&[]));
}

#[test]
fn pods_reach_their_node_by_its_metadata_its_network_or_a_way_out() {
    let technique = "eks-node-metadata";
    let orders = "shop/Deployment/orders";
    let node = set(&["aws_eks_node_group.main", "aws_iam_role.node"]);
    let far = CLUSTER.replace("hop_limit = 1", "hop_limit = 2");
    let optional = CLUSTER.replace("= \"required\"", "= \"optional\"");
    assert_eq!(by(&reviewed(WORKLOADS, CLUSTER), orders, technique), set(&[]));
    assert_eq!(by(&reviewed(WORKLOADS, &far), orders, technique), node);
    assert_eq!(by(&reviewed(WORKLOADS, &optional), orders, technique), node);
    let on_network = WORKLOADS.replace("serviceAccountName: orders", "serviceAccountName: orders\n      hostNetwork: true");
    assert_eq!(by(&reviewed(&on_network, CLUSTER), orders, technique), node);
    // Pods run on tainted nodes where they tolerate the taint.
    let taint = "taint {\n    key    = \"only\"\n    value  = \"jobs\"\n    effect = \"NO_SCHEDULE\"\n  }\n";
    let tainted = far.replace("  launch_template {\n    id ", &format!("  {taint}  launch_template {{\n    id "));
    assert_ne!(tainted, far);
    assert_eq!(by(&reviewed(WORKLOADS, &tainted), orders, technique), set(&[]));
    let tolerant = |toleration: &str| {
        let tolerations = format!("serviceAccountName: orders\n      tolerations: [{toleration}]");
        by(&reviewed(&WORKLOADS.replace("serviceAccountName: orders", &tolerations), &tainted), orders, technique)
    };
    assert_eq!(tolerant("{key: only, value: jobs, effect: NoSchedule}"), node);
    assert_eq!(tolerant("{operator: Exists}"), node);
    assert_eq!(tolerant("{key: only, value: other}"), set(&[]));
    let policy = |except: &str| {
        format!(
            "{WORKLOADS}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: out, namespace: shop}}
spec:
  podSelector: {{}}
  policyTypes: [Egress]
  egress: [{{to: [{{ipBlock: {{cidr: 0.0.0.0/0, except: [{except}]}}}}]}}]
"
        )
    };
    assert_eq!(by(&reviewed(&policy("169.254.169.254/32"), &far), orders, technique), set(&[]));
    assert_eq!(by(&reviewed(&policy("10.0.0.0/8"), &far), orders, technique), node);
    let privileged = WORKLOADS.replace("{name: orders, image", "{name: orders, securityContext: {privileged: true}, image");
    assert_eq!(by(&reviewed(&privileged, CLUSTER), orders, "leaves-container"), set(&["aws_eks_node_group.main"]));
    // A namespace that enforces a standard does not start such pods.
    let enforced = |manifest: &str| {
        manifest.replace("metadata: {name: shop}", "metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: baseline}}")
    };
    assert_eq!(by(&reviewed(&enforced(&privileged), CLUSTER), orders, "leaves-container"), set(&[]));
    assert_eq!(by(&reviewed(&enforced(&on_network), CLUSTER), orders, technique), set(&[]));
    assert_eq!(by(&reviewed(WORKLOADS, CLUSTER), orders, "leaves-container"), set(&[]));
    // Who acts as the node takes the roles of the pods on it.
    assert_eq!(by(&reviewed(WORKLOADS, &far), "aws_eks_node_group.main", "eks-node-role"), set(&["aws_iam_role.orders"]));
}

#[test]
fn fargate_has_no_node_to_leave_for() {
    let far = CLUSTER.replace("hop_limit = 1", "hop_limit = 2");
    let profile = r#"
resource "aws_eks_fargate_profile" "shop" {
  cluster_name           = aws_eks_cluster.main.name
  fargate_profile_name   = "shop"
  pod_execution_role_arn = "arn:aws:iam::111122223333:role/fargate"
  selector { namespace = "shop" }
}
"#;
    let found = reviewed(WORKLOADS, &format!("{far}{profile}"));
    assert_eq!(by(&found, "shop/Deployment/orders", "eks-node-metadata"), set(&[]));
    assert!(!by(&found, "ci/Deployment/runner", "eks-node-metadata").is_empty());
    assert_eq!(by(&found, "aws_eks_node_group.main", "eks-node-role"), set(&[]));
}

pub(super) const TASKS: &str = r#"
resource "aws_iam_role" "machine" {
  name               = "machine"
  assume_role_policy = jsonencode({Statement = [{Effect = "Allow", Principal = {Service = "ec2.amazonaws.com"}, Action = "sts:AssumeRole"}]})
}
resource "aws_iam_instance_profile" "machine" {
  name = "machine"
  role = aws_iam_role.machine.name
}
resource "aws_launch_template" "machine" {
  name      = "machine"
  user_data = base64encode("ECS_CLUSTER=main\nECS_OTHER=1")
  iam_instance_profile { name = aws_iam_instance_profile.machine.name }
  metadata_options { http_tokens = "optional" }
}
resource "aws_autoscaling_group" "machine" {
  name     = "machine"
  min_size = 1
  max_size = 2
  launch_template { id = aws_launch_template.machine.id }
}
resource "aws_ecs_capacity_provider" "machine" {
  name = "machine"
  auto_scaling_group_provider { auto_scaling_group_arn = aws_autoscaling_group.machine.arn }
}
resource "aws_ecs_cluster" "main" {
  name = "main"
}
resource "aws_ecs_cluster_capacity_providers" "main" {
  cluster_name       = aws_ecs_cluster.main.name
  capacity_providers = [aws_ecs_capacity_provider.machine.name]
}
resource "aws_ecs_task_definition" "app" {
  family                = "app"
  network_mode          = "bridge"
  container_definitions = jsonencode([{name = "app", image = "example.com/app:1"}])
}
resource "aws_ecs_service" "app" {
  name            = "app"
  cluster         = aws_ecs_cluster.main.id
  task_definition = aws_ecs_task_definition.app.arn
  launch_type     = "EC2"
}
"#;

#[test]
fn tasks_fetch_the_credentials_of_their_machine_unless_kept_from_it() {
    let found = |terraform: &str| by(&review(&CATALOGUE.0, &[("main.tf", terraform)]), "aws_ecs_service.app", "ecs-instance-metadata");
    let role = set(&["aws_iam_role.machine"]);
    assert_eq!(found(TASKS), role);
    let required = TASKS.replace("\"optional\"", "\"required\"");
    assert_eq!(found(&required), set(&[]));
    assert_eq!(found(&required.replace("\"bridge\"", "\"host\"")), role);
    assert_eq!(found(&TASKS.replace("\"EC2\"", "\"FARGATE\"")), set(&[]));
    let left = |terraform: &str| by(&review(&CATALOGUE.0, &[("main.tf", terraform)]), "aws_ecs_service.app", "leaves-container");
    let privileged = TASKS.replace("image = \"example.com/app:1\"", "image = \"example.com/app:1\", privileged = true");
    assert_eq!(left(&privileged), set(&["aws_autoscaling_group.machine"]));
    assert_eq!(left(TASKS), set(&[]));
    assert_eq!(left(&privileged.replace("\"EC2\"", "\"FARGATE\"")), set(&[]));
    let blocked = TASKS.replace("\"bridge\"", "\"awsvpc\"").replace("ECS_OTHER=1", "ECS_AWSVPC_BLOCK_IMDS=true");
    assert_eq!(found(&blocked), set(&[]));
}

pub(super) const WEB: &str = r#"
resource "aws_vpc" "main" { cidr_block = "10.0.0.0/16" }
resource "aws_internet_gateway" "main" { vpc_id = aws_vpc.main.id }
resource "aws_route_table" "main" {
  vpc_id = aws_vpc.main.id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.main.id
  }
}
resource "aws_subnet" "main" {
  vpc_id                  = aws_vpc.main.id
  cidr_block              = "10.0.1.0/24"
  map_public_ip_on_launch = true
}
resource "aws_route_table_association" "main" {
  subnet_id      = aws_subnet.main.id
  route_table_id = aws_route_table.main.id
}
resource "aws_security_group" "web" {
  vpc_id = aws_vpc.main.id
  ingress {
    from_port   = 80
    to_port     = 80
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
resource "aws_iam_role" "web" {
  name               = "web"
  assume_role_policy = jsonencode({Statement = [{Effect = "Allow", Principal = {Service = "ec2.amazonaws.com"}, Action = "sts:AssumeRole"}]})
}
resource "aws_iam_instance_profile" "web" {
  name = "web"
  role = aws_iam_role.web.name
}
resource "aws_instance" "web" {
  ami                    = "ami-1"
  instance_type          = "t3.micro"
  subnet_id              = aws_subnet.main.id
  vpc_security_group_ids = [aws_security_group.web.id]
  iam_instance_profile   = aws_iam_instance_profile.web.name
  metadata_options { http_tokens = "optional" }
}
"#;

#[test]
fn a_machine_that_asks_for_no_token_gives_its_role_by_a_forged_request() {
    let found = |terraform: &str| by(&review(&CATALOGUE.0, &[("main.tf", terraform)]), "internet", "instance-metadata-request-forgery");
    assert_eq!(found(WEB), set(&["aws_iam_role.web"]));
    assert_eq!(found(&WEB.replace("\"optional\"", "\"required\"")), set(&[]));
    assert_eq!(found(&WEB.replace("0.0.0.0/0\"]", "10.0.0.0/8\"]")), set(&[]));
}
