//! Between VPCs: peering, transit gateways, appliances inside a VPC.

use super::super::super::verdict::Verdict::{No, Unknown, Yes};
use super::{Plan, terraform};

/// A VPC with one subnet, one route table, a group and a host, all named `name`; the group admits TCP 5432 of `peer`.
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
resource "aws_instance" "{name}" {{
  ami                    = "ami-1"
  subnet_id              = aws_subnet.{name}.id
  vpc_security_group_ids = [aws_security_group.{name}.id]
}}
"#
    )
}

const BY_RANGE: &str = "cidr_blocks = [\"10.0.0.0/8\"]";
const BY_GROUP: &str = "security_groups = [aws_security_group.a.id]";

fn route(from: &str, to: &str, target: &str) -> String {
    format!(
        "resource \"aws_route\" \"{from}{to}\" {{\n route_table_id = aws_route_table.{from}.id\n destination_cidr_block = aws_vpc.{to}.cidr_block\n {target}\n}}\n"
    )
}

fn peering(one: &str, other: &str, more: &str) -> String {
    format!(
        "resource \"aws_vpc_peering_connection\" \"{one}{other}\" {{\n vpc_id = aws_vpc.{one}.id\n peer_vpc_id = aws_vpc.{other}.id\n {more}\n}}\n"
    )
}

const BY_PEERING: &str = "vpc_peering_connection_id = aws_vpc_peering_connection.ab.id";

fn peered(peer: &str, more: &str, routes: &str) -> Plan {
    terraform(&(side("a", "10.1", BY_RANGE) + &side("b", "10.2", peer) + &peering("a", "b", more) + routes))
}

fn both_routes() -> String {
    route("a", "b", BY_PEERING) + &route("b", "a", BY_PEERING)
}

#[test]
fn a_peering_needs_the_routes_of_both_sides() {
    peered(BY_RANGE, "", &both_routes()).pair("aws_instance.a", "aws_instance.b", 5432, Yes, "aws_vpc_peering_connection.ab");
    peered(BY_RANGE, "", &route("a", "b", BY_PEERING)).pair("aws_instance.a", "aws_instance.b", 5432, No, "aws_route_table.b");
    peered(BY_RANGE, "", &route("b", "a", BY_PEERING)).pair("aws_instance.a", "aws_instance.b", 5432, No, "aws_route_table.a");
    let apart = terraform(&(side("a", "10.1", BY_RANGE) + &side("b", "10.2", BY_RANGE)));
    apart.pair("aws_instance.a", "aws_instance.b", 5432, No, "nothing in the plan joins");
}

#[test]
fn a_more_specific_route_elsewhere_takes_the_traffic_away() {
    let detour = "resource \"aws_route\" \"detour\" {\n route_table_id = aws_route_table.a.id\n destination_cidr_block = \"10.2.1.0/24\"\n transit_gateway_id = aws_ec2_transit_gateway.t.id\n}\nresource \"aws_ec2_transit_gateway\" \"t\" {}\n";
    let plan = peered(BY_RANGE, "", &(both_routes() + detour));
    plan.pair("aws_instance.a", "aws_instance.b", 5432, No, "aws_route_table.a");
}

#[test]
fn peering_is_not_transitive() {
    let text = side("a", "10.1", BY_RANGE)
        + &side("b", "10.2", BY_RANGE)
        + &side("c", "10.3", BY_RANGE)
        + &peering("a", "b", "")
        + &peering("b", "c", "")
        + &both_routes()
        + &route("a", "c", BY_PEERING);
    terraform(&text).pair("aws_instance.a", "aws_instance.c", 5432, No, "not transitive");
}

#[test]
fn a_group_may_be_named_across_a_peering_in_one_region_and_not_across_regions() {
    peered(BY_GROUP, "", &both_routes()).pair("aws_instance.a", "aws_instance.b", 5432, Yes, "aws_security_group.a");
    let far = peered(BY_GROUP, "peer_region = \"us-east-1\"", &both_routes());
    far.pair("aws_instance.a", "aws_instance.b", 5432, No, "aws_vpc_peering_connection.ab");
    let by_range = peered(BY_RANGE, "peer_region = \"us-east-1\"", &both_routes());
    by_range.pair("aws_instance.a", "aws_instance.b", 5432, Yes, "aws_vpc_peering_connection.ab");
}

#[test]
fn a_route_to_a_range_that_a_variable_decides_is_a_maybe() {
    let text = side("a", "10.1", BY_RANGE)
        + &side("b", "10.2", BY_RANGE)
        + &peering("a", "b", "")
        + &both_routes().replace("destination_cidr_block = aws_vpc.b.cidr_block", "destination_cidr_block = var.net")
        + "variable \"net\" { type = string }\n";
    terraform(&text).pair("aws_instance.a", "aws_instance.b", 5432, Unknown, "aws_route_table.a");
}

