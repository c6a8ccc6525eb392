//! Managed services with network interfaces in our subnets.

use super::super::super::verdict::Verdict::{No, Unknown, Yes};
use super::{OPEN, Plan, ROUTE, VPC, host, terraform};

/// A group `db` that admits `port` of `peer`, and groups of subnets, with further resources.
fn network(port: u16, peer: &str, more: &str) -> Plan {
    terraform(&format!(
        "{VPC}{ROUTE}{OPEN}{}
resource \"aws_security_group\" \"db\" {{
  vpc_id = aws_vpc.main.id
  ingress {{
    from_port = {port}
    to_port   = {port}
    protocol  = \"tcp\"
    {peer}
  }}
}}
resource \"aws_db_subnet_group\" \"public\" {{ subnet_ids = [aws_subnet.public.id] }}
resource \"aws_db_subnet_group\" \"inner\" {{ subnet_ids = [aws_subnet.inner.id] }}
resource \"aws_elasticache_subnet_group\" \"inner\" {{
  name       = \"c\"
  subnet_ids = [aws_subnet.inner.id]
}}
resource \"aws_redshift_subnet_group\" \"public\" {{
  name       = \"r\"
  subnet_ids = [aws_subnet.public.id]
}}
{more}",
        host("")
    ))
}

const ALL: &str = "cidr_blocks = [\"0.0.0.0/0\"]";
const WEB: &str = "security_groups = [aws_security_group.web.id]";

fn database(subnets: &str, public: &str) -> String {
    format!(
        "resource \"aws_db_instance\" \"db\" {{\n engine = \"postgres\"\n db_subnet_group_name = aws_db_subnet_group.{subnets}.name\n vpc_security_group_ids = [aws_security_group.db.id]\n publicly_accessible = {public}\n}}\nvariable \"open\" {{ type = bool }}\n"
    )
}

#[test]
fn a_database_is_on_the_internet_by_address_route_and_group_together() {
    network(5432, ALL, &database("public", "true")).assert_from_internet("aws_db_instance.db", Yes, "aws_security_group.db");
    network(5432, ALL, &database("public", "false")).assert_from_internet("aws_db_instance.db", No, "declines a public address");
    network(5432, ALL, &database("inner", "true")).assert_from_internet("aws_db_instance.db", No, "aws_subnet.inner");
    network(5432, WEB, &database("public", "true")).assert_from_internet("aws_db_instance.db", No, "aws_security_group.db");
    network(5432, ALL, &database("public", "var.open")).assert_from_internet("aws_db_instance.db", Unknown, "public address");
    network(5432, WEB, &database("inner", "false")).pair("aws_instance.web", "aws_db_instance.db", 5432, Yes, "aws_security_group.web");
}

#[test]
fn members_of_a_cluster_lie_where_the_cluster_does() {
    let cluster = "resource \"aws_rds_cluster\" \"c\" {\n engine = \"aurora-postgresql\"\n db_subnet_group_name = aws_db_subnet_group.public.name\n vpc_security_group_ids = [aws_security_group.db.id]\n}\nresource \"aws_rds_cluster_instance\" \"i\" {\n cluster_identifier = aws_rds_cluster.c.id\n engine = \"aurora-postgresql\"\n instance_class = \"db.r6g.large\"\n publicly_accessible = true\n}\n";
    network(5432, ALL, cluster).assert_from_internet("aws_rds_cluster_instance.i", Yes, "aws_security_group.db");
    network(5432, WEB, cluster).assert_from_internet("aws_rds_cluster_instance.i", No, "aws_security_group.db");
}

#[test]
fn a_database_proxy_is_never_on_the_internet_and_is_reached_by_its_group() {
    let proxy = "resource \"aws_db_proxy\" \"p\" {\n name = \"p\"\n engine_family = \"POSTGRESQL\"\n role_arn = \"arn:aws:iam::111122223333:role/p\"\n vpc_subnet_ids = [aws_subnet.public.id]\n vpc_security_group_ids = [aws_security_group.db.id]\n}\n";
    network(5432, ALL, proxy).assert_from_internet("aws_db_proxy.p", No, "no public address");
    network(5432, WEB, proxy).pair("aws_instance.web", "aws_db_proxy.p", 5432, Yes, "aws_security_group.web");
    network(3306, WEB, proxy).pair("aws_instance.web", "aws_db_proxy.p", 5432, No, "aws_security_group.db");
}

