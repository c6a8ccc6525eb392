//! Load balancers: scheme, listeners, target groups, the target's own rules.

use super::{Drawn, admits, network, terraform};

/// A balancer of a type with one listener on port 80 and one target group, to which `aws_instance.app` belongs.
fn balanced(kind: &str, more: &str, group: &str, app: &str) -> Drawn {
    let (protocol, groups) = if kind == "network" { ("TCP", "") } else { ("HTTP", "security_groups = [aws_security_group.edge.id]") };
    terraform(&network(
        app,
        &format!(
            r#"
resource "aws_lb" "front" {{
  load_balancer_type = "{kind}"
  subnets            = [aws_subnet.public.id]
  {groups}
  {more}
}}
resource "aws_lb_listener" "front" {{
  load_balancer_arn = aws_lb.front.arn
  port              = 80
  protocol          = "{protocol}"
  default_action {{
    type             = "forward"
    target_group_arn = aws_lb_target_group.app.arn
  }}
}}
resource "aws_lb_target_group" "app" {{
  port     = 8080
  protocol = "{protocol}"
  vpc_id   = aws_vpc.main.id
  {group}
}}
resource "aws_lb_target_group_attachment" "app" {{
  target_group_arn = aws_lb_target_group.app.arn
  target_id        = aws_instance.app.id
}}"#
        ),
    ))
}

const EDGE: &str = "security_groups = [aws_security_group.edge.id]";
const SUBNET: &str = "cidr_blocks = [\"10.0.1.0/24\"]";
const EVERYONE: &str = "cidr_blocks = [\"0.0.0.0/0\"]";

#[test]
fn an_application_balancer_leads_to_targets_whose_group_admits_it() {
    for peer in [EDGE, SUBNET] {
        let plan = balanced("application", "", "", &admits(peer));
        plan.has("internet -> aws_lb.front http:80");
        plan.has("aws_lb.front -> aws_instance.app http:8080");
        assert_eq!(plan.listed("aws_instance.app", "entered_by"), ["aws_lb.front"]);
    }
    let closed = balanced("application", "", "", &admits("cidr_blocks = [\"10.0.9.0/24\"]"));
    closed.has("aws_lb.front -> aws_instance.app http:8080 blocked");
    closed.says("aws_lb.front", "aws_instance.app", "aws_security_group.app");
    assert!(closed.listed("aws_instance.app", "entered_by").is_empty());
}

#[test]
fn an_internal_balancer_is_not_on_the_internet() {
    let plan = balanced("application", "internal = true", "", &admits(EDGE));
    plan.has_none("internet ->");
    plan.has("aws_lb.front -> aws_instance.app http:8080");
}

#[test]
fn a_balancer_in_subnets_without_a_route_is_not_reached() {
    let text = network(&admits(EDGE), "").replace("gateway_id = aws_internet_gateway.main.id", "nat_gateway_id = \"nat-1\"");
    let balancer = "resource \"aws_lb\" \"front\" {\n subnets = [aws_subnet.public.id]\n security_groups = [aws_security_group.edge.id]\n}\nresource \"aws_lb_listener\" \"front\" {\n load_balancer_arn = aws_lb.front.arn\n port = 80\n}\n";
    terraform(&(text + balancer)).has_none("internet ->");
}

#[test]
fn a_network_balancer_that_preserves_clients_needs_targets_that_admit_them() {
    let open = balanced("network", "", "", &admits(EVERYONE));
    open.has("internet -> aws_lb.front tcp:80");
    open.has("aws_lb.front -> aws_instance.app tcp:8080");
    let closed = balanced("network", "", "", &admits(SUBNET));
    closed.has("aws_lb.front -> aws_instance.app tcp:8080 blocked");
    closed.says("aws_lb.front", "aws_instance.app", "the clients' own addresses");
    // By address and TCP, or where it is switched off, targets see the balancer's own address.
    balanced("network", "", "target_type = \"ip\"", &admits(SUBNET)).has("aws_lb.front -> aws_instance.app tcp:8080");
    balanced("network", "", "preserve_client_ip = false", &admits(SUBNET)).has("aws_lb.front -> aws_instance.app tcp:8080");
    // A rule for the balancer's own group admits whoever comes through it.
    let grouped = balanced("network", "security_groups = [aws_security_group.edge.id]", "", &admits(EDGE));
    grouped.has("internet -> aws_lb.front tcp:80");
    grouped.has("aws_lb.front -> aws_instance.app tcp:8080");
}