fn attachment(name: &str, more: &str) -> String {
    format!(
        "resource \"aws_ec2_transit_gateway_vpc_attachment\" \"{name}\" {{\n transit_gateway_id = aws_ec2_transit_gateway.t.id\n vpc_id = aws_vpc.{name}.id\n subnet_ids = [aws_subnet.{name}.id]\n {more}\n}}\n"
    )
}

const BY_GATEWAY: &str = "transit_gateway_id = aws_ec2_transit_gateway.t.id";

/// `a` and `b` attached to a gateway, with routes of both VPCs to it.
fn hub(peer: &str, gateway: &str, attachments: (&str, &str), more: &str) -> Plan {
    terraform(
        &(side("a", "10.1", BY_RANGE)
            + &side("b", "10.2", peer)
            + &format!("resource \"aws_ec2_transit_gateway\" \"t\" {{ {gateway} }}\n")
            + &attachment("a", attachments.0)
            + &attachment("b", attachments.1)
            + &route("a", "b", BY_GATEWAY)
            + &route("b", "a", BY_GATEWAY)
            + more),
    )
}

#[test]
fn a_transit_gateway_joins_by_its_default_table_unless_an_attachment_stays_out() {
    hub(BY_RANGE, "", ("", ""), "").pair("aws_instance.a", "aws_instance.b", 5432, Yes, "aws_ec2_transit_gateway.t");
    let unpropagated = hub(BY_RANGE, "", ("", "transit_gateway_default_route_table_propagation = false"), "");
    unpropagated.pair("aws_instance.a", "aws_instance.b", 5432, No, "aws_ec2_transit_gateway_vpc_attachment.b");
    let unassociated = hub(BY_RANGE, "default_route_table_association = \"disable\"", ("", ""), "");
    unassociated.pair("aws_instance.a", "aws_instance.b", 5432, No, "aws_ec2_transit_gateway_vpc_attachment.a");
}

/// Route tables `a` and `b` of the gateway, each associated with the attachment of that name.
const TABLES: &str = r#"
resource "aws_ec2_transit_gateway_route_table" "a" { transit_gateway_id = aws_ec2_transit_gateway.t.id }
resource "aws_ec2_transit_gateway_route_table" "b" { transit_gateway_id = aws_ec2_transit_gateway.t.id }
resource "aws_ec2_transit_gateway_route_table_association" "a" {
  transit_gateway_attachment_id  = aws_ec2_transit_gateway_vpc_attachment.a.id
  transit_gateway_route_table_id = aws_ec2_transit_gateway_route_table.a.id
}
resource "aws_ec2_transit_gateway_route_table_association" "b" {
  transit_gateway_attachment_id  = aws_ec2_transit_gateway_vpc_attachment.b.id
  transit_gateway_route_table_id = aws_ec2_transit_gateway_route_table.b.id
}
"#;

fn propagation(attachment: &str, table: &str) -> String {
    format!(
        "resource \"aws_ec2_transit_gateway_route_table_propagation\" \"{attachment}{table}\" {{\n transit_gateway_attachment_id = aws_ec2_transit_gateway_vpc_attachment.{attachment}.id\n transit_gateway_route_table_id = aws_ec2_transit_gateway_route_table.{table}.id\n}}\n"
    )
}

fn transit_route(table: &str, range: &str, more: &str) -> String {
    format!(
        "resource \"aws_ec2_transit_gateway_route\" \"{table}\" {{\n destination_cidr_block = \"{range}\"\n transit_gateway_route_table_id = aws_ec2_transit_gateway_route_table.{table}.id\n {more}\n}}\n"
    )
}

const TO_B: &str = "transit_gateway_attachment_id = aws_ec2_transit_gateway_vpc_attachment.b.id";

#[test]
fn tables_of_a_transit_gateway_lead_where_they_propagate_or_say() {
    let plan = |more: &str| hub(BY_RANGE, "", ("", ""), &(TABLES.to_owned() + &propagation("a", "b") + more));
    plan(&propagation("b", "a")).pair("aws_instance.a", "aws_instance.b", 5432, Yes, "aws_ec2_transit_gateway.t");
    plan("").pair("aws_instance.a", "aws_instance.b", 5432, No, "aws_ec2_transit_gateway_route_table.a");
    plan(&transit_route("a", "10.2.0.0/16", TO_B)).pair("aws_instance.a", "aws_instance.b", 5432, Yes, "aws_ec2_transit_gateway.t");
    let dropped = plan(&(propagation("b", "a") + &transit_route("a", "10.2.0.0/16", "blackhole = true")));
    dropped.pair("aws_instance.a", "aws_instance.b", 5432, No, "black hole");
    let one_way = hub(BY_RANGE, "", ("", ""), &(TABLES.to_owned() + &propagation("b", "a")));
    one_way.pair("aws_instance.a", "aws_instance.b", 5432, No, "aws_ec2_transit_gateway_route_table.b");
}

