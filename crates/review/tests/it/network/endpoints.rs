//! Managed endpoints without network interfaces of ours: APIs, function URLs, clusters, and the like.

use super::{Drawn, network, terraform};

#[test]
fn an_api_is_public_unless_it_is_private_closed_or_switched_off() {
    let api = |more: &str, extra: &str| {
        terraform(&format!("resource \"aws_api_gateway_rest_api\" \"api\" {{\n name = \"api\"\n {more}\n}}\n{extra}"))
    };
    for kind in ["EDGE", "REGIONAL"] {
        let plan = api(&format!("endpoint_configuration {{ types = [\"{kind}\"] }}"), "");
        plan.has("internet -> aws_api_gateway_rest_api.api https:443");
    }
    api("endpoint_configuration { types = [\"PRIVATE\"] }", "").has_none("internet ->");
    api("disable_execute_api_endpoint = true", "").has_none("internet ->");
    let domain = "resource \"aws_api_gateway_domain_name\" \"d\" { domain_name = \"api.example.org\" }\nresource \"aws_api_gateway_base_path_mapping\" \"m\" {\n api_id = aws_api_gateway_rest_api.api.id\n domain_name = aws_api_gateway_domain_name.d.domain_name\n}\n";
    api("disable_execute_api_endpoint = true", domain).has("internet -> aws_api_gateway_rest_api.api https:443");
    let policy = |account: &str| {
        format!(
            "policy = jsonencode({{ Version = \"2012-10-17\", Statement = [{{ Effect = \"Allow\", Principal = {account}, Action = \"execute-api:Invoke\", Resource = \"*\" }}] }})"
        )
    };
    api(&policy("\"*\""), "").has("internet -> aws_api_gateway_rest_api.api https:443");
    api(&policy("{ AWS = \"arn:aws:iam::111122223333:root\" }"), "").has_none("internet ->");
    api("endpoint_configuration { types = [var.kind] }", "variable \"kind\" { type = string }")
        .undecided("aws_api_gateway_rest_api.api", "endpoint is private");
}

#[test]
fn one_open_method_is_a_way_in() {
    let text = r#"
resource "aws_api_gateway_rest_api" "api" { name = "api" }
resource "aws_api_gateway_method" "closed" {
  rest_api_id   = aws_api_gateway_rest_api.api.id
  resource_id   = "r"
  http_method   = "GET"
  authorization = "AWS_IAM"
}
"#;
    terraform(text).says("internet", "aws_api_gateway_rest_api.api", "prove themselves by iam");
    let open = "resource \"aws_api_gateway_method\" \"open\" {\n rest_api_id = aws_api_gateway_rest_api.api.id\n resource_id = \"s\"\n http_method = \"POST\"\n authorization = \"NONE\"\n api_key_required = true\n}\n";
    terraform(&format!("{text}{open}")).says("internet", "aws_api_gateway_rest_api.api", "ask for no authorization");
}

#[test]
fn an_http_api_answers_and_its_link_needs_the_balancers_consent() {
    let api = |groups: &str| {
        terraform(&network(
            "",
            &format!(
                r#"
resource "aws_lb" "inner" {{
  internal        = true
  subnets         = [aws_subnet.inner.id]
  security_groups = [aws_security_group.inner.id]
}}
resource "aws_lb_listener" "inner" {{
  load_balancer_arn = aws_lb.inner.arn
  port              = 80
  protocol          = "HTTP"
}}
resource "aws_security_group" "inner" {{
  vpc_id = aws_vpc.main.id
  ingress {{
    from_port       = 80
    to_port         = 80
    protocol        = "tcp"
    security_groups = [aws_security_group.edge.id]
  }}
}}
resource "aws_apigatewayv2_api" "api" {{
  name          = "api"
  protocol_type = "HTTP"
}}
resource "aws_apigatewayv2_vpc_link" "link" {{
  name               = "link"
  subnet_ids         = [aws_subnet.inner.id]
  security_group_ids = [{groups}]
}}
resource "aws_apigatewayv2_integration" "i" {{
  api_id             = aws_apigatewayv2_api.api.id
  integration_type   = "HTTP_PROXY"
  integration_method = "ANY"
  integration_uri    = aws_lb_listener.inner.arn
  connection_type    = "VPC_LINK"
  connection_id      = aws_apigatewayv2_vpc_link.link.id
}}"#
            ),
        ))
    };
    let open = api("aws_security_group.edge.id");
    open.has("internet -> aws_apigatewayv2_api.api https:443");
    let through = |plan: &Drawn| plan.flows().into_iter().find(|flow| flow.starts_with("aws_apigatewayv2_api.api -> aws_lb.inner"));
    assert!(through(&open).is_some_and(|flow| !flow.ends_with("blocked")), "{:#?}", open.flows());
    assert_eq!(open.listed("aws_lb.inner", "entered_by"), ["aws_apigatewayv2_api.api"]);
    let closed = api("aws_security_group.app.id");
    assert!(through(&closed).is_some_and(|flow| flow.ends_with("blocked")), "{:#?}", closed.flows());
    closed.says("aws_apigatewayv2_api.api", "aws_lb.inner", "aws_security_group");
}