#[test]
fn rules_for_another_transport_admit_nothing() {
    let over = |transport: &str| {
        let text = network(
            &admits(EVERYONE).replace("protocol = \"tcp\"", &format!("protocol = \"{transport}\"")),
            "resource \"aws_lb\" \"front\" {\n load_balancer_type = \"network\"\n subnets = [aws_subnet.public.id]\n}\nresource \"aws_lb_listener\" \"front\" {\n load_balancer_arn = aws_lb.front.arn\n port = 1812\n protocol = \"UDP\"\n default_action {\n type = \"forward\"\n target_group_arn = aws_lb_target_group.app.arn\n }\n}\nresource \"aws_lb_target_group\" \"app\" {\n port = 8080\n protocol = \"UDP\"\n vpc_id = aws_vpc.main.id\n}\nresource \"aws_lb_target_group_attachment\" \"app\" {\n target_group_arn = aws_lb_target_group.app.arn\n target_id = aws_instance.app.id\n}",
        );
        terraform(&text)
    };
    over("udp").has("aws_lb.front -> aws_instance.app udp:8080");
    over("tcp").has("aws_lb.front -> aws_instance.app udp:8080 blocked");
}

#[test]
fn a_network_balancer_with_groups_is_reached_as_they_say() {
    let plan = balanced("network", "security_groups = [aws_security_group.app.id]", "preserve_client_ip = false", &admits(EVERYONE));
    plan.has_none("internet -> aws_lb.front");
}

#[test]
fn a_balancer_calls_a_function_that_lets_it() {
    let function = |principal: &str| {
        terraform(&network(
            "",
            &format!(
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
resource "aws_lb" "front" {{
  subnets         = [aws_subnet.public.id]
  security_groups = [aws_security_group.edge.id]
}}
resource "aws_lb_listener" "front" {{
  load_balancer_arn = aws_lb.front.arn
  port              = 80
  protocol          = "HTTP"
  default_action {{
    type             = "forward"
    target_group_arn = aws_lb_target_group.fn.arn
  }}
}}
resource "aws_lb_target_group" "fn" {{ target_type = "lambda" }}
resource "aws_lb_target_group_attachment" "fn" {{
  target_group_arn = aws_lb_target_group.fn.arn
  target_id        = aws_lambda_function.fn.arn
}}"#
            ),
        ))
    };
    function("elasticloadbalancing.amazonaws.com").has("aws_lb.front -> aws_lambda_function.fn https:443");
    let refused = function("s3.amazonaws.com");
    refused.has("aws_lb.front -> aws_lambda_function.fn https:443 blocked");
    refused.says("aws_lb.front", "aws_lambda_function.fn", "elasticloadbalancing.amazonaws.com");
}

const CUSTOM: &str = "custom_origin_config {\n http_port = 80\n https_port = 443\n origin_protocol_policy = \"http-only\"\n origin_ssl_protocols = [\"TLSv1.2\"]\n }";
const CLOUDFRONT: &str = "prefix_list_ids = [data.aws_ec2_managed_prefix_list.cf.id]";

/// A balancer that admits `peer`, with `more` attributes, as the origin of a distribution whose origin has `way` more.
fn origin(peer: &str, more: &str, way: &str) -> Drawn {
    terraform(
        &network(
            "",
            r#"
resource "aws_lb" "front" {
  MORE
  subnets         = [aws_subnet.public.id]
  security_groups = [aws_security_group.edge.id]
}
resource "aws_lb_listener" "front" {
  load_balancer_arn = aws_lb.front.arn
  port              = 80
  protocol          = "HTTP"
}
data "aws_ec2_managed_prefix_list" "cf" { name = "com.amazonaws.global.cloudfront.origin-facing" }
resource "aws_cloudfront_vpc_origin" "o" {
  vpc_origin_endpoint_config {
    name                   = "o"
    arn                    = aws_lb.front.arn
    http_port              = 80
    https_port             = 443
    origin_protocol_policy = "http-only"
    origin_ssl_protocols {
      items    = ["TLSv1.2"]
      quantity = 1
    }
  }
}
resource "aws_cloudfront_distribution" "cdn" {
  enabled = true
  origin {
    domain_name = aws_lb.front.dns_name
    origin_id   = "app"
    WAY
  }
  default_cache_behavior {
    target_origin_id       = "app"
    viewer_protocol_policy = "redirect-to-https"
    allowed_methods        = ["GET"]
    cached_methods         = ["GET"]
  }
}"#,
        )
        .replacen("cidr_blocks = [\"0.0.0.0/0\"]", peer, 1)
        .replace("MORE", more)
        .replace("WAY", way),
    )
}

