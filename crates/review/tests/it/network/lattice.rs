//! VPC Lattice: services, their networks and their targets.

use super::{Drawn, admits, network, terraform};

/// A service in a network that the VPC `joined` is associated with, the host as its target, and a caller that names the service.
fn meshed(peer: &str, joined: &str, more: &str, service: &str) -> Drawn {
    terraform(&network(
        &admits(peer),
        &format!(
            r#"
data "aws_ec2_managed_prefix_list" "mesh" {{ name = "com.amazonaws.eu-west-1.vpc-lattice" }}
data "aws_ec2_managed_prefix_list" "s3" {{ name = "com.amazonaws.eu-west-1.s3" }}
resource "aws_vpc" "other" {{ cidr_block = "10.7.0.0/16" }}
resource "aws_vpclattice_service_network" "mesh" {{ name = "mesh" }}
resource "aws_vpclattice_service_network_vpc_association" "mesh" {{
  service_network_identifier = aws_vpclattice_service_network.mesh.id
  vpc_identifier             = aws_vpc.{joined}.id
  {more}
}}
resource "aws_vpclattice_service" "orders" {{
  name = "orders"
  {service}
}}
resource "aws_vpclattice_service_network_service_association" "orders" {{
  service_network_identifier = aws_vpclattice_service_network.mesh.id
  service_identifier         = aws_vpclattice_service.orders.id
}}
resource "aws_vpclattice_listener" "orders" {{
  name               = "orders"
  protocol           = "HTTPS"
  port               = 443
  service_identifier = aws_vpclattice_service.orders.id
  default_action {{
    forward {{
      target_groups {{ target_group_identifier = aws_vpclattice_target_group.orders.id }}
    }}
  }}
}}
resource "aws_vpclattice_target_group" "orders" {{
  name = "orders"
  type = "INSTANCE"
  config {{
    port           = 8080
    protocol       = "HTTP"
    vpc_identifier = aws_vpc.main.id
  }}
}}
resource "aws_vpclattice_target_group_attachment" "orders" {{
  target_group_identifier = aws_vpclattice_target_group.orders.id
  target {{ id = aws_instance.app.id }}
}}
resource "aws_security_group" "caller" {{
  vpc_id = aws_vpc.main.id
  egress {{
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }}
}}
resource "aws_instance" "caller" {{
  ami                    = "ami-1"
  subnet_id              = aws_subnet.public.id
  vpc_security_group_ids = [aws_security_group.caller.id]
  user_data              = "URL=https://${{aws_vpclattice_service.orders.dns_entry[0].domain_name}}"
}}"#
        ),
    ))
}

const MESH: &str = "prefix_list_ids = [data.aws_ec2_managed_prefix_list.mesh.id]";

#[test]
fn a_service_leads_to_targets_that_admit_its_addresses() {
    for peer in [MESH, "cidr_blocks = [\"169.254.171.0/24\"]"] {
        meshed(peer, "main", "", "").has("aws_vpclattice_service.orders -> aws_instance.app http:8080");
    }
    for peer in ["cidr_blocks = [\"10.0.0.0/16\"]", "prefix_list_ids = [data.aws_ec2_managed_prefix_list.s3.id]"] {
        let closed = meshed(peer, "main", "", "");
        closed.has("aws_vpclattice_service.orders -> aws_instance.app http:8080 blocked");
        closed.says("aws_vpclattice_service.orders", "aws_instance.app", "aws_security_group.app");
    }
}

#[test]
fn callers_come_from_vpcs_that_are_associated() {
    let plan = meshed(MESH, "main", "", "");
    plan.has("aws_instance.caller -> aws_vpclattice_service.orders https:443");
    plan.has_none("internet ->");
    let apart = meshed(MESH, "other", "", "");
    apart.has("aws_instance.caller -> aws_vpclattice_service.orders https:443 blocked");
    apart.says("aws_instance.caller", "aws_vpclattice_service.orders", "aws_vpc.main");
}

#[test]
fn the_group_of_an_association_decides_who_calls() {
    let group = |peer: &str| {
        format!(
            "security_group_ids = [aws_security_group.mesh.id]\n}}\nresource \"aws_security_group\" \"mesh\" {{\n vpc_id = aws_vpc.main.id\n ingress {{\n from_port = 443\n to_port = 443\n protocol = \"tcp\"\n {peer}\n }}\n"
        )
    };
    meshed(MESH, "main", &group("security_groups = [aws_security_group.caller.id]"), "")
        .has("aws_instance.caller -> aws_vpclattice_service.orders https:443");
    let closed = meshed(MESH, "main", &group("security_groups = [aws_security_group.edge.id]"), "");
    closed.has("aws_instance.caller -> aws_vpclattice_service.orders https:443 blocked");
    closed.says("aws_instance.caller", "aws_vpclattice_service.orders", "aws_security_group.mesh");
}

#[test]
fn a_service_that_asks_for_signatures_says_so() {
    let asks = |service: &str| {
        let plan = meshed(MESH, "main", "", service);
        let flow = plan.architecture.flows.iter().find(|flow| flow.to.as_str() == "aws_vpclattice_service.orders");
        flow.and_then(|flow| flow.authentication.clone())
    };
    assert_eq!(asks("").as_deref(), Some("none"));
    assert_eq!(asks("auth_type = \"AWS_IAM\"").as_deref(), Some("iam"));
}
