//! Steps 2 and 3: routes from the internet, and VPC Block Public Access.

use super::super::super::verdict::Verdict::{No, Unknown, Yes};
use super::{OPEN, ROUTE, VPC, host, on_the_internet, terraform};

fn with_route(route: &str) -> super::Plan {
    terraform(&format!("{VPC}{OPEN}{}{route}", host("")))
}

fn route(destination: &str, target: &str) -> String {
    let name = destination.replace(['.', '/'], "-");
    format!(
        "resource \"aws_route\" \"r{name}\" {{\n route_table_id = aws_route_table.public.id\n destination_cidr_block = \"{destination}\"\n {target}\n}}\n"
    )
}

const GATEWAY: &str = "gateway_id = aws_internet_gateway.main.id";
const NAT: &str = "nat_gateway_id = aws_nat_gateway.n.id";
const NAT_GATEWAY: &str = "resource \"aws_nat_gateway\" \"n\" { subnet_id = aws_subnet.public.id }\n";

#[test]
fn only_an_internet_gateway_lets_the_internet_in() {
    with_route(&route("0.0.0.0/0", GATEWAY)).assert_from_internet("aws_instance.web", Yes, "aws_route_table.public");
    with_route(&(route("0.0.0.0/0", NAT) + NAT_GATEWAY)).assert_from_internet("aws_instance.web", No, "aws_route_table.public");
    with_route("").assert_from_internet("aws_instance.web", No, "aws_route_table.public");
}

#[test]
fn a_route_written_in_the_table_itself_is_the_same() {
    let inline = VPC.replace(
        "resource \"aws_route_table\" \"public\" { vpc_id = aws_vpc.main.id }",
        "resource \"aws_route_table\" \"public\" {\n vpc_id = aws_vpc.main.id\n route {\n cidr_block = \"0.0.0.0/0\"\n gateway_id = aws_internet_gateway.main.id\n }\n}",
    );
    terraform(&format!("{inline}{OPEN}{}", host(""))).assert_from_internet("aws_instance.web", Yes, "aws_route_table.public");
}

#[test]
fn the_most_specific_route_wins() {
    let halves = route("0.0.0.0/0", NAT) + NAT_GATEWAY + &route("0.0.0.0/1", GATEWAY) + &route("128.0.0.0/1", GATEWAY);
    with_route(&halves).assert_from_internet("aws_instance.web", Yes, "aws_route_table.public");
    let shadowed = route("0.0.0.0/0", GATEWAY) + NAT_GATEWAY + &route("0.0.0.0/1", NAT) + &route("128.0.0.0/1", NAT);
    with_route(&shadowed).assert_from_internet("aws_instance.web", No, "aws_route_table.public");
}

#[test]
fn a_route_to_one_network_lets_only_that_network_in() {
    let plan = with_route(&(route("0.0.0.0/0", NAT) + NAT_GATEWAY + &route("203.0.113.0/24", GATEWAY)));
    assert_eq!(plan.internet("aws_instance.web").verdict, No);
    assert_eq!(plan.ports("aws_instance.web"), ["22 from 203.0.113.0/24"]);
}

#[test]
fn a_subnet_without_a_table_has_its_vpcs_main_one() {
    let unassociated = VPC.replace("subnet_id      = aws_subnet.public.id", "subnet_id      = aws_subnet.inner.id");
    let main = "resource \"aws_main_route_table_association\" \"m\" {\n vpc_id = aws_vpc.main.id\n route_table_id = aws_route_table.public.id\n}\n";
    let text = |more: &str| terraform(&format!("{unassociated}{ROUTE}{OPEN}{}{more}", host("")));
    text("").assert_from_internet("aws_instance.web", No, "aws_subnet.public");
    text(main).assert_from_internet("aws_instance.web", Yes, "aws_route_table.public");
    let adopted = "resource \"aws_default_route_table\" \"m\" {\n default_route_table_id = aws_vpc.main.default_route_table_id\n route {\n cidr_block = \"0.0.0.0/0\"\n gateway_id = aws_internet_gateway.main.id\n }\n}\n";
    text(adopted).assert_from_internet("aws_instance.web", Yes, "aws_default_route_table.m");
}