#[test]
fn a_group_may_be_named_across_a_transit_gateway_that_supports_it() {
    let on = "security_group_referencing_support = \"enable\"";
    let off = "security_group_referencing_support = \"disable\"";
    hub(BY_GROUP, "", ("", ""), "").pair("aws_instance.a", "aws_instance.b", 5432, No, "aws_ec2_transit_gateway.t");
    hub(BY_GROUP, on, ("", ""), "").pair("aws_instance.a", "aws_instance.b", 5432, Yes, "aws_security_group.a");
    hub(BY_GROUP, on, ("", off), "").pair("aws_instance.a", "aws_instance.b", 5432, No, "aws_ec2_transit_gateway_vpc_attachment.b");
    hub(BY_RANGE, "", ("", off), "").pair("aws_instance.a", "aws_instance.b", 5432, Yes, "aws_ec2_transit_gateway.t");
}

#[test]
fn a_gateway_of_another_plan_is_a_maybe() {
    let text = side("a", "10.1", BY_RANGE)
        + &side("b", "10.2", BY_RANGE)
        + &attachment("a", "")
        + &attachment("b", "")
        + &route("a", "b", BY_GATEWAY)
        + &route("b", "a", BY_GATEWAY)
        + "variable \"hub\" { type = string }\n";
    let text = text.replace("aws_ec2_transit_gateway.t.id", "\"tgw-0123\"");
    terraform(&text).pair("aws_instance.a", "aws_instance.b", 5432, Unknown, "tgw-0123");
}

#[test]
fn inside_a_vpc_a_more_specific_route_may_lead_through_a_firewall() {
    let text = side("a", "10.1", BY_GROUP)
        + "resource \"aws_subnet\" \"inner\" {\n vpc_id = aws_vpc.a.id\n cidr_block = \"10.1.2.0/24\"\n}\nresource \"aws_instance\" \"inner\" {\n ami = \"ami-1\"\n subnet_id = aws_subnet.inner.id\n vpc_security_group_ids = [aws_security_group.a.id]\n}\n";
    terraform(&text).pair("aws_instance.a", "aws_instance.inner", 5432, Yes, "aws_security_group.a");
    let steered = text
        + "resource \"aws_route\" \"inspect\" {\n route_table_id = aws_route_table.a.id\n destination_cidr_block = \"10.1.2.0/24\"\n vpc_endpoint_id = aws_vpc_endpoint.inspect.id\n}\nresource \"aws_vpc_endpoint\" \"inspect\" {\n vpc_id = aws_vpc.a.id\n vpc_endpoint_type = \"GatewayLoadBalancer\"\n service_name = \"com.amazonaws.vpce.eu-west-1.vpce-svc-1\"\n}\n";
    terraform(&steered).pair("aws_instance.a", "aws_instance.inner", 5432, No, "aws_vpc_endpoint.inspect");
    terraform(&steered.replace(BY_GROUP, BY_RANGE)).pair("aws_instance.a", "aws_instance.inner", 5432, Unknown, "aws_vpc_endpoint.inspect");
}

#[test]
fn what_is_behind_a_vpn_is_a_maybe() {
    let gateway = |name: &str| format!("resource \"aws_vpn_gateway\" \"{name}\" {{ vpc_id = aws_vpc.{name}.id }}\n");
    let both = [gateway("a"), gateway("b")].concat();
    let there = route("a", "b", "gateway_id = aws_vpn_gateway.a.id");
    let back = route("b", "a", "gateway_id = aws_vpn_gateway.b.id");
    let plan = |more: &str| terraform(&(side("a", "10.1", BY_RANGE) + &side("b", "10.2", BY_RANGE) + more));
    plan(&both).pair("aws_instance.a", "aws_instance.b", 5432, No, "nothing in the plan joins");
    plan(&[&both, there.as_str(), back.as_str()].concat()).pair("aws_instance.a", "aws_instance.b", 5432, Unknown, "aws_vpn_gateway.a");
    plan(&[&both, there.as_str()].concat()).pair("aws_instance.a", "aws_instance.b", 5432, No, "nothing in the plan joins");
}
