//! Step 1: public IPv4 and IPv6 addresses.

use super::super::super::verdict::Verdict::{No, Unknown, Yes};
use super::{OPEN, ROUTE, VPC, host, on_the_internet, terraform};

fn in_inner(more: &str) -> String {
    let instance = host("").replace("aws_subnet.public.id", "aws_subnet.inner.id");
    let association = "resource \"aws_route_table_association\" \"inner\" {\n subnet_id = aws_subnet.inner.id\n route_table_id = aws_route_table.public.id\n}\n";
    format!("{VPC}{ROUTE}{OPEN}{instance}{association}{more}")
}

#[test]
fn a_subnet_that_maps_addresses_gives_one_and_another_does_not() {
    on_the_internet("").assert_from_internet("aws_instance.web", Yes, "aws_subnet.public");
    terraform(&in_inner("")).assert_from_internet("aws_instance.web", No, "aws_subnet.inner");
}

#[test]
fn what_the_instance_says_goes_before_its_subnet() {
    let declines = terraform(&format!("{VPC}{ROUTE}{OPEN}{}", host("associate_public_ip_address = false")));
    declines.assert_from_internet("aws_instance.web", No, "it declines a public address");
    let asks = terraform(&in_inner("").replace("ami = \"ami-1\"", "ami = \"ami-1\"\n associate_public_ip_address = true"));
    asks.assert_from_internet("aws_instance.web", Yes, "it asks for a public address");
}

#[test]
fn an_elastic_address_makes_public_by_instance_by_association_and_by_network_interface() {
    let direct = "resource \"aws_eip\" \"a\" { instance = aws_instance.web.id }";
    let associated = "resource \"aws_eip\" \"a\" {}\nresource \"aws_eip_association\" \"a\" {\n allocation_id = aws_eip.a.id\n instance_id = aws_instance.web.id\n}";
    for eip in [direct, associated] {
        terraform(&in_inner(eip)).assert_from_internet("aws_instance.web", Yes, "an elastic address");
    }
    let interface = format!(
        "{VPC}{ROUTE}{OPEN}
resource \"aws_network_interface\" \"a\" {{
  subnet_id       = aws_subnet.public.id
  security_groups = [aws_security_group.web.id]
}}
resource \"aws_eip\" \"a\" {{ network_interface = aws_network_interface.a.id }}
resource \"aws_instance\" \"web\" {{
  ami = \"ami-1\"
  network_interface {{
    network_interface_id = aws_network_interface.a.id
    device_index         = 0
  }}
}}"
    );
    terraform(&interface).assert_from_internet("aws_instance.web", Yes, "an elastic address");
}

#[test]
fn a_variable_that_decides_the_address_is_told() {
    let text = VPC.replace("map_public_ip_on_launch = true", "map_public_ip_on_launch = var.public");
    let plan = terraform(&format!("{text}{ROUTE}{OPEN}{}variable \"public\" {{ type = bool }}", host("")));
    plan.assert_from_internet("aws_instance.web", Unknown, "map_public_ip_on_launch");
}

#[test]
fn instances_of_a_group_take_the_address_that_their_template_asks_for() {
    let group = |asks: &str| {
        format!(
            "{VPC}{ROUTE}{OPEN}
resource \"aws_route_table_association\" \"inner\" {{
  subnet_id      = aws_subnet.inner.id
  route_table_id = aws_route_table.public.id
}}
resource \"aws_launch_template\" \"t\" {{
  name = \"t\"
  network_interfaces {{
    associate_public_ip_address = {asks}
    security_groups             = [aws_security_group.web.id]
  }}
}}
resource \"aws_autoscaling_group\" \"g\" {{
  max_size            = 2
  min_size            = 1
  vpc_zone_identifier = [aws_subnet.inner.id]
  launch_template {{ id = aws_launch_template.t.id }}
}}"
        )
    };
    terraform(&group("true")).assert_from_internet("aws_autoscaling_group.g", Yes, "it asks for a public address");
    terraform(&group("false")).assert_from_internet("aws_autoscaling_group.g", No, "it declines a public address");
}

#[test]
fn ipv6_needs_an_address_a_route_and_a_rule_of_its_own() {
    let v6 = |rule: &str, route: &str, assigns: bool| {
        let vpc = VPC.replace(
            "map_public_ip_on_launch = true",
            &format!("ipv6_cidr_block = \"2001:db8:1::/64\"\n assign_ipv6_address_on_creation = {assigns}"),
        );
        let open = OPEN.replace("cidr_blocks = [\"0.0.0.0/0\"]\n  }\n  egress", &format!("{rule}\n  }}\n  egress"));
        terraform(&format!("{vpc}{open}{}{route}", host("")))
    };
    let gateway = "resource \"aws_route\" \"six\" {\n route_table_id = aws_route_table.public.id\n destination_ipv6_cidr_block = \"::/0\"\n gateway_id = aws_internet_gateway.main.id\n}";
    let egress_only = "resource \"aws_egress_only_internet_gateway\" \"e\" { vpc_id = aws_vpc.main.id }\nresource \"aws_route\" \"six\" {\n route_table_id = aws_route_table.public.id\n destination_ipv6_cidr_block = \"::/0\"\n egress_only_gateway_id = aws_egress_only_internet_gateway.e.id\n}";
    let rule = "ipv6_cidr_blocks = [\"::/0\"]";
    v6(rule, gateway, true).assert_from_internet("aws_instance.web", Yes, "IPv6");
    v6(rule, egress_only, true).assert_from_internet("aws_instance.web", No, "aws_route_table.public");
    v6(rule, ROUTE, true).assert_from_internet("aws_instance.web", No, "aws_route_table.public");
    v6(rule, gateway, false).assert_from_internet("aws_instance.web", No, "public address");
    // A rule for IPv4 admits nobody who comes over IPv6.
    v6("cidr_blocks = [\"0.0.0.0/0\"]", gateway, true).assert_from_internet("aws_instance.web", No, "aws_security_group.web");
}

#[test]
fn an_instance_without_a_subnet_lies_in_a_default_one() {
    let group = OPEN.replace("  vpc_id = aws_vpc.main.id\n", "");
    let text = format!("{group}{}", host("").replace("  subnet_id = aws_subnet.public.id\n", ""));
    terraform(&text).assert_from_internet("aws_instance.web", Yes, "default subnet");
    let unknown = format!("{group}{}variable \"subnet\" {{ type = string }}", host("").replace("aws_subnet.public.id", "var.subnet"));
    terraform(&unknown).assert_from_internet("aws_instance.web", Unknown, "public address");
}
