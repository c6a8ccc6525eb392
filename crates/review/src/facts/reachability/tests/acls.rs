//! Step 4: network ACLs.

use super::super::super::verdict::Verdict::{No, Unknown, Yes};
use super::{OPEN, Plan, ROUTE, VPC, host, on_the_internet, terraform};

const OUT: &str =
    "egress {\n rule_no = 100\n action = \"allow\"\n protocol = \"-1\"\n from_port = 0\n to_port = 0\n cidr_block = \"0.0.0.0/0\"\n }\n";

fn rule(number: u16, action: &str, ports: (u16, u16), range: &str) -> String {
    let (from, to) = ports;
    format!(
        "ingress {{\n rule_no = {number}\n action = \"{action}\"\n protocol = \"tcp\"\n from_port = {from}\n to_port = {to}\n cidr_block = {range}\n }}\n"
    )
}

fn acl(rules: &str) -> Plan {
    on_the_internet(&format!(
        "resource \"aws_network_acl\" \"edge\" {{\n vpc_id = aws_vpc.main.id\n subnet_ids = [aws_subnet.public.id]\n {rules}\n}}\nvariable \"office\" {{ type = string }}"
    ))
}

const ALL: &str = "\"0.0.0.0/0\"";

#[test]
fn the_rule_with_the_lowest_number_that_matches_decides() {
    let allow_first = rule(10, "allow", (22, 22), ALL) + &rule(20, "deny", (22, 22), ALL) + OUT;
    acl(&allow_first).assert_from_internet("aws_instance.web", Yes, "aws_security_group.web");
    let deny_first = rule(20, "allow", (22, 22), ALL) + &rule(10, "deny", (22, 22), ALL) + OUT;
    acl(&deny_first).assert_from_internet("aws_instance.web", No, "rule 10 of the network ACL `aws_network_acl.edge`");
}

#[test]
fn what_no_rule_allows_is_denied() {
    acl(&(rule(10, "allow", (443, 443), ALL) + OUT)).assert_from_internet("aws_instance.web", No, "aws_network_acl.edge");
    acl(OUT).assert_from_internet("aws_instance.web", No, "aws_network_acl.edge");
}

#[test]
fn replies_must_get_out_on_high_ports() {
    let open = rule(10, "allow", (22, 22), ALL);
    acl(&open).assert_from_internet("aws_instance.web", No, "lets no replies out");
    let out = |from: u16, to: u16| {
        OUT.replace("protocol = \"-1\"", "protocol = \"tcp\"")
            .replace("from_port = 0", &format!("from_port = {from}"))
            .replace("to_port = 0", &format!("to_port = {to}"))
    };
    acl(&(open.clone() + &out(22, 22))).assert_from_internet("aws_instance.web", No, "lets no replies out");
    acl(&(open + &out(1024, 65535))).assert_from_internet("aws_instance.web", Yes, "aws_security_group.web");
}

#[test]
fn a_rule_for_one_network_leaves_only_that_network() {
    let plan = acl(&(rule(10, "allow", (22, 22), "\"203.0.113.0/24\"") + OUT));
    assert_eq!(plan.internet("aws_instance.web").verdict, No);
    assert_eq!(plan.ports("aws_instance.web"), ["22 from 203.0.113.0/24"]);
    // A denial of one network leaves the rest of the internet.
    let rest = acl(&(rule(5, "deny", (22, 22), "\"198.51.100.0/24\"") + &rule(10, "allow", (22, 22), ALL) + OUT));
    rest.assert_from_internet("aws_instance.web", Yes, "aws_security_group.web");
}

#[test]
fn a_range_of_ports_loses_those_that_the_acl_denies() {
    let wide = OPEN.replace("from_port   = 22\n    to_port     = 22", "from_port   = 20\n    to_port     = 30");
    let text = |rules: &str| {
        terraform(&format!(
            "{VPC}{ROUTE}{wide}{}resource \"aws_network_acl\" \"edge\" {{\n vpc_id = aws_vpc.main.id\n subnet_ids = [aws_subnet.public.id]\n {rules}\n}}",
            host("")
        ))
    };
    let plan = text(&(rule(5, "deny", (22, 22), ALL) + &rule(10, "allow", (0, 65535), ALL) + OUT));
    assert_eq!(plan.ports("aws_instance.web"), ["20-21", "23-30"]);
}

