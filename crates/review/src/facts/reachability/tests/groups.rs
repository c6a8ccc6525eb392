//! Step 5: security groups, their spellings and their peers.

use super::super::super::verdict::Verdict::{No, Unknown, Yes};
use super::{Plan, ROUTE, VPC, host, terraform};

/// The host `web` behind a group with these inline rules, and further resources.
fn guarded(rules: &str, more: &str) -> Plan {
    let out = "egress {\n from_port = 0\n to_port = 0\n protocol = \"-1\"\n cidr_blocks = [\"0.0.0.0/0\"]\n }";
    terraform(&format!(
        "{VPC}{ROUTE}resource \"aws_security_group\" \"web\" {{\n vpc_id = aws_vpc.main.id\n {rules}\n {out}\n}}\n{}{more}",
        host("")
    ))
}

fn inline(ports: &str, protocol: &str, peer: &str) -> String {
    format!("ingress {{\n {ports}\n protocol = \"{protocol}\"\n {peer}\n }}")
}

const SSH: &str = "from_port = 22\n to_port = 22";
const EVERYONE: &str = "cidr_blocks = [\"0.0.0.0/0\"]";

#[test]
fn the_three_spellings_open_the_same_port() {
    let old = "resource \"aws_security_group_rule\" \"r\" {\n type = \"ingress\"\n security_group_id = aws_security_group.web.id\n from_port = 22\n to_port = 22\n protocol = \"tcp\"\n cidr_blocks = [\"0.0.0.0/0\"]\n}";
    let new = "resource \"aws_vpc_security_group_ingress_rule\" \"r\" {\n security_group_id = aws_security_group.web.id\n from_port = 22\n to_port = 22\n ip_protocol = \"tcp\"\n cidr_ipv4 = \"0.0.0.0/0\"\n}";
    for plan in [guarded(&inline(SSH, "tcp", EVERYONE), ""), guarded("", old), guarded("", new)] {
        plan.assert_from_internet("aws_instance.web", Yes, "aws_security_group.web");
        assert_eq!(plan.ports("aws_instance.web"), ["22"]);
    }
}

#[test]
fn protocol_minus_one_ignores_ports_and_icmp_has_none() {
    assert_eq!(guarded(&inline("from_port = 0\n to_port = 0", "-1", EVERYONE), "").ports("aws_instance.web"), ["*"]);
    let ping = guarded(&inline("from_port = 8\n to_port = 0", "icmp", EVERYONE), "");
    assert!(ping.internet("aws_instance.web").openings.iter().all(|opening| opening.protocol == super::Protocol::Other("icmp".to_owned())));
    ping.pair("aws_instance.web", "aws_instance.web", 22, No, "aws_security_group.web");
}

#[test]
fn without_a_group_the_vpcs_default_one_holds_and_admits_only_itself() {
    let bare = |more: &str| {
        let instance = host("").replace("vpc_security_group_ids = [aws_security_group.web.id]", "");
        terraform(&format!("{VPC}{ROUTE}{instance}{}{more}", instance.replace("\"web\"", "\"other\"")))
    };
    bare("").assert_from_internet("aws_instance.web", No, "default security group");
    bare("").pair("aws_instance.other", "aws_instance.web", 22, Yes, "default security group");
    let adopted = "resource \"aws_default_security_group\" \"d\" {\n vpc_id = aws_vpc.main.id\n}";
    bare(adopted).assert_from_internet("aws_instance.web", No, "aws_default_security_group.d");
    bare(adopted).pair("aws_instance.other", "aws_instance.web", 22, No, "aws_default_security_group.d");
    let opened = "resource \"aws_default_security_group\" \"d\" {\n vpc_id = aws_vpc.main.id\n ingress {\n from_port = 22\n to_port = 22\n protocol = \"tcp\"\n cidr_blocks = [\"0.0.0.0/0\"]\n }\n}";
    bare(opened).assert_from_internet("aws_instance.web", Yes, "aws_default_security_group.d");
}

