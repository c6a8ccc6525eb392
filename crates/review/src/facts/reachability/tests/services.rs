//! Calls to AWS services, and who calls whom without asking every pair.

use bartizan_model::Address;

use super::super::super::network::Protocol;
use super::super::super::verdict::Verdict::{self, No, Unknown, Yes};
use super::super::{Pairs, service_path};
use super::{OPEN, Plan, ROUTE, VPC, terraform};

/// A host in the inner subnet, whose table has these routes; further resources.
fn inner(more: &str) -> Plan {
    terraform(&format!(
        "{VPC}{ROUTE}{OPEN}
resource \"aws_route_table\" \"inner\" {{ vpc_id = aws_vpc.main.id }}
resource \"aws_route_table_association\" \"inner\" {{
  subnet_id      = aws_subnet.inner.id
  route_table_id = aws_route_table.inner.id
}}
resource \"aws_instance\" \"web\" {{
  ami                    = \"ami-1\"
  subnet_id              = aws_subnet.inner.id
  vpc_security_group_ids = [aws_security_group.web.id]
}}
{more}"
    ))
}

const NAT: &str = "resource \"aws_nat_gateway\" \"n\" {\n subnet_id = aws_subnet.public.id\n}\nresource \"aws_route\" \"leave\" {\n route_table_id = aws_route_table.inner.id\n destination_cidr_block = \"0.0.0.0/0\"\n nat_gateway_id = aws_nat_gateway.n.id\n}\n";
const GATEWAY: &str = "resource \"aws_vpc_endpoint\" \"s3\" {\n vpc_id = aws_vpc.main.id\n service_name = \"com.amazonaws.${var.region}.s3\"\n route_table_ids = [aws_route_table.inner.id]\n}\nvariable \"region\" { type = string }\n";

#[track_caller]
fn calls(plan: &Plan, service: &str, verdict: Verdict, through: Option<&str>, named: &str) {
    let from = plan.endpoints.get(&Address::new("aws_instance.web"));
    let path = service_path(&plan.network, &plan.endpoints, from, service);
    assert_eq!((path.verdict, path.through.as_ref().map(Address::as_str)), (verdict, through), "{path:?}");
    assert!(path.reasons.iter().any(|reason| reason.text.contains(named)), "`{named}` is not named: {path:?}");
}

#[test]
fn without_a_route_or_an_endpoint_no_service_is_reached() {
    calls(&inner(""), "s3", No, None, "no endpoint for s3");
    calls(&inner(NAT), "s3", Yes, None, "aws_route_table.inner");
    calls(&inner(GATEWAY), "s3", Yes, Some("aws_vpc_endpoint.s3"), "aws_vpc_endpoint.s3");
    calls(&inner(GATEWAY), "sqs", No, None, "no endpoint for sqs");
}

#[test]
fn without_a_public_address_an_internet_gateway_is_no_way_out() {
    let route = "resource \"aws_route\" \"leave\" {\n route_table_id = aws_route_table.inner.id\n destination_cidr_block = \"0.0.0.0/0\"\n gateway_id = aws_internet_gateway.main.id\n}\n";
    calls(&inner(route), "s3", No, None, "no route to the internet");
}

#[test]
fn an_interface_endpoint_is_reached_as_its_group_says_and_takes_the_services_name() {
    let endpoint = |peer: &str| {
        format!(
            "resource \"aws_security_group\" \"e\" {{\n vpc_id = aws_vpc.main.id\n ingress {{\n from_port = 443\n to_port = 443\n protocol = \"tcp\"\n {peer}\n }}\n}}\nresource \"aws_vpc_endpoint\" \"q\" {{\n vpc_id = aws_vpc.main.id\n service_name = \"com.amazonaws.eu-west-1.sqs\"\n vpc_endpoint_type = \"Interface\"\n private_dns_enabled = true\n subnet_ids = [aws_subnet.inner.id]\n security_group_ids = [aws_security_group.e.id]\n}}\nvariable \"range\" {{ type = string }}\n{NAT}"
        )
    };
    calls(&inner(&endpoint("cidr_blocks = [\"10.0.0.0/16\"]")), "sqs", Yes, Some("aws_vpc_endpoint.q"), "aws_security_group.e");
    // The name resolves to the endpoint, so the way through NAT is not taken.
    calls(&inner(&endpoint("cidr_blocks = [\"10.9.0.0/16\"]")), "sqs", No, Some("aws_vpc_endpoint.q"), "aws_security_group.e");
    calls(&inner(&endpoint("cidr_blocks = [var.range]")), "sqs", Unknown, Some("aws_vpc_endpoint.q"), "aws_security_group.e");
    let by_other_names = endpoint("self = true").replace("private_dns_enabled = true", "private_dns_enabled = false");
    calls(&inner(&by_other_names), "sqs", Yes, None, "aws_route_table.inner");
}

#[test]
fn pairs_find_callers_by_rule_and_decide_those_that_are_alike_once() {
    let hosts: String = (0..50)
        .map(|n| {
            format!(
                "resource \"aws_security_group\" \"g{n}\" {{\n vpc_id = aws_vpc.main.id\n egress {{\n from_port = 0\n to_port = 0\n protocol = \"-1\"\n cidr_blocks = [\"0.0.0.0/0\"]\n }}\n}}\nresource \"aws_instance\" \"h{n}\" {{\n ami = \"ami-1\"\n subnet_id = aws_subnet.public.id\n vpc_security_group_ids = [aws_security_group.g{n}.id]\n}}\n"
            )
        })
        .collect();
    let plan = inner(&hosts);
    let pairs = Pairs::new(&plan.network, &plan.endpoints);
    let callers = pairs.callers(&Address::new("aws_instance.web"), &Protocol::Tcp, 22);
    assert!(callers.len() <= 2, "{} decisions", callers.len());
    assert_eq!(callers.iter().map(|callers| callers.members.len()).sum::<usize>(), 51);
    // Asked one by one, the answers are the same.
    let target = plan.endpoints.get(&Address::new("aws_instance.web")).unwrap();
    for (address, endpoint) in &plan.endpoints {
        let one = super::reaches(&plan.network, endpoint, target, &Protocol::Tcp, Some(22)).verdict;
        let listed = callers.iter().find(|callers| callers.members.contains(&address)).map_or(No, |callers| callers.decision.verdict);
        assert_eq!(one, listed, "{address}");
    }
    assert!(pairs.callers(&Address::new("aws_instance.web"), &Protocol::Tcp, 80).is_empty());
}

#[test]
fn a_nat_gateway_leads_out_only_where_it_gets_out_itself() {
    let nat = |more: &str| NAT.replace("subnet_id = aws_subnet.public.id", more);
    calls(&inner(&nat("subnet_id = aws_subnet.public.id")), "s3", Yes, None, "aws_route_table.inner");
    let stranded = "subnet_id = aws_subnet.alone.id";
    let alone = "resource \"aws_subnet\" \"alone\" {\n vpc_id = aws_vpc.main.id\n cidr_block = \"10.0.7.0/24\"\n}\n";
    calls(&inner(&[&nat(stranded), alone].concat()), "s3", No, None, "aws_nat_gateway.n");
    // A private one leads to other networks; what is behind them is elsewhere.
    calls(&inner(&nat("connectivity_type = \"private\"\n subnet_id = aws_subnet.public.id")), "s3", Unknown, None, "aws_route_table.inner");
    calls(&inner(&nat("availability_mode = \"regional\"\n vpc_id = aws_vpc.main.id")), "s3", Yes, None, "aws_route_table.inner");
}