#[test]
fn a_file_system_is_reached_through_its_mount_targets() {
    let files = "resource \"aws_efs_file_system\" \"f\" {}\nresource \"aws_efs_mount_target\" \"f\" {\n file_system_id = aws_efs_file_system.f.id\n subnet_id = aws_subnet.inner.id\n security_groups = [aws_security_group.db.id]\n}\n";
    network(2049, WEB, files).pair("aws_instance.web", "aws_efs_file_system.f", 2049, Yes, "aws_security_group.web");
    network(2048, ALL, files).pair("aws_instance.web", "aws_efs_file_system.f", 2049, No, "aws_security_group.db");
    network(2049, ALL, files).assert_from_internet("aws_efs_file_system.f", No, "no public address");
}

#[test]
fn caches_and_warehouses_lie_in_their_subnet_groups() {
    let cache = "resource \"aws_elasticache_replication_group\" \"c\" {\n replication_group_id = \"c\"\n description = \"c\"\n subnet_group_name = aws_elasticache_subnet_group.inner.name\n security_group_ids = [aws_security_group.db.id]\n}\n";
    network(6379, WEB, cache).pair("aws_instance.web", "aws_elasticache_replication_group.c", 6379, Yes, "aws_security_group.web");
    network(6379, ALL, cache).assert_from_internet("aws_elasticache_replication_group.c", No, "no public address");
    let warehouse = |public: bool| {
        format!(
            "resource \"aws_redshift_cluster\" \"w\" {{\n cluster_identifier = \"w\"\n node_type = \"ra3.large\"\n cluster_subnet_group_name = aws_redshift_subnet_group.public.name\n vpc_security_group_ids = [aws_security_group.db.id]\n publicly_accessible = {public}\n}}\n"
        )
    };
    network(5439, ALL, &warehouse(true)).assert_from_internet("aws_redshift_cluster.w", Yes, "aws_security_group.db");
    network(5439, ALL, &warehouse(false)).assert_from_internet("aws_redshift_cluster.w", No, "declines a public address");
}

#[test]
fn brokers_are_on_the_internet_when_they_ask_for_it() {
    let broker = |engine: &str, groups: &str, public: bool| {
        format!(
            "resource \"aws_mq_broker\" \"b\" {{\n broker_name = \"b\"\n engine_type = \"{engine}\"\n engine_version = \"5.18\"\n host_instance_type = \"mq.m5.large\"\n subnet_ids = [aws_subnet.public.id]\n {groups}\n publicly_accessible = {public}\n}}\n"
        )
    };
    let groups = "security_groups = [aws_security_group.db.id]";
    network(61617, ALL, &broker("ActiveMQ", groups, true)).assert_from_internet("aws_mq_broker.b", Yes, "aws_security_group.db");
    network(61617, WEB, &broker("ActiveMQ", groups, true)).assert_from_internet("aws_mq_broker.b", No, "aws_security_group.db");
    network(61617, ALL, &broker("ActiveMQ", groups, false)).assert_from_internet("aws_mq_broker.b", No, "declines a public address");
    network(5671, WEB, &broker("RabbitMQ", "", true)).assert_from_internet("aws_mq_broker.b", Yes, "no security group");
    let kafka = |access: &str| {
        format!(
            "resource \"aws_msk_cluster\" \"k\" {{\n cluster_name = \"k\"\n kafka_version = \"3.6.0\"\n number_of_broker_nodes = 2\n broker_node_group_info {{\n instance_type = \"kafka.m5.large\"\n client_subnets = [aws_subnet.public.id]\n security_groups = [aws_security_group.db.id]\n connectivity_info {{\n public_access {{\n type = \"{access}\"\n }}\n }}\n }}\n}}\n"
        )
    };
    network(9194, ALL, &kafka("SERVICE_PROVIDED_EIPS")).assert_from_internet("aws_msk_cluster.k", Yes, "aws_security_group.db");
    network(9194, WEB, &kafka("SERVICE_PROVIDED_EIPS")).assert_from_internet("aws_msk_cluster.k", No, "aws_security_group.db");
    network(9194, ALL, &kafka("DISABLED")).assert_from_internet("aws_msk_cluster.k", No, "no public addresses");
}

