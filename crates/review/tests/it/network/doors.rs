//! Doors that AWS keeps into and out of a VPC: Instance Connect endpoints, Client VPN, sessions without a way in, NAT, endpoint policies.

use super::{Drawn, network, terraform};

/// SSH from `peer`, and an Instance Connect endpoint.
fn tunnel(peer: &str, endpoint: &str) -> Drawn {
    terraform(&network(
        &format!("ingress {{\n from_port = 22\n to_port = 22\n protocol = \"tcp\"\n {peer}\n }}"),
        &format!(
            r#"
resource "aws_security_group" "door" {{
  vpc_id = aws_vpc.main.id
  egress {{
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/16"]
  }}
}}
resource "aws_ec2_instance_connect_endpoint" "door" {{
  subnet_id          = aws_subnet.public.id
  security_group_ids = [aws_security_group.door.id]
  {endpoint}
}}"#
        ),
    ))
}

const DOOR: &str = "aws_ec2_instance_connect_endpoint.door";

#[test]
fn an_instance_connect_endpoint_leads_to_hosts_that_admit_it() {
    let by_group = tunnel("security_groups = [aws_security_group.door.id]", "");
    by_group.has("aws_ec2_instance_connect_endpoint.door -> aws_instance.app ssh:22");
    by_group.has("operator -> aws_ec2_instance_connect_endpoint.door https:443");
    by_group.has_none("internet ->");
    by_group.says(DOOR, "aws_instance.app", "aws_security_group.app");
    // Which addresses a range has to admit depends on whose the host sees.
    let own = "cidr_blocks = [\"10.0.1.0/24\"]";
    tunnel(own, "preserve_client_ip = false").has("aws_ec2_instance_connect_endpoint.door -> aws_instance.app ssh:22");
    tunnel(own, "").has_none("aws_ec2_instance_connect_endpoint.door ->");
    let office = "cidr_blocks = [\"203.0.113.0/24\"]";
    tunnel(office, "").has("aws_ec2_instance_connect_endpoint.door -> aws_instance.app ssh:22");
    tunnel(office, "preserve_client_ip = false").has_none("aws_ec2_instance_connect_endpoint.door ->");
}

#[test]
fn an_instance_connect_endpoint_needs_a_rule_that_lets_its_call_out() {
    let text = |range: &str| {
        network(
            "ingress {\n from_port = 22\n to_port = 22\n protocol = \"tcp\"\n cidr_blocks = [\"10.0.0.0/16\"]\n }",
            &format!(
                "resource \"aws_security_group\" \"door\" {{\n vpc_id = aws_vpc.main.id\n egress {{\n from_port = 22\n to_port = 22\n protocol = \"tcp\"\n cidr_blocks = [\"{range}\"]\n }}\n}}\nresource \"aws_ec2_instance_connect_endpoint\" \"door\" {{\n subnet_id = aws_subnet.public.id\n security_group_ids = [aws_security_group.door.id]\n preserve_client_ip = false\n}}"
            ),
        )
    };
    terraform(&text("10.0.0.0/16")).has("aws_ec2_instance_connect_endpoint.door -> aws_instance.app ssh:22");
    terraform(&text("10.9.0.0/16")).has_none("aws_ec2_instance_connect_endpoint.door ->");
}

/// A database that admits the group of a Client VPN endpoint, which lets clients to `range`.
fn vpn(range: &str) -> Drawn {
    terraform(&network(
        "",
        &format!(
            r#"
resource "aws_security_group" "vpn" {{
  vpc_id = aws_vpc.main.id
  egress {{
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }}
}}
resource "aws_ec2_client_vpn_endpoint" "staff" {{
  client_cidr_block      = "10.20.0.0/22"
  server_certificate_arn = "arn:aws:acm:eu-west-1:111122223333:certificate/c"
  vpc_id                 = aws_vpc.main.id
  security_group_ids     = [aws_security_group.vpn.id]
  authentication_options {{ type = "certificate-authentication" }}
  connection_log_options {{ enabled = false }}
}}
resource "aws_ec2_client_vpn_network_association" "staff" {{
  client_vpn_endpoint_id = aws_ec2_client_vpn_endpoint.staff.id
  subnet_id              = aws_subnet.inner.id
}}
resource "aws_ec2_client_vpn_authorization_rule" "staff" {{
  client_vpn_endpoint_id = aws_ec2_client_vpn_endpoint.staff.id
  target_network_cidr    = "{range}"
  authorize_all_groups   = true
}}
resource "aws_security_group" "db" {{
  vpc_id = aws_vpc.main.id
  ingress {{
    from_port       = 5432
    to_port         = 5432
    protocol        = "tcp"
    security_groups = [aws_security_group.vpn.id]
  }}
}}
resource "aws_db_subnet_group" "db" {{ subnet_ids = [aws_subnet.inner.id] }}
resource "aws_db_instance" "db" {{
  engine                 = "postgres"
  db_subnet_group_name   = aws_db_subnet_group.db.name
  vpc_security_group_ids = [aws_security_group.db.id]
}}"#
        ),
    ))
}