#[test]
fn an_api_calls_a_function_that_lets_it() {
    let api = |principal: &str| {
        terraform(&format!(
            r#"
resource "aws_lambda_function" "fn" {{
  function_name = "fn"
  role          = "arn:aws:iam::111122223333:role/fn"
}}
resource "aws_lambda_permission" "fn" {{
  function_name = aws_lambda_function.fn.function_name
  action        = "lambda:InvokeFunction"
  principal     = "{principal}"
}}
resource "aws_apigatewayv2_api" "api" {{
  name          = "api"
  protocol_type = "HTTP"
}}
resource "aws_apigatewayv2_integration" "i" {{
  api_id           = aws_apigatewayv2_api.api.id
  integration_type = "AWS_PROXY"
  integration_uri  = aws_lambda_function.fn.invoke_arn
}}"#
        ))
    };
    let open = api("apigateway.amazonaws.com");
    open.has("aws_apigatewayv2_api.api -> aws_lambda_function.fn https:443");
    assert_eq!(open.listed("aws_lambda_function.fn", "entered_by"), ["aws_apigatewayv2_api.api"]);
    let refused = api("sns.amazonaws.com");
    refused.has("aws_apigatewayv2_api.api -> aws_lambda_function.fn https:443 blocked");
    refused.says("aws_apigatewayv2_api.api", "aws_lambda_function.fn", "apigateway.amazonaws.com");
}

#[test]
fn a_function_url_is_open_by_its_authorization_and_statements() {
    let url = |kind: &str, more: &str| {
        terraform(&format!(
            "resource \"aws_lambda_function\" \"fn\" {{\n function_name = \"fn\"\n role = \"arn:aws:iam::111122223333:role/fn\"\n}}\nresource \"aws_lambda_function_url\" \"fn\" {{\n function_name = aws_lambda_function.fn.function_name\n authorization_type = {kind}\n}}\n{more}"
        ))
    };
    let statement = |name: &str, action: &str| {
        format!(
            "resource \"aws_lambda_permission\" \"{name}\" {{\n function_name = aws_lambda_function.fn.function_name\n action = \"{action}\"\n principal = \"*\"\n}}\n"
        )
    };
    let both = url("\"NONE\"", &(statement("a", "lambda:InvokeFunctionUrl") + &statement("b", "lambda:InvokeFunction")));
    both.has("internet -> aws_lambda_function.fn https:443");
    both.says("internet", "aws_lambda_function.fn", "lets everyone invoke the function");
    let one = url("\"NONE\"", "");
    one.says("internet", "aws_lambda_function.fn", "since October 2025");
    url("\"AWS_IAM\"", "").says("internet", "aws_lambda_function.fn", "IAM signatures");
    url("var.kind", "variable \"kind\" { type = string }").undecided("aws_lambda_function.fn", "function URL");
}

#[test]
fn a_cluster_endpoint_answers_whom_its_ranges_name() {
    let cluster = |access: &str| {
        terraform(&format!(
            "resource \"aws_eks_cluster\" \"c\" {{\n name = \"c\"\n role_arn = \"arn:aws:iam::111122223333:role/c\"\n vpc_config {{\n subnet_ids = [\"subnet-1\"]\n {access}\n }}\n}}\nvariable \"office\" {{ type = list(string) }}\nvariable \"open\" {{ type = bool }}\n"
        ))
    };
    cluster("").has("internet -> aws_eks_cluster.c https:443");
    cluster("public_access_cidrs = [\"203.0.113.0/24\"]").has("network:203.0.113.0/24 -> aws_eks_cluster.c https:443");
    cluster("public_access_cidrs = [\"203.0.113.0/24\"]").has_none("internet -> aws_eks_cluster.c");
    cluster("endpoint_public_access = false\n endpoint_private_access = true").has_none("internet -> aws_eks_cluster.c");
    cluster("public_access_cidrs = var.office").undecided("aws_eks_cluster.c", "whom its API server answers");
    cluster("endpoint_public_access = var.open").undecided("aws_eks_cluster.c", "public endpoint");
}