#[test]
fn several_groups_admit_what_any_of_them_does() {
    let second = "resource \"aws_security_group\" \"second\" {\n vpc_id = aws_vpc.main.id\n ingress {\n from_port = 80\n to_port = 80\n protocol = \"tcp\"\n cidr_blocks = [\"0.0.0.0/0\"]\n }\n}";
    let plan = terraform(&format!(
        "{VPC}{ROUTE}{}{second}\n{}",
        super::OPEN,
        host("").replace("[aws_security_group.web.id]", "[aws_security_group.web.id, aws_security_group.second.id]")
    ));
    assert_eq!(plan.ports("aws_instance.web"), ["22", "80"]);
}

#[test]
fn an_unknown_range_is_a_maybe_and_names_the_variable() {
    let plan = guarded(&inline(SSH, "tcp", "cidr_blocks = [var.office]"), "variable \"office\" { type = string }");
    plan.assert_from_internet("aws_instance.web", Unknown, "office");
    plan.pair("aws_instance.web", "aws_instance.web", 22, Unknown, "not known");
    let known = guarded(&inline(SSH, "tcp", "cidr_blocks = [var.office]"), "variable \"office\" { default = \"10.0.0.0/16\" }");
    known.assert_from_internet("aws_instance.web", No, "aws_security_group.web");
}

#[test]
fn the_range_of_a_network_of_ours_is_not_the_internet_though_its_numbers_are_not_known() {
    let open = super::OPEN.replace("[\"0.0.0.0/0\"]\n  }\n  egress", "[module.vpc.vpc_cidr_block]\n  }\n  egress");
    let text = format!(
        "module \"vpc\" {{ source = \"terraform-aws-modules/vpc/aws\" }}\n{open}
resource \"aws_instance\" \"web\" {{
  ami                    = \"ami-1\"
  subnet_id              = module.vpc.public_subnets[0]
  vpc_security_group_ids = [aws_security_group.web.id]
}}
resource \"aws_eip\" \"web\" {{ instance = aws_instance.web.id }}"
    );
    let plan = terraform(&text.replace("aws_vpc.main.id", "module.vpc.vpc_id"));
    plan.assert_from_internet("aws_instance.web", No, "aws_security_group.web");
    plan.pair("aws_instance.web", "aws_instance.web", 22, Yes, "module.vpc");
}

#[test]
fn prefix_lists_of_the_plan_count_by_their_entries_and_those_of_aws_are_not_everyone() {
    let list = |entry: &str| {
        format!(
            "resource \"aws_ec2_managed_prefix_list\" \"l\" {{\n name = \"l\"\n address_family = \"IPv4\"\n max_entries = 5\n entry {{ cidr = {entry} }}\n}}\nvariable \"office\" {{}}"
        )
    };
    let by_list = inline(SSH, "tcp", "prefix_list_ids = [aws_ec2_managed_prefix_list.l.id]");
    guarded(&by_list, &list("\"0.0.0.0/0\"")).assert_from_internet("aws_instance.web", Yes, "aws_security_group.web");
    let narrow = guarded(&by_list, &list("\"203.0.113.0/24\""));
    assert_eq!(narrow.ports("aws_instance.web"), ["22 from 203.0.113.0/24"]);
    narrow.assert_from_internet("aws_instance.web", No, "aws_ec2_managed_prefix_list.l");
    guarded(&by_list, &list("var.office")).assert_from_internet("aws_instance.web", Unknown, "aws_ec2_managed_prefix_list.l");
    let cloudfront = "data \"aws_ec2_managed_prefix_list\" \"cf\" { name = \"com.amazonaws.global.cloudfront.origin-facing\" }";
    let by_cloudfront = inline(SSH, "tcp", "prefix_list_ids = [data.aws_ec2_managed_prefix_list.cf.id]");
    guarded(&by_cloudfront, cloudfront).assert_from_internet("aws_instance.web", No, "prefix list");
    // A list of customers that another plan makes may hold anything.
    let offices = cloudfront.replace("com.amazonaws.global.cloudfront.origin-facing", "offices");
    guarded(&by_cloudfront, &offices).assert_from_internet("aws_instance.web", Unknown, "aws_ec2_managed_prefix_list.cf");
}

