//! Calls between hosts and stores of one VPC or two: the way there and back, groups, lists, appliances; what stops a call is named.

use super::{Drawn, terraform};

/// A VPC with a subnet, a route table and a group that admits TCP 5432 of `peer`.
fn side(name: &str, net: &str, peer: &str) -> String {
    format!(
        r#"
resource "aws_vpc" "{name}" {{ cidr_block = "{net}.0.0/16" }}
resource "aws_subnet" "{name}" {{
  vpc_id     = aws_vpc.{name}.id
  cidr_block = "{net}.1.0/24"
}}
resource "aws_route_table" "{name}" {{ vpc_id = aws_vpc.{name}.id }}
resource "aws_route_table_association" "{name}" {{
  subnet_id      = aws_subnet.{name}.id
  route_table_id = aws_route_table.{name}.id
}}
resource "aws_security_group" "{name}" {{
  vpc_id = aws_vpc.{name}.id
  ingress {{
    from_port = 5432
    to_port   = 5432
    protocol  = "tcp"
    {peer}
  }}
  egress {{
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }}
}}
"#
    )
}

/// A host in VPC `a` that names a database, which lies in the VPC `there`; the database's group admits `peer`.
fn asked(there: &str, peer: &str, more: &str) -> Drawn {
    let text = format!(
        r#"
resource "aws_db_subnet_group" "db" {{ subnet_ids = [aws_subnet.{there}.id] }}
resource "aws_db_instance" "db" {{
  engine                 = "postgres"
  db_subnet_group_name   = aws_db_subnet_group.db.name
  vpc_security_group_ids = [aws_security_group.{there}.id]
}}
resource "aws_instance" "a" {{
  ami                    = "ami-1"
  subnet_id              = aws_subnet.a.id
  vpc_security_group_ids = [aws_security_group.a.id]
  user_data              = "DB=${{aws_db_instance.db.endpoint}}"
}}
{more}"#
    );
    let (a, b) = if there == "a" { (peer, RANGE) } else { (RANGE, peer) };
    terraform(&(side("a", "10.1", a) + &side("b", "10.2", b) + &text))
}

fn route(from: &str, to: &str, target: &str) -> String {
    format!(
        "resource \"aws_route\" \"{from}{to}\" {{\n route_table_id = aws_route_table.{from}.id\n destination_cidr_block = aws_vpc.{to}.cidr_block\n {target}\n}}\n"
    )
}

const RANGE: &str = "cidr_blocks = [\"10.0.0.0/8\"]";
const GROUP: &str = "security_groups = [aws_security_group.a.id]";
const ITSELF: &str = "self = true";
const OPEN: &str = "aws_instance.a -> aws_db_instance.db postgresql:5432";
const CLOSED: &str = "aws_instance.a -> aws_db_instance.db postgresql:5432 blocked";

impl Drawn {
    #[track_caller]
    fn stopped_by(&self, named: &str) {
        self.has(CLOSED);
        self.says("aws_instance.a", "aws_db_instance.db", named);
    }
}

#[test]
fn groups_admit_members_their_own_and_ranges() {
    for peer in [RANGE, GROUP, ITSELF] {
        asked("a", peer, "").has(OPEN);
    }
    asked("a", "security_groups = [aws_security_group.b.id]", "").stopped_by("aws_security_group.a");
    let list = "resource \"aws_ec2_managed_prefix_list\" \"l\" {\n name = \"l\"\n address_family = \"IPv4\"\n max_entries = 1\n entry { cidr = \"RANGE\" }\n}\n";
    let by_list = "prefix_list_ids = [aws_ec2_managed_prefix_list.l.id]";
    asked("a", by_list, &list.replace("RANGE", "10.1.0.0/16")).has(OPEN);
    asked("a", by_list, &list.replace("RANGE", "10.9.0.0/16")).stopped_by("aws_security_group.a");
}