#[test]
fn a_gateway_that_is_attached_to_nothing_or_to_another_vpc_leads_nowhere() {
    let detached = VPC.replace(
        "resource \"aws_internet_gateway\" \"main\" { vpc_id = aws_vpc.main.id }",
        "resource \"aws_internet_gateway\" \"main\" {}",
    );
    let plan = |vpc: &str, more: &str| terraform(&format!("{vpc}{ROUTE}{OPEN}{}{more}", host("")));
    plan(&detached, "").assert_from_internet("aws_instance.web", No, "aws_internet_gateway.main");
    let attachment = "resource \"aws_internet_gateway_attachment\" \"a\" {\n internet_gateway_id = aws_internet_gateway.main.id\n vpc_id = aws_vpc.main.id\n}";
    plan(&detached, attachment).assert_from_internet("aws_instance.web", Yes, "aws_route_table.public");
    let other = VPC.replace(
        "{ vpc_id = aws_vpc.main.id }\nresource \"aws_subnet\" \"public\"",
        "{ vpc_id = aws_vpc.other.id }\nresource \"aws_subnet\" \"public\"",
    );
    plan(&other, "resource \"aws_vpc\" \"other\" { cidr_block = \"10.9.0.0/16\" }").assert_from_internet(
        "aws_instance.web",
        No,
        "aws_vpc.other",
    );
}

#[test]
fn a_firewall_on_the_default_route_decides_by_rules_of_its_own() {
    let firewall = route("0.0.0.0/0", "vpc_endpoint_id = aws_vpc_endpoint.inspect.id")
        + "resource \"aws_vpc_endpoint\" \"inspect\" {\n vpc_id = aws_vpc.main.id\n vpc_endpoint_type = \"GatewayLoadBalancer\"\n service_name = \"com.amazonaws.vpce.eu-west-1.vpce-svc-1\"\n subnet_ids = [aws_subnet.inner.id]\n}";
    with_route(&firewall).assert_from_internet("aws_instance.web", Unknown, "aws_vpc_endpoint.inspect");
}

#[test]
fn a_target_that_a_variable_decides_is_told() {
    let plan = with_route(&(route("0.0.0.0/0", "gateway_id = var.gateway") + "variable \"gateway\" { type = string }"));
    plan.assert_from_internet("aws_instance.web", Unknown, "aws_route_table.public");
}

#[test]
fn block_public_access_keeps_the_internet_out_unless_an_exclusion_lifts_it() {
    let block = |mode: &str| format!("resource \"aws_vpc_block_public_access_options\" \"b\" {{ internet_gateway_block_mode = {mode} }}\n");
    let exclusion = |of: &str, mode: &str| {
        format!("resource \"aws_vpc_block_public_access_exclusion\" \"x\" {{\n {of}\n internet_gateway_exclusion_mode = {mode}\n}}\n")
    };
    let name = "aws_vpc_block_public_access_options.b";
    for mode in ["\"block-bidirectional\"", "\"block-ingress\""] {
        on_the_internet(&block(mode)).assert_from_internet("aws_instance.web", No, name);
    }
    on_the_internet(&block("\"off\"")).assert_from_internet("aws_instance.web", Yes, "aws_route_table.public");
    on_the_internet(&(block("var.mode") + "variable \"mode\" {}")).assert_from_internet("aws_instance.web", Unknown, name);
    let on = block("\"block-bidirectional\"");
    for of in ["vpc_id = aws_vpc.main.id", "subnet_id = aws_subnet.public.id"] {
        let lifted = on_the_internet(&(on.clone() + &exclusion(of, "\"allow-bidirectional\"")));
        lifted.assert_from_internet("aws_instance.web", Yes, "aws_route_table.public");
        let outbound = on_the_internet(&(on.clone() + &exclusion(of, "\"allow-egress\"")));
        outbound.assert_from_internet("aws_instance.web", No, name);
    }
    let elsewhere = on_the_internet(&(on + &exclusion("subnet_id = aws_subnet.inner.id", "\"allow-bidirectional\"")));
    elsewhere.assert_from_internet("aws_instance.web", No, name);
}

#[test]
fn block_public_access_of_another_region_is_not_ours() {
    let providers = "provider \"aws\" { region = \"eu-west-1\" }\nprovider \"aws\" {\n alias = \"us\"\n region = \"us-east-1\"\n}\n";
    let block = "resource \"aws_vpc_block_public_access_options\" \"b\" {\n provider = aws.us\n internet_gateway_block_mode = \"block-ingress\"\n}\n";
    on_the_internet(&format!("{providers}{block}")).assert_from_internet("aws_instance.web", Yes, "aws_route_table.public");
    let own = block.replace(" provider = aws.us\n", "");
    on_the_internet(&format!("{providers}{own}")).assert_from_internet("aws_instance.web", No, "aws_vpc_block_public_access_options.b");
}
