//! File systems: mount targets, mounts that are configured, and hosts that may mount what they reach.

use super::{Drawn, network, terraform};

/// Everything out, and NFS in from whom `peer` names.
fn nfs(peer: &str) -> String {
    format!(
        "ingress {{\n from_port = 2049\n to_port = 2049\n protocol = \"tcp\"\n {peer}\n }}\n egress {{\n from_port = 0\n to_port = 0\n protocol = \"-1\"\n cidr_blocks = [\"0.0.0.0/0\"]\n }}"
    )
}

/// A file system with a mount target in the inner subnet whose group `files` admits `peer`.
fn shared(peer: &str, more: &str) -> Drawn {
    terraform(&network(
        "egress {\n from_port = 0\n to_port = 0\n protocol = \"-1\"\n cidr_blocks = [\"0.0.0.0/0\"]\n }",
        &format!(
            r#"
resource "aws_security_group" "files" {{
  vpc_id = aws_vpc.main.id
  {}
}}
resource "aws_efs_file_system" "f" {{}}
resource "aws_efs_mount_target" "f" {{
  file_system_id  = aws_efs_file_system.f.id
  subnet_id       = aws_subnet.inner.id
  security_groups = [aws_security_group.files.id]
}}
{more}"#,
            nfs(peer)
        ),
    ))
}

const VPC_RANGE: &str = "cidr_blocks = [\"10.0.0.0/16\"]";
const ELSEWHERE: &str = "cidr_blocks = [\"10.9.0.0/16\"]";
const HOST: &str = "aws_instance.app -> aws_efs_file_system.f";

#[test]
fn a_host_may_mount_what_its_network_lets_it_reach() {
    let open = shared(VPC_RANGE, "");
    open.has("aws_instance.app -> aws_efs_file_system.f nfs:2049");
    open.says("aws_instance.app", "aws_efs_file_system.f", "aws_security_group.files");
    open.says("aws_instance.app", "aws_efs_file_system.f", "no policy of its own");
    shared("security_groups = [aws_security_group.app.id]", "").has("aws_instance.app -> aws_efs_file_system.f nfs:2049");
    shared(ELSEWHERE, "").has_none(HOST);
    // A variable that decides is neither.
    shared("cidr_blocks = [var.range]", "variable \"range\" { type = string }").has_none(HOST);
}

#[test]
fn a_crowd_that_only_the_network_lets_mount_is_a_fact_and_no_flow() {
    let crowd: String = (0..9)
        .map(|n| format!("resource \"aws_instance\" \"h{n}\" {{\n ami = \"ami-1\"\n subnet_id = aws_subnet.inner.id\n vpc_security_group_ids = [aws_security_group.app.id]\n}}\n"))
        .collect();
    let plan = shared(VPC_RANGE, &crowd);
    plan.has_none(HOST);
    plan.has_none("aws_instance.h0 ->");
    assert_eq!(plan.listed("aws_efs_file_system.f", "network_callers").len(), 10);
}

#[test]
fn another_vpc_does_not_mount() {
    let other = r#"
resource "aws_vpc" "other" { cidr_block = "10.7.0.0/16" }
resource "aws_subnet" "other" {
  vpc_id     = aws_vpc.other.id
  cidr_block = "10.7.1.0/24"
}
resource "aws_instance" "other" {
  ami       = "ami-1"
  subnet_id = aws_subnet.other.id
}"#;
    let plan = shared("cidr_blocks = [\"0.0.0.0/0\"]", other);
    plan.has("aws_instance.app -> aws_efs_file_system.f nfs:2049");
    plan.has_none("aws_instance.other ->");
}

/// A file system policy of one statement.
fn policy(principal: &str, condition: &str) -> String {
    format!(
        r#"
resource "aws_efs_file_system_policy" "f" {{
  file_system_id = aws_efs_file_system.f.id
  policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect    = "Allow"
      Principal = {{ AWS = "{principal}" }}
      Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
      Resource  = "*"
      {condition}
    }}]
  }})
}}"#
    )
}

#[test]
fn a_policy_of_the_file_system_decides_who_may_mount() {
    shared(VPC_RANGE, &policy("*", "")).has("aws_instance.app -> aws_efs_file_system.f nfs:2049");
    shared(VPC_RANGE, &policy("*", "Condition = { Bool = { \"elasticfilesystem:AccessedViaMountTarget\" = \"true\" } }"))
        .has("aws_instance.app -> aws_efs_file_system.f nfs:2049");
    shared(VPC_RANGE, &policy("arn:aws:iam::111122223333:role/other", "")).has_none(HOST);
}