#[test]
fn a_search_domain_in_a_vpc_is_reached_by_its_group() {
    let domain = "resource \"aws_opensearch_domain\" \"s\" {\n domain_name = \"s\"\n vpc_options {\n subnet_ids = [aws_subnet.inner.id]\n security_group_ids = [aws_security_group.db.id]\n }\n}\n";
    network(443, ALL, domain).assert_from_internet("aws_opensearch_domain.s", No, "no public address");
    network(443, WEB, domain).pair("aws_instance.web", "aws_opensearch_domain.s", 443, Yes, "aws_security_group.web");
}

#[test]
fn a_function_in_a_vpc_accepts_nothing_and_reaches_out() {
    let function = "resource \"aws_lambda_function\" \"f\" {\n function_name = \"f\"\n role = \"arn:aws:iam::111122223333:role/f\"\n vpc_config {\n subnet_ids = [aws_subnet.public.id]\n security_group_ids = [aws_security_group.web.id]\n }\n}\n";
    let plan = network(5432, WEB, &(function.to_owned() + &database("inner", "false")));
    plan.assert_from_internet("aws_lambda_function.f", No, "only lead out");
    plan.pair("aws_instance.web", "aws_lambda_function.f", 22, No, "only lead out");
    plan.pair("aws_lambda_function.f", "aws_db_instance.db", 5432, Yes, "aws_security_group.web");
}

#[test]
fn tasks_are_on_the_internet_when_the_service_assigns_an_address() {
    let service = |public: bool| {
        format!(
            "resource \"aws_ecs_service\" \"s\" {{\n name = \"s\"\n launch_type = \"FARGATE\"\n network_configuration {{\n subnets = [aws_subnet.public.id]\n security_groups = [aws_security_group.web.id]\n assign_public_ip = {public}\n }}\n}}\n"
        )
    };
    network(1, ALL, &service(true)).assert_from_internet("aws_ecs_service.s", Yes, "aws_security_group.web");
    network(1, ALL, &service(false)).assert_from_internet("aws_ecs_service.s", No, "declines a public address");
}

#[test]
fn hadoop_nodes_take_addresses_from_their_subnet() {
    let cluster = "resource \"aws_emr_cluster\" \"e\" {\n name = \"e\"\n release_label = \"emr-7.0.0\"\n service_role = \"r\"\n ec2_attributes {\n subnet_id = aws_subnet.public.id\n emr_managed_master_security_group = aws_security_group.web.id\n emr_managed_slave_security_group = aws_security_group.web.id\n instance_profile = \"p\"\n }\n}\n";
    network(1, ALL, cluster).assert_from_internet("aws_emr_cluster.e", Yes, "aws_security_group.web");
    network(1, ALL, &cluster.replace("aws_subnet.public.id", "aws_subnet.inner.id")).assert_from_internet(
        "aws_emr_cluster.e",
        No,
        "aws_subnet.inner",
    );
}

#[test]
fn a_file_transfer_server_in_a_vpc_is_on_the_internet_by_elastic_addresses_only() {
    let server = |more: &str| {
        format!(
            "resource \"aws_eip\" \"t\" {{}}\nresource \"aws_transfer_server\" \"t\" {{\n endpoint_type = \"VPC\"\n endpoint_details {{\n vpc_id = aws_vpc.main.id\n subnet_ids = [aws_subnet.public.id]\n security_group_ids = [aws_security_group.web.id]\n {more}\n }}\n}}\n"
        )
    };
    network(1, ALL, &server("address_allocation_ids = [aws_eip.t.id]")).assert_from_internet(
        "aws_transfer_server.t",
        Yes,
        "aws_security_group.web",
    );
    network(1, ALL, &server("")).assert_from_internet("aws_transfer_server.t", No, "no public address");
}