#[test]
fn services_with_a_switch_for_the_internet() {
    let app = |public: &str| {
        format!(
            "resource \"aws_apprunner_service\" \"s\" {{\n service_name = \"s\"\n source_configuration {{}}\n network_configuration {{\n ingress_configuration {{ is_publicly_accessible = {public} }}\n }}\n}}\nvariable \"open\" {{ type = bool }}\n"
        )
    };
    terraform(&app("true")).has("internet -> aws_apprunner_service.s https:443");
    terraform(&app("false")).has_none("internet ->");
    terraform(&app("var.open")).undecided("aws_apprunner_service.s", "answers on the internet");
    let server = |kind: &str| format!("resource \"aws_transfer_server\" \"t\" {{ endpoint_type = \"{kind}\" }}\n");
    terraform(&server("PUBLIC")).has("internet -> aws_transfer_server.t sftp:22");
    terraform(&server("VPC")).has_none("internet ->");
    let graph = |visibility: &str| {
        format!(
            "resource \"aws_appsync_graphql_api\" \"g\" {{\n name = \"g\"\n authentication_type = \"API_KEY\"\n visibility = \"{visibility}\"\n}}\n"
        )
    };
    terraform(&graph("GLOBAL")).has("internet -> aws_appsync_graphql_api.g https:443");
    terraform(&graph("PRIVATE")).has_none("internet ->");
}

#[test]
fn a_small_server_opens_ssh_and_http_unless_its_firewall_says_otherwise() {
    let instance = "resource \"aws_lightsail_instance\" \"i\" {\n name = \"i\"\n availability_zone = \"eu-west-1a\"\n blueprint_id = \"ubuntu_22_04\"\n bundle_id = \"nano_3_0\"\n}\n";
    let plain = terraform(instance);
    plain.has("internet -> aws_lightsail_instance.i ssh:22");
    plain.has("internet -> aws_lightsail_instance.i http:80");
    let ports = "resource \"aws_lightsail_instance_public_ports\" \"p\" {\n instance_name = aws_lightsail_instance.i.name\n port_info {\n protocol = \"tcp\"\n from_port = 443\n to_port = 443\n }\n port_info {\n protocol = \"tcp\"\n from_port = 22\n to_port = 22\n cidrs = [\"203.0.113.0/24\"]\n }\n}\n";
    let stated = terraform(&format!("{instance}{ports}"));
    stated.has("internet -> aws_lightsail_instance.i https:443");
    stated.has("network:203.0.113.0/24 -> aws_lightsail_instance.i ssh:22");
    stated.has_none("internet -> aws_lightsail_instance.i ssh");
    stated.has_none("internet -> aws_lightsail_instance.i http:");
    let database = |public: bool| {
        format!(
            "resource \"aws_lightsail_database\" \"d\" {{\n relational_database_name = \"d\"\n blueprint_id = \"mysql_8_0\"\n publicly_accessible = {public}\n}}\n"
        )
    };
    terraform(&database(true)).has("internet -> aws_lightsail_database.d mysql:3306");
    terraform(&database(false)).has_none("internet ->");
}

#[test]
fn brokers_answer_the_internet_on_ports_of_their_own() {
    let kafka = |port: u16| {
        terraform(&network(
            "",
            &format!(
                "resource \"aws_security_group\" \"k\" {{\n vpc_id = aws_vpc.main.id\n ingress {{\n from_port = {port}\n to_port = {port}\n protocol = \"tcp\"\n cidr_blocks = [\"0.0.0.0/0\"]\n }}\n}}
resource \"aws_msk_cluster\" \"k\" {{
  cluster_name           = \"k\"
  kafka_version          = \"3.6.0\"
  number_of_broker_nodes = 2
  broker_node_group_info {{
    instance_type   = \"kafka.m5.large\"
    client_subnets  = [aws_subnet.public.id]
    security_groups = [aws_security_group.k.id]
    connectivity_info {{
      public_access {{
        type = \"SERVICE_PROVIDED_EIPS\"
      }}
    }}
  }}
  client_authentication {{
    sasl {{
      iam = true
    }}
  }}
}}"
            ),
        ))
    };
    kafka(9198).has("internet -> aws_msk_cluster.k kafka:9198");
    kafka(9098).has_none("internet -> aws_msk_cluster.k");
}