/// Gives `aws_instance.app` a role that may mount.
fn with_role(peer: &str, resource: &str) -> Drawn {
    let role = format!(
        r#"
resource "aws_iam_role" "app" {{
  name               = "app"
  assume_role_policy = "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Principal\":{{\"Service\":\"ec2.amazonaws.com\"}},\"Action\":\"sts:AssumeRole\"}}]}}"
}}
resource "aws_iam_role_policy" "app" {{
  role = aws_iam_role.app.id
  policy = jsonencode({{
    Version   = "2012-10-17"
    Statement = [{{ Effect = "Allow", Action = "elasticfilesystem:ClientMount", Resource = {resource} }}]
  }})
}}
resource "aws_iam_instance_profile" "app" {{ role = aws_iam_role.app.name }}
resource "aws_instance" "clerk" {{
  ami                    = "ami-1"
  subnet_id              = aws_subnet.public.id
  vpc_security_group_ids = [aws_security_group.app.id]
  iam_instance_profile   = aws_iam_instance_profile.app.name
}}
{}"#,
        policy("arn:aws:iam::111122223333:role/other", "")
    );
    shared(peer, &role)
}

#[test]
fn a_role_that_may_mount_needs_the_network_all_the_same() {
    for resource in ["aws_efs_file_system.f.arn", "\"*\""] {
        let plan = with_role(VPC_RANGE, resource);
        plan.has("aws_instance.clerk -> aws_efs_file_system.f nfs:2049");
        plan.says("aws_instance.clerk", "aws_efs_file_system.f", "elasticfilesystem:ClientMount");
        plan.has_none(HOST);
    }
    let closed = with_role(ELSEWHERE, "aws_efs_file_system.f.arn");
    closed.has("aws_instance.clerk -> aws_efs_file_system.f nfs:2049 blocked");
    closed.says("aws_instance.clerk", "aws_efs_file_system.f", "aws_security_group.files");
    with_role(ELSEWHERE, "\"*\"").has_none("aws_instance.clerk -> aws_efs_file_system.f");
}

#[test]
fn user_data_that_names_a_file_system_is_a_mount() {
    let data = r#"
resource "aws_instance" "mounter" {
  ami                    = "ami-1"
  subnet_id              = aws_subnet.public.id
  vpc_security_group_ids = [aws_security_group.app.id]
  user_data              = "mount -t nfs4 ${aws_efs_file_system.f.dns_name}:/ /mnt"
}"#;
    let open = shared(VPC_RANGE, data);
    open.has("aws_instance.mounter -> aws_efs_file_system.f nfs:2049");
    open.says("aws_instance.mounter", "aws_efs_file_system.f", "user_data");
    let closed = shared(ELSEWHERE, data);
    closed.has("aws_instance.mounter -> aws_efs_file_system.f nfs:2049 blocked");
    closed.says("aws_instance.mounter", "aws_efs_file_system.f", "aws_security_group.files");
}

#[test]
fn functions_and_tasks_mount_what_they_are_configured_to() {
    let mounted = r#"
resource "aws_efs_access_point" "p" { file_system_id = aws_efs_file_system.f.id }
resource "aws_lambda_function" "fn" {
  function_name = "fn"
  role          = "arn:aws:iam::111122223333:role/fn"
  file_system_config {
    arn              = aws_efs_access_point.p.arn
    local_mount_path = "/mnt/f"
  }
  vpc_config {
    subnet_ids         = [aws_subnet.inner.id]
    security_group_ids = [aws_security_group.app.id]
  }
}
resource "aws_ecs_task_definition" "t" {
  family                = "t"
  container_definitions = "[]"
  volume {
    name = "f"
    efs_volume_configuration { file_system_id = aws_efs_file_system.f.id }
  }
}
resource "aws_ecs_service" "t" {
  name            = "t"
  task_definition = aws_ecs_task_definition.t.arn
  network_configuration {
    subnets         = [aws_subnet.inner.id]
    security_groups = [aws_security_group.app.id]
  }
}
resource "aws_lambda_function" "plain" {
  function_name = "plain"
  role          = "arn:aws:iam::111122223333:role/fn"
  vpc_config {
    subnet_ids         = [aws_subnet.inner.id]
    security_group_ids = [aws_security_group.app.id]
  }
}"#;
    let open = shared(VPC_RANGE, mounted);
    open.has("aws_lambda_function.fn -> aws_efs_file_system.f nfs:2049");
    open.has("aws_ecs_service.t -> aws_efs_file_system.f nfs:2049");
    open.has_none("aws_lambda_function.plain -> aws_efs_file_system.f");
    let closed = shared(ELSEWHERE, mounted);
    closed.has("aws_lambda_function.fn -> aws_efs_file_system.f nfs:2049 blocked");
    closed.has("aws_ecs_service.t -> aws_efs_file_system.f nfs:2049 blocked");
    closed.says("aws_lambda_function.fn", "aws_efs_file_system.f", "aws_security_group.files");
}