/// `web` and `db`, where the group of `db` has these rules.
fn two(rules: &str, egress_of_web: &str) -> Plan {
    terraform(&format!(
        "{VPC}{ROUTE}resource \"aws_security_group\" \"web\" {{\n vpc_id = aws_vpc.main.id\n {egress_of_web}\n}}
resource \"aws_security_group\" \"db\" {{\n vpc_id = aws_vpc.main.id\n {rules}\n}}
{}resource \"aws_instance\" \"db\" {{\n ami = \"ami-1\"\n subnet_id = aws_subnet.inner.id\n vpc_security_group_ids = [aws_security_group.db.id]\n}}",
        host("")
    ))
}

const OUT: &str = "egress {\n from_port = 0\n to_port = 0\n protocol = \"-1\"\n cidr_blocks = [\"0.0.0.0/0\"]\n }";

#[test]
fn a_rule_that_names_a_group_admits_its_members_only() {
    let by_group = inline(SSH, "tcp", "security_groups = [aws_security_group.web.id]");
    two(&by_group, OUT).pair("aws_instance.web", "aws_instance.db", 22, Yes, "aws_security_group.web");
    two(&by_group, OUT).pair("aws_instance.db", "aws_instance.db", 22, No, "aws_security_group.db");
    let by_itself = inline(SSH, "tcp", "self = true");
    two(&by_itself, OUT).pair("aws_instance.web", "aws_instance.db", 22, No, "aws_security_group.db");
    two(&(by_itself + "\n" + OUT), OUT).pair("aws_instance.db", "aws_instance.db", 22, Yes, "its own members");
}

#[test]
fn ranges_count_by_the_callers_subnet() {
    let by_range = |range: &str| inline(SSH, "tcp", &format!("cidr_blocks = [\"{range}\"]"));
    two(&by_range("10.0.1.0/24"), OUT).pair("aws_instance.web", "aws_instance.db", 22, Yes, "10.0.1.0/24");
    two(&by_range("10.0.2.0/24"), OUT).pair("aws_instance.web", "aws_instance.db", 22, No, "aws_security_group.db");
    // Which of the subnet's addresses the caller has is not known.
    two(&by_range("10.0.1.16/28"), OUT).pair("aws_instance.web", "aws_instance.db", 22, Unknown, "10.0.1.16/28");
}

#[test]
fn the_callers_own_group_must_let_the_call_out() {
    let open = inline(SSH, "tcp", "cidr_blocks = [\"10.0.0.0/16\"]");
    two(&open, "").pair("aws_instance.web", "aws_instance.db", 22, No, "`aws_security_group.web` lets nothing out");
    let narrow = "egress {\n from_port = 443\n to_port = 443\n protocol = \"tcp\"\n cidr_blocks = [\"0.0.0.0/0\"]\n }";
    two(&open, narrow).pair("aws_instance.web", "aws_instance.db", 22, No, "aws_security_group.web");
    let to_group = "egress {\n from_port = 22\n to_port = 22\n protocol = \"tcp\"\n security_groups = [aws_security_group.db.id]\n }";
    let plan = two("", to_group);
    plan.pair("aws_instance.web", "aws_instance.db", 22, No, "aws_security_group.db");
}

#[test]
fn what_is_only_looked_up_is_a_maybe_and_neither_open_nor_closed() {
    let data = "data \"aws_security_group\" \"shared\" { name = \"shared\" }\ndata \"aws_subnet\" \"shared\" { id = \"subnet-1\" }\n";
    let carried = terraform(&format!(
        "{VPC}{ROUTE}{data}{}",
        host("associate_public_ip_address = true").replace("aws_security_group.web", "data.aws_security_group.shared")
    ));
    carried.assert_from_internet("aws_instance.web", Unknown, "data.aws_security_group.shared");
    let by_subnet = inline(SSH, "tcp", "cidr_blocks = [data.aws_subnet.shared.cidr_block]");
    let admitted = guarded(&by_subnet, data);
    admitted.assert_from_internet("aws_instance.web", No, "data.aws_subnet.shared");
    admitted.pair("aws_instance.web", "aws_instance.web", 22, Unknown, "data.aws_subnet.shared");
    let lies = terraform(&format!("{VPC}{ROUTE}{}{data}{}", super::OPEN, host("").replace("aws_subnet.public", "data.aws_subnet.shared")));
    lies.assert_from_internet("aws_instance.web", Unknown, "data.aws_subnet.shared");
}