#[test]
fn a_notebook_goes_out_by_itself_unless_that_is_switched_off() {
    let notebook = |access: &str| {
        terraform(&network(
            "",
            &format!(
                "resource \"aws_sagemaker_notebook_instance\" \"n\" {{\n name = \"n\"\n role_arn = \"arn:aws:iam::111122223333:role/n\"\n instance_type = \"ml.t3.medium\"\n subnet_id = aws_subnet.inner.id\n security_groups = [aws_security_group.app.id]\n direct_internet_access = \"{access}\"\n}}\n"
            ),
        ))
    };
    let egress = |plan: &Drawn| plan.fact("aws_sagemaker_notebook_instance.n", "open_egress").is_some();
    assert!(egress(&notebook("Enabled")));
    assert!(!egress(&notebook("Disabled")));
    notebook("Enabled").has_none("internet ->");
}

#[test]
fn calls_to_aws_go_through_the_endpoints_that_serve_them() {
    let plan = |more: &str| {
        terraform(&network(
            "egress {\n from_port = 443\n to_port = 443\n protocol = \"tcp\"\n cidr_blocks = [\"0.0.0.0/0\"]\n }",
            &format!(
                r#"
resource "aws_route_table" "inner" {{ vpc_id = aws_vpc.main.id }}
resource "aws_route_table_association" "inner" {{
  subnet_id      = aws_subnet.inner.id
  route_table_id = aws_route_table.inner.id
}}
resource "aws_security_group" "vpce" {{
  vpc_id = aws_vpc.main.id
  ingress {{
    from_port       = 443
    to_port         = 443
    protocol        = "tcp"
    security_groups = [aws_security_group.app.id]
  }}
}}
{more}"#
            ),
        ))
    };
    let gateway = "resource \"aws_vpc_endpoint\" \"s3\" {\n vpc_id = aws_vpc.main.id\n service_name = \"com.amazonaws.eu-west-1.s3\"\n route_table_ids = [aws_route_table.inner.id]\n}\n";
    let interface = "resource \"aws_vpc_endpoint\" \"secrets\" {\n vpc_id = aws_vpc.main.id\n service_name = \"com.amazonaws.eu-west-1.secretsmanager\"\n vpc_endpoint_type = \"Interface\"\n private_dns_enabled = true\n subnet_ids = [aws_subnet.inner.id]\n security_group_ids = [aws_security_group.vpce.id]\n}\n";
    assert_eq!(plan(gateway).listed("aws_instance.app", "calls_through"), ["aws_vpc_endpoint.s3"]);
    assert!(
        plan(&gateway.replace("aws_route_table.inner.id", "aws_route_table.public.id"))
            .listed("aws_instance.app", "calls_through")
            .is_empty()
    );
    assert_eq!(plan(interface).listed("aws_instance.app", "calls_through"), ["aws_vpc_endpoint.secrets"]);
    let closed = plan(&interface.replace("aws_security_group.vpce.id", "aws_security_group.edge.id"));
    assert!(closed.listed("aws_instance.app", "calls_through").is_empty());
}

#[test]
fn a_store_lists_who_in_its_network_gets_to_its_port() {
    let plan = terraform(&network(
        "egress {\n from_port = 0\n to_port = 0\n protocol = \"-1\"\n cidr_blocks = [\"0.0.0.0/0\"]\n }",
        r#"
resource "aws_security_group" "db" {
  vpc_id = aws_vpc.main.id
  ingress {
    from_port       = 5432
    to_port         = 5432
    protocol        = "tcp"
    security_groups = [aws_security_group.app.id]
  }
}
resource "aws_db_subnet_group" "db" { subnet_ids = [aws_subnet.inner.id] }
resource "aws_db_instance" "db" {
  engine                 = "postgres"
  db_subnet_group_name   = aws_db_subnet_group.db.name
  vpc_security_group_ids = [aws_security_group.db.id]
}
resource "aws_instance" "other" {
  ami                    = "ami-1"
  subnet_id              = aws_subnet.public.id
  vpc_security_group_ids = [aws_security_group.edge.id]
}"#,
    ));
    assert_eq!(plan.listed("aws_db_instance.db", "network_callers"), ["aws_instance.app"]);
}