#[test]
fn an_unknown_range_leaves_it_open_and_tells_which_acl() {
    let plan = acl(&(rule(10, "allow", (22, 22), "var.office") + OUT));
    plan.assert_from_internet("aws_instance.web", Unknown, "aws_network_acl.edge");
}

#[test]
fn rules_of_their_own_and_associations_of_their_own_count_as_written_inside() {
    let apart = "
resource \"aws_network_acl\" \"edge\" { vpc_id = aws_vpc.main.id }
resource \"aws_network_acl_association\" \"edge\" {
  network_acl_id = aws_network_acl.edge.id
  subnet_id      = aws_subnet.public.id
}
resource \"aws_network_acl_rule\" \"in\" {
  network_acl_id = aws_network_acl.edge.id
  rule_number    = 100
  rule_action    = \"ACTION\"
  protocol       = \"tcp\"
  from_port      = 22
  to_port        = 22
  cidr_block     = \"0.0.0.0/0\"
}
resource \"aws_network_acl_rule\" \"out\" {
  network_acl_id = aws_network_acl.edge.id
  rule_number    = 100
  egress         = true
  rule_action    = \"allow\"
  protocol       = \"-1\"
  cidr_block     = \"0.0.0.0/0\"
}";
    on_the_internet(&apart.replace("ACTION", "allow")).assert_from_internet("aws_instance.web", Yes, "aws_security_group.web");
    on_the_internet(&apart.replace("ACTION", "deny")).assert_from_internet(
        "aws_instance.web",
        No,
        "rule 100 of the network ACL `aws_network_acl.edge`",
    );
}

#[test]
fn a_default_acl_that_the_plan_adopts_without_rules_denies_everything() {
    let adopted = |rules: &str| {
        on_the_internet(&format!(
            "resource \"aws_default_network_acl\" \"d\" {{\n default_network_acl_id = aws_vpc.main.default_network_acl_id\n {rules}\n}}"
        ))
    };
    adopted("").assert_from_internet("aws_instance.web", No, "aws_default_network_acl.d");
    let open = "ingress {\n rule_no = 100\n action = \"allow\"\n protocol = \"-1\"\n from_port = 0\n to_port = 0\n cidr_block = \"0.0.0.0/0\"\n }\n".to_owned() + OUT;
    adopted(&open).assert_from_internet("aws_instance.web", Yes, "aws_security_group.web");
    // Without any ACL in the plan AWS's default one holds, which allows everything.
    on_the_internet("").assert_from_internet("aws_instance.web", Yes, "aws_security_group.web");
}

/// Two hosts, `web` in the public and `db` in the subnet `in_subnet`.
fn two(in_subnet: &str, acl: &str) -> Plan {
    on_the_internet(&format!(
        "resource \"aws_instance\" \"db\" {{\n ami = \"ami-1\"\n subnet_id = aws_subnet.{in_subnet}.id\n vpc_security_group_ids = [aws_security_group.web.id]\n}}\n{acl}"
    ))
}

#[test]
fn between_subnets_both_lists_are_asked_in_both_directions_and_inside_one_none_is() {
    let inner = |rules: &str| {
        format!("resource \"aws_network_acl\" \"inner\" {{\n vpc_id = aws_vpc.main.id\n subnet_ids = [aws_subnet.inner.id]\n {rules}\n}}")
    };
    let from_vpc = rule(10, "allow", (22, 22), "\"10.0.0.0/16\"");
    two("inner", &inner(&(from_vpc.clone() + OUT))).pair("aws_instance.web", "aws_instance.db", 22, Yes, "aws_security_group.web");
    two("inner", &inner(&from_vpc)).pair("aws_instance.web", "aws_instance.db", 22, No, "aws_network_acl.inner");
    two("inner", &inner(OUT)).pair("aws_instance.web", "aws_instance.db", 22, No, "aws_network_acl.inner");
    let denied = rule(5, "deny", (22, 22), "\"10.0.1.0/24\"") + &from_vpc + OUT;
    two("inner", &inner(&denied)).pair("aws_instance.web", "aws_instance.db", 22, No, "rule 5 of the network ACL `aws_network_acl.inner`");
    // The caller's own list must let the call out and the replies in.
    let edge = "resource \"aws_network_acl\" \"edge\" {\n vpc_id = aws_vpc.main.id\n subnet_ids = [aws_subnet.public.id]\n}";
    two("inner", edge).pair("aws_instance.web", "aws_instance.db", 22, No, "aws_network_acl.edge");
    two("public", edge).pair("aws_instance.web", "aws_instance.db", 22, Yes, "aws_security_group.web");
}