#[test]
fn a_distribution_leaves_its_origin_open_unless_the_origin_admits_only_it() {
    let open = origin(EVERYONE, "", CUSTOM);
    open.has("internet -> aws_cloudfront_distribution.cdn https:443");
    open.has("aws_cloudfront_distribution.cdn -> aws_lb.front http:80");
    open.has("internet -> aws_lb.front http:80");
    assert_eq!(open.listed("aws_lb.front", "entered_by"), ["aws_lb.front", "aws_cloudfront_distribution.cdn"]);
    let tied = origin(CLOUDFRONT, "", CUSTOM);
    tied.has("aws_cloudfront_distribution.cdn -> aws_lb.front http:80");
    tied.has_none("internet -> aws_lb.front");
    assert_eq!(tied.listed("aws_lb.front", "entered_by"), ["aws_cloudfront_distribution.cdn"]);
}

#[test]
fn a_distribution_calls_public_addresses_that_admit_it_or_goes_through_a_vpc_origin() {
    let internal = origin(CLOUDFRONT, "internal = true", CUSTOM);
    internal.has("aws_cloudfront_distribution.cdn -> aws_lb.front http:80 blocked");
    internal.says("aws_cloudfront_distribution.cdn", "aws_lb.front", "public addresses only");
    let office = origin("cidr_blocks = [\"10.0.0.0/8\"]", "", CUSTOM);
    office.has("aws_cloudfront_distribution.cdn -> aws_lb.front http:80 blocked");
    office.says("aws_cloudfront_distribution.cdn", "aws_lb.front", "aws_security_group.edge");
    let inside = origin(CLOUDFRONT, "internal = true", "vpc_origin_config { vpc_origin_id = aws_cloudfront_vpc_origin.o.id }");
    inside.has("aws_cloudfront_distribution.cdn -> aws_lb.front http:80");
    inside.has("aws_cloudfront_vpc_origin.o -> aws_lb.front http:80");
    inside.has_none("internet -> aws_lb.front");
}

#[test]
fn an_accelerator_answers_on_its_listeners_and_reaches_what_is_internal() {
    let plan = terraform(&network(
        "",
        r#"
resource "aws_lb" "front" {
  internal        = true
  subnets         = [aws_subnet.public.id]
  security_groups = [aws_security_group.edge.id]
}
resource "aws_globalaccelerator_accelerator" "ga" { name = "ga" }
resource "aws_globalaccelerator_listener" "ga" {
  accelerator_arn = aws_globalaccelerator_accelerator.ga.arn
  protocol        = "TCP"
  port_range {
    from_port = 80
    to_port   = 80
  }
}
resource "aws_globalaccelerator_endpoint_group" "ga" {
  listener_arn = aws_globalaccelerator_listener.ga.arn
  endpoint_configuration { endpoint_id = aws_lb.front.arn }
}"#,
    ));
    plan.has("internet -> aws_globalaccelerator_accelerator.ga tcp:80");
    plan.has_none("internet -> aws_lb.front");
    assert_eq!(plan.listed("aws_lb.front", "entered_by"), ["aws_globalaccelerator_accelerator.ga"]);
}