#[test]
fn a_peering_carries_calls_where_both_sides_route() {
    let peering = |more: &str| {
        format!("resource \"aws_vpc_peering_connection\" \"p\" {{\n vpc_id = aws_vpc.a.id\n peer_vpc_id = aws_vpc.b.id\n {more}\n}}\n")
    };
    let by = "vpc_peering_connection_id = aws_vpc_peering_connection.p.id";
    let (there, back) = (route("a", "b", by), route("b", "a", by));
    let both = there.clone() + &back;
    asked("b", RANGE, "").stopped_by("nothing in the plan joins");
    asked("b", RANGE, &(peering("") + &both)).has(OPEN);
    asked("b", RANGE, &(peering("") + &there)).stopped_by("aws_route_table.b");
    asked("b", RANGE, &(peering("") + &back)).stopped_by("aws_route_table.a");
    asked("b", GROUP, &(peering("") + &both)).has(OPEN);
    asked("b", GROUP, &(peering("peer_region = \"us-east-1\"") + &both)).stopped_by("aws_vpc_peering_connection.p");
}

#[test]
fn a_transit_gateway_carries_calls_and_groups_only_where_it_says() {
    let hub = |support: &str, attachment: &str| {
        let by = "transit_gateway_id = aws_ec2_transit_gateway.t.id";
        let attach = |name: &str, more: &str| {
            format!(
                "resource \"aws_ec2_transit_gateway_vpc_attachment\" \"{name}\" {{\n transit_gateway_id = aws_ec2_transit_gateway.t.id\n vpc_id = aws_vpc.{name}.id\n subnet_ids = [aws_subnet.{name}.id]\n {more}\n}}\n"
            )
        };
        format!("resource \"aws_ec2_transit_gateway\" \"t\" {{ {support} }}\n")
            + &attach("a", "")
            + &attach("b", attachment)
            + &route("a", "b", by)
            + &route("b", "a", by)
    };
    asked("b", RANGE, &hub("", "")).has(OPEN);
    asked("b", RANGE, &hub("", "transit_gateway_default_route_table_propagation = false"))
        .stopped_by("aws_ec2_transit_gateway_vpc_attachment.b");
    asked("b", GROUP, &hub("", "")).stopped_by("aws_ec2_transit_gateway.t");
    asked("b", GROUP, &hub("security_group_referencing_support = \"enable\"", "")).has(OPEN);
}

/// A database in a second subnet of VPC `a` whose network ACL lets everything in and out but for `rule`.
fn listed(rule: &str) -> Drawn {
    let allow = |direction: &str| {
        format!(
            "{direction} {{\n rule_no = 100\n action = \"allow\"\n protocol = \"-1\"\n from_port = 0\n to_port = 0\n cidr_block = \"0.0.0.0/0\"\n }}"
        )
    };
    let text = format!(
        "resource \"aws_subnet\" \"inner\" {{\n vpc_id = aws_vpc.a.id\n cidr_block = \"10.1.2.0/24\"\n}}\nresource \"aws_network_acl\" \"inner\" {{\n vpc_id = aws_vpc.a.id\n subnet_ids = [aws_subnet.inner.id]\n {}\n {}\n {rule}\n}}\nresource \"aws_security_group\" \"inner\" {{\n vpc_id = aws_vpc.a.id\n ingress {{\n from_port = 5432\n to_port = 5432\n protocol = \"tcp\"\n {GROUP}\n }}\n}}\n",
        allow("ingress"),
        allow("egress")
    );
    let plan = side("a", "10.1", RANGE)
        + &text
        + r#"
resource "aws_db_subnet_group" "db" { subnet_ids = [aws_subnet.inner.id] }
resource "aws_db_instance" "db" {
  engine                 = "postgres"
  db_subnet_group_name   = aws_db_subnet_group.db.name
  vpc_security_group_ids = [aws_security_group.inner.id]
}
resource "aws_instance" "a" {
  ami                    = "ami-1"
  subnet_id              = aws_subnet.a.id
  vpc_security_group_ids = [aws_security_group.a.id]
  user_data              = "DB=${aws_db_instance.db.endpoint}"
}"#;
    terraform(&plan)
}

#[test]
fn a_network_acl_needs_to_let_calls_in_and_their_replies_out() {
    let deny = |direction: &str, from: u16, to: u16| {
        format!(
            "{direction} {{\n rule_no = 10\n action = \"deny\"\n protocol = \"tcp\"\n from_port = {from}\n to_port = {to}\n cidr_block = \"10.1.1.0/24\"\n }}"
        )
    };
    listed("").has(OPEN);
    listed(&deny("ingress", 5432, 5432)).stopped_by("aws_network_acl.inner");
    listed(&deny("egress", 1024, 65535)).stopped_by("aws_network_acl.inner");
    listed(&deny("egress", 5432, 5432)).has(OPEN);
}