#[test]
fn clients_of_a_vpn_get_to_what_it_authorizes_and_the_target_admits() {
    let open = vpn("10.0.0.0/16");
    open.has("internet -> aws_ec2_client_vpn_endpoint.staff openvpn:443");
    open.has("aws_ec2_client_vpn_endpoint.staff -> aws_db_instance.db postgresql:5432");
    open.has_none("internet -> aws_db_instance.db");
    assert_eq!(open.listed("aws_db_instance.db", "network_callers"), ["aws_ec2_client_vpn_endpoint.staff"]);
    let closed = vpn("10.0.9.0/24");
    closed.has_none("aws_ec2_client_vpn_endpoint.staff ->");
    assert!(closed.listed("aws_db_instance.db", "network_callers").is_empty());
}

/// A host without a way in, in a subnet whose table has `routes`.
fn inner(routes: &str, more: &str) -> Drawn {
    terraform(&network(
        "egress {\n from_port = 443\n to_port = 443\n protocol = \"tcp\"\n cidr_blocks = [\"0.0.0.0/0\"]\n }",
        &format!(
            "resource \"aws_route_table\" \"inner\" {{\n vpc_id = aws_vpc.main.id\n {routes}\n}}\nresource \"aws_route_table_association\" \"inner\" {{\n subnet_id = aws_subnet.inner.id\n route_table_id = aws_route_table.inner.id\n}}\n{more}"
        ),
    ))
}

fn interface(name: &str, service: &str, more: &str) -> String {
    format!(
        "resource \"aws_vpc_endpoint\" \"{name}\" {{\n vpc_id = aws_vpc.main.id\n service_name = \"com.amazonaws.eu-west-1.{service}\"\n vpc_endpoint_type = \"Interface\"\n private_dns_enabled = true\n subnet_ids = [aws_subnet.inner.id]\n security_group_ids = [aws_security_group.tls.id]\n {more}\n}}\n"
    )
}

const TLS: &str = "resource \"aws_security_group\" \"tls\" {\n vpc_id = aws_vpc.main.id\n ingress {\n from_port = 443\n to_port = 443\n protocol = \"tcp\"\n cidr_blocks = [\"10.0.0.0/16\"]\n }\n}\n";

#[test]
fn a_session_needs_no_way_in_but_a_way_to_the_service() {
    let endpoints = [TLS, &interface("ssm", "ssm", ""), &interface("messages", "ssmmessages", "")].concat();
    let plan = inner("", &endpoints);
    assert_eq!(plan.listed("aws_instance.app", "calls_through"), ["aws_vpc_endpoint.ssm", "aws_vpc_endpoint.messages"]);
    assert!(plan.listed("aws_instance.app", "entered_by").is_empty());
    plan.has_none("internet ->");
    let closed = inner("", &endpoints.replace("10.0.0.0/16", "10.9.0.0/16"));
    assert!(closed.listed("aws_instance.app", "calls_through").is_empty());
}

#[test]
fn a_policy_of_an_endpoint_is_shown_where_calls_go_through_it() {
    let inline = interface("ssm", "ssm", "policy = \"{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":[]}\"");
    let attached = interface("ssm", "ssm", "")
        + "resource \"aws_vpc_endpoint_policy\" \"ssm\" {\n vpc_endpoint_id = aws_vpc_endpoint.ssm.id\n policy = jsonencode({ Version = \"2012-10-17\", Statement = [] })\n}\n";
    for endpoint in [inline, attached] {
        let text = [TLS, &endpoint].concat();
        let plan = inner("", &text);
        let address = bartizan_model::Address::new("aws_vpc_endpoint.ssm");
        let policy = plan.architecture.components.get(&address).and_then(|endpoint| endpoint.setting("policy")).map(|node| node.span);
        assert!(policy.is_some());
        let through = plan.fact("aws_instance.app", "calls_through").and_then(|node| node.value.as_list()).unwrap_or(&[]);
        assert_eq!(through.first().map(|node| Some(node.span)), Some(policy));
    }
}