#[test]
fn a_service_offered_through_privatelink_is_reached_by_its_endpoint() {
    let text = network(
        &admits(SUBNET),
        r#"
resource "aws_lb" "inner" {
  load_balancer_type = "network"
  internal           = true
  subnets            = [aws_subnet.inner.id]
}
resource "aws_lb_listener" "inner" {
  load_balancer_arn = aws_lb.inner.arn
  port              = 443
  protocol          = "TCP"
}
resource "aws_vpc_endpoint_service" "offer" {
  acceptance_required        = false
  network_load_balancer_arns = [aws_lb.inner.arn]
}
resource "aws_vpc" "user" { cidr_block = "10.7.0.0/16" }
resource "aws_subnet" "user" {
  vpc_id     = aws_vpc.user.id
  cidr_block = "10.7.1.0/24"
}
resource "aws_security_group" "user" {
  vpc_id = aws_vpc.user.id
  ingress {
    from_port = 443
    to_port   = 443
    protocol  = "tcp"
    self      = true
  }
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
resource "aws_vpc_endpoint" "offer" {
  vpc_id             = aws_vpc.user.id
  service_name       = aws_vpc_endpoint_service.offer.service_name
  vpc_endpoint_type  = "Interface"
  subnet_ids         = [aws_subnet.user.id]
  security_group_ids = [aws_security_group.user.id]
}
resource "aws_instance" "user" {
  ami                    = "ami-1"
  subnet_id              = aws_subnet.user.id
  vpc_security_group_ids = [aws_security_group.user.id]
  user_data              = "export PARTNER=${aws_vpc_endpoint.offer.dns_entry[0].dns_name}"
}"#,
    );
    let plan = terraform(&text);
    plan.has("aws_instance.user -> aws_lb.inner tcp:443");
    plan.says("aws_instance.user", "aws_lb.inner", "aws_vpc_endpoint_service.offer");
    let closed = terraform(&text.replace("self      = true", "cidr_blocks = [\"10.9.0.0/16\"]"));
    closed.has("aws_instance.user -> aws_lb.inner tcp:443 blocked");
    closed.says("aws_instance.user", "aws_lb.inner", "aws_security_group.user");
}

/// The same in two accounts, where the service lets `principals` connect.
fn offered_abroad(principals: &str) -> Drawn {
    terraform(&format!(
        r#"
provider "aws" {{
  region              = "eu-west-1"
  allowed_account_ids = ["111122223333"]
}}
provider "aws" {{
  alias               = "user"
  region              = "eu-west-1"
  allowed_account_ids = ["444455556666"]
}}
resource "aws_lb" "inner" {{
  load_balancer_type = "network"
  internal           = true
}}
resource "aws_lb_listener" "inner" {{
  load_balancer_arn = aws_lb.inner.arn
  port              = 443
  protocol          = "TCP"
}}
resource "aws_vpc_endpoint_service" "offer" {{
  acceptance_required        = true
  network_load_balancer_arns = [aws_lb.inner.arn]
  allowed_principals         = [{principals}]
}}
resource "aws_vpc" "user" {{
  provider   = aws.user
  cidr_block = "10.7.0.0/16"
}}
resource "aws_subnet" "user" {{
  provider   = aws.user
  vpc_id     = aws_vpc.user.id
  cidr_block = "10.7.1.0/24"
}}
resource "aws_vpc_endpoint" "offer" {{
  provider           = aws.user
  vpc_id             = aws_vpc.user.id
  service_name       = aws_vpc_endpoint_service.offer.service_name
  vpc_endpoint_type  = "Interface"
  subnet_ids         = [aws_subnet.user.id]
}}
resource "aws_instance" "user" {{
  provider  = aws.user
  ami       = "ami-1"
  subnet_id = aws_subnet.user.id
  user_data = "export PARTNER=${{aws_vpc_endpoint.offer.dns_entry[0].dns_name}}"
}}"#
    ))
}

#[test]
fn a_service_lets_only_its_allowed_principals_connect() {
    for principals in ["\"arn:aws:iam::444455556666:root\"", "\"*\""] {
        offered_abroad(principals).has("aws_instance.user -> aws_lb.inner tcp:443");
    }
    for principals in ["", "\"arn:aws:iam::777788889999:root\""] {
        let closed = offered_abroad(principals);
        closed.has("aws_instance.user -> aws_lb.inner tcp:443 blocked");
        closed.says("aws_instance.user", "aws_lb.inner", "aws_vpc_endpoint_service.offer");
        closed.says("aws_instance.user", "aws_lb.inner", "444455556666");
    }
}