#[test]
fn a_firewall_between_subnets_decides_by_rules_of_its_own_and_ends_groups() {
    let firewall = |peer: &str| {
        let inner = "resource \"aws_subnet\" \"inner\" {\n vpc_id = aws_vpc.a.id\n cidr_block = \"10.1.2.0/24\"\n}\n";
        let inspected = r#"
resource "aws_networkfirewall_firewall" "f" {
  name                = "f"
  vpc_id              = aws_vpc.a.id
  firewall_policy_arn = "arn:aws:network-firewall:eu-west-1:111122223333:firewall-policy/p"
  subnet_mapping { subnet_id = aws_subnet.inner.id }
}
resource "aws_route" "inspect" {
  route_table_id         = aws_route_table.a.id
  destination_cidr_block = "10.1.2.0/24"
  vpc_endpoint_id        = tolist(aws_networkfirewall_firewall.f.firewall_status[0].sync_states)[0].attachment[0].endpoint_id
}
"#;
        let plan = side("a", "10.1", peer)
            + inner
            + inspected
            + "resource \"aws_db_subnet_group\" \"db\" { subnet_ids = [aws_subnet.inner.id] }\nresource \"aws_db_instance\" \"db\" {\n engine = \"postgres\"\n db_subnet_group_name = aws_db_subnet_group.db.name\n vpc_security_group_ids = [aws_security_group.a.id]\n}\nresource \"aws_instance\" \"a\" {\n ami = \"ami-1\"\n subnet_id = aws_subnet.a.id\n vpc_security_group_ids = [aws_security_group.a.id]\n user_data = \"DB=${aws_db_instance.db.endpoint}\"\n}\n";
        terraform(&plan)
    };
    let by_range = firewall(RANGE);
    by_range.has(OPEN);
    by_range.says("aws_instance.a", "aws_db_instance.db", "whose own rules decide");
    firewall(ITSELF).stopped_by("security groups do not count");
}

#[test]
fn a_proxy_stands_between_a_function_and_its_database() {
    let proxied = |peer: &str| {
        let groups = side("a", "10.1", RANGE)
            + &format!(
                "resource \"aws_security_group\" \"proxy\" {{\n vpc_id = aws_vpc.a.id\n ingress {{\n from_port = 5432\n to_port = 5432\n protocol = \"tcp\"\n {peer}\n }}\n egress {{\n from_port = 5432\n to_port = 5432\n protocol = \"tcp\"\n cidr_blocks = [\"10.1.0.0/16\"]\n }}\n}}\n"
            );
        let proxy = r#"
resource "aws_db_subnet_group" "db" { subnet_ids = [aws_subnet.a.id] }
resource "aws_db_instance" "db" {
  identifier             = "db"
  engine                 = "postgres"
  db_subnet_group_name   = aws_db_subnet_group.db.name
  vpc_security_group_ids = [aws_security_group.a.id]
}
resource "aws_db_proxy" "p" {
  name                   = "p"
  engine_family          = "POSTGRESQL"
  role_arn               = "arn:aws:iam::111122223333:role/p"
  vpc_subnet_ids         = [aws_subnet.a.id]
  vpc_security_group_ids = [aws_security_group.proxy.id]
}
resource "aws_db_proxy_target" "p" {
  db_instance_identifier = aws_db_instance.db.identifier
  db_proxy_name          = aws_db_proxy.p.name
  target_group_name      = "default"
}
resource "aws_lambda_function" "fn" {
  function_name = "fn"
  role          = "arn:aws:iam::111122223333:role/fn"
  environment { variables = { DB = aws_db_proxy.p.endpoint } }
  vpc_config {
    subnet_ids         = [aws_subnet.a.id]
    security_group_ids = [aws_security_group.a.id]
  }
}"#;
        terraform(&(groups + proxy))
    };
    let open = proxied(GROUP);
    open.has("aws_lambda_function.fn -> aws_db_proxy.p postgresql:5432");
    open.has("aws_db_proxy.p -> aws_db_instance.db postgresql:5432");
    open.has_none("internet ->");
    let closed = proxied("cidr_blocks = [\"10.9.0.0/16\"]");
    closed.has("aws_lambda_function.fn -> aws_db_proxy.p postgresql:5432 blocked");
    closed.says("aws_lambda_function.fn", "aws_db_proxy.p", "aws_security_group.proxy");
}
