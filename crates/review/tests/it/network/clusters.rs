//! Kubernetes: load balancers of Services, Ingresses and Gateways, node ports, network policies, groups of pods.

use super::{Drawn, completed, network};

const WEB: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: "web:1"
        ports: [{containerPort: 8080}]
        env: [{name: API_URL, value: "http://api.shop:80"}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers: [{name: api, image: "api:1", ports: [{containerPort: 9000}]}]
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec:
  selector: {app: api}
  ports: [{port: 80, targetPort: 9000}]
"#;

fn service(annotations: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  namespace: shop\n  annotations: {{{annotations}}}\nspec:\n  type: LoadBalancer\n  selector: {{app: web}}\n  ports: [{{port: 80, targetPort: 8080}}]\n  {spec}\n"
    )
}

fn manifests(more: &str) -> Drawn {
    completed(&[("shop.yaml", &format!("{WEB}{more}"))])
}

const IN: &str = "internet -> shop/Service/web http:80";

#[test]
fn the_controller_decides_whether_a_services_balancer_faces_the_internet() {
    manifests(&service("", "")).has(IN);
    manifests(&service("service.beta.kubernetes.io/aws-load-balancer-internal: \"true\"", "")).has_none("internet ->");
    manifests(&service("service.beta.kubernetes.io/aws-load-balancer-type: external", "")).has_none("internet ->");
    manifests(&service("", "loadBalancerClass: service.k8s.aws/nlb")).has_none("internet ->");
    let stated =
        "service.beta.kubernetes.io/aws-load-balancer-type: external, service.beta.kubernetes.io/aws-load-balancer-scheme: internet-facing";
    manifests(&service(stated, "")).has(IN);
    assert_eq!(manifests(&service("", "")).listed("shop/Deployment/web", "entered_by"), ["shop/Service/web"]);
}

#[test]
fn a_controller_that_the_plan_installs_takes_services_over() {
    let release = |more: &str| {
        format!(
            "resource \"helm_release\" \"lbc\" {{\n name = \"lbc\"\n repository = \"https://aws.github.io/eks-charts\"\n chart = \"aws-load-balancer-controller\"\n {more}\n}}\n"
        )
    };
    let with = |release: &str| completed(&[("shop.yaml", &format!("{WEB}{}", service("", ""))), ("main.tf", release)]);
    with(&release("")).has_none("internet -> shop/Service/web");
    with(&release("version = \"1.4.8\"")).has(IN);
    with(&release("set {\n name = \"enableServiceMutatorWebhook\"\n value = \"false\"\n }")).has(IN);
}

#[test]
fn ranges_narrow_who_comes_in() {
    let narrow = manifests(&service("", "loadBalancerSourceRanges: [203.0.113.0/24]"));
    narrow.has("network:203.0.113.0/24 -> shop/Service/web http:80");
    narrow.has_none("internet ->");
    let ingress = |annotations: &str| {
        manifests(&format!(
            "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: web\n  namespace: shop\n  annotations: {{{annotations}}}\nspec:\n  ingressClassName: alb\n  defaultBackend: {{service: {{name: api, port: {{number: 80}}}}}}\n"
        ))
    };
    ingress("").has_none("internet ->");
    let facing = "alb.ingress.kubernetes.io/scheme: internet-facing";
    ingress(facing).has("internet -> shop/Ingress/web http:80");
    ingress(&format!("{facing}, alb.ingress.kubernetes.io/auth-type: oidc")).says("internet", "shop/Ingress/web", "faces the internet");
    let office = ingress(&format!("{facing}, alb.ingress.kubernetes.io/inbound-cidrs: \"203.0.113.0/24, 198.51.100.0/24\""));
    office.has("network:198.51.100.0/24 -> shop/Ingress/web http:80");
    office.has_none("internet ->");
}

fn gateway(controller: &str, infrastructure: &str, more: &str) -> Drawn {
    manifests(&format!(
        "---\napiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {{name: gc}}\nspec: {{controllerName: {controller}}}\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {{name: gw, namespace: shop}}\nspec:\n  gatewayClassName: gc\n  {infrastructure}\n  listeners: [{{name: web, protocol: HTTP, port: 80}}]\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: api, namespace: shop}}\nspec:\n  parentRefs: [{{name: gw}}]\n  rules: [{{backendRefs: [{{name: api, port: 80}}]}}]\n{more}"
    ))
}

#[test]
fn a_gateway_is_internal_unknown_or_on_the_internet_by_its_controller() {
    gateway("gateway.k8s.aws/alb", "", "").has_none("internet ->");
    let configuration = |scheme: &str| {
        format!(
            "---\napiVersion: gateway.k8s.aws/v1beta1\nkind: LoadBalancerConfiguration\nmetadata: {{name: c, namespace: shop}}\nspec: {{scheme: {scheme}}}\n"
        )
    };
    let by = "infrastructure: {parametersRef: {group: gateway.k8s.aws, kind: LoadBalancerConfiguration, name: c}}";
    let open = gateway("gateway.k8s.aws/alb", by, &configuration("internet-facing"));
    open.has("internet -> shop/Gateway/gw http:80");
    assert_eq!(open.listed("shop/Deployment/api", "entered_by"), ["shop/Gateway/gw"]);
    gateway("gateway.k8s.aws/alb", by, &configuration("internal")).has_none("internet ->");
    gateway("example.com/other", "", "").undecided("shop/Gateway/gw", "load balancer faces the internet");
    let annotated = "infrastructure: {annotations: {service.beta.kubernetes.io/aws-load-balancer-scheme: internet-facing}}";
    gateway("example.com/other", annotated, "").has("internet -> shop/Gateway/gw http:80");
}

/// A cluster whose nodes lie in the public subnet behind a group that admits `port` of everyone.
fn nodes(port: u16, public: bool) -> String {
    network(
        "",
        &format!(
            r#"
resource "aws_security_group" "nodes" {{
  vpc_id = aws_vpc.main.id
  ingress {{
    from_port   = {port}
    to_port     = {port}
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }}
}}
resource "aws_eks_cluster" "c" {{
  name     = "c"
  role_arn = "arn:aws:iam::111122223333:role/c"
  vpc_config {{ subnet_ids = [aws_subnet.public.id] }}
}}
resource "aws_launch_template" "n" {{
  name = "n"
  network_interfaces {{
    associate_public_ip_address = {public}
    security_groups             = [aws_security_group.nodes.id]
  }}
}}
resource "aws_eks_node_group" "n" {{
  cluster_name  = aws_eks_cluster.c.name
  node_role_arn = "arn:aws:iam::111122223333:role/n"
  subnet_ids    = [aws_subnet.public.id]
  launch_template {{ id = aws_launch_template.n.id }}
}}"#
        ),
    )
}

#[test]
fn a_node_port_is_open_where_the_nodes_are() {
    let node_port = service("", "").replace("LoadBalancer", "NodePort").replace("targetPort: 8080", "targetPort: 8080, nodePort: 30080");
    let with = |nodes: &str| completed(&[("main.tf", nodes), ("shop.yaml", &format!("{WEB}{node_port}"))]);
    with(&nodes(30080, true)).has("internet -> shop/Service/web tcp:30080");
    with(&nodes(30080, true)).says("internet", "shop/Service/web", "aws_security_group.nodes");
    with(&nodes(30081, true)).has_none("internet -> shop/Service/web");
    with(&nodes(30080, false)).has_none("internet -> shop/Service/web");
}

#[test]
fn pods_on_the_nodes_network_answer_on_the_nodes_ports() {
    let daemon = |pod: &str| {
        format!(
            "{WEB}---\napiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{name: agent, namespace: shop}}\nspec:\n  selector: {{matchLabels: {{app: agent}}}}\n  template:\n    metadata: {{labels: {{app: agent}}}}\n    spec: {{{pod}}}\n"
        )
    };
    let with = |pod: &str| completed(&[("main.tf", &nodes(9100, true)), ("shop.yaml", &daemon(pod))]);
    let flow = "internet -> shop/DaemonSet/agent tcp:9100";
    with("hostNetwork: true, containers: [{name: a, image: \"a:1\", ports: [{containerPort: 9100}]}]").has(flow);
    with("containers: [{name: a, image: \"a:1\", ports: [{containerPort: 9000, hostPort: 9100}]}]").has(flow);
    with("containers: [{name: a, image: \"a:1\", ports: [{containerPort: 9100}]}]").has_none("internet -> shop/DaemonSet/agent");
}

/// A policy that selects the pods of `api` and admits what `rules` say.
fn policy(rules: &str) -> String {
    format!(
        "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: guard, namespace: shop}}\nspec:\n  podSelector: {{matchLabels: {{app: api}}}}\n  policyTypes: [Ingress]\n  ingress: {rules}\n"
    )
}

const ENGINE: &str = "resource \"aws_eks_addon\" \"cni\" {\n cluster_name = \"c\"\n addon_name = \"vpc-cni\"\n configuration_values = jsonencode({ enableNetworkPolicy = \"true\" })\n}\n";

fn enforced(rules: &str) -> Drawn {
    completed(&[("main.tf", ENGINE), ("shop.yaml", &format!("{WEB}{}", policy(rules)))])
}

const CALL: &str = "shop/Deployment/web -> shop/Deployment/api http:9000";

#[test]
fn pods_talk_freely_until_a_policy_selects_them() {
    manifests("").has(CALL);
    enforced("[]").has(&format!("{CALL} blocked"));
    enforced("[]").says("shop/Deployment/web", "shop/Deployment/api", "shop/NetworkPolicy/guard");
    enforced("[{from: [{podSelector: {matchLabels: {app: web}}}]}]").has(CALL);
    enforced("[{from: [{podSelector: {matchLabels: {app: other}}}]}]").has(&format!("{CALL} blocked"));
    enforced("[{from: [{podSelector: {}}], ports: [{port: 9000}]}]").has(CALL);
    enforced("[{from: [{podSelector: {}}], ports: [{port: 9001, endPort: 9009}]}]").has(&format!("{CALL} blocked"));
    enforced("[{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}]}]").has(CALL);
    enforced("[{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: other}}}]}]").has(&format!("{CALL} blocked"));
    enforced("[{from: [{podSelector: {matchExpressions: [{key: app, operator: In, values: [web, shop]}]}}]}]").has(CALL);
    enforced("[{}]").has(CALL);
}

#[test]
fn a_policy_that_nothing_enforces_is_told_and_blocks_nothing() {
    let plan = manifests(&policy("[]"));
    plan.has(CALL);
    plan.says("shop/Deployment/web", "shop/Deployment/api", "whether anything in the cluster enforces policies is not known");
}

#[test]
fn pods_with_groups_of_their_own_reach_what_admits_these() {
    let plan = |group: &str| {
        let terraform = network(
            "egress {\n from_port = 0\n to_port = 0\n protocol = \"-1\"\n cidr_blocks = [\"0.0.0.0/0\"]\n }",
            &format!(
                r#"
resource "aws_security_group" "db" {{
  vpc_id = aws_vpc.main.id
  ingress {{
    from_port       = 5432
    to_port         = 5432
    protocol        = "tcp"
    security_groups = [aws_security_group.{group}.id]
  }}
}}
resource "aws_db_subnet_group" "db" {{ subnet_ids = [aws_subnet.inner.id] }}
resource "aws_db_instance" "db" {{
  identifier             = "orders"
  engine                 = "postgres"
  db_subnet_group_name   = aws_db_subnet_group.db.name
  vpc_security_group_ids = [aws_security_group.db.id]
}}
resource "helm_release" "shop" {{
  name      = "shop"
  namespace = "shop"
  chart     = "./chart"
  set {{
    name  = "group"
    value = aws_security_group.app.id
  }}
  set {{
    name  = "database"
    value = aws_db_instance.db.address
  }}
}}"#
            ),
        );
        let web = WEB.replace("{name: API_URL, value: \"http://api.shop:80\"}", "{name: DB_HOST, value: \"{{ .Values.database }}\"}");
        let policy = "---\napiVersion: vpcresources.k8s.aws/v1beta1\nkind: SecurityGroupPolicy\nmetadata: {name: web, namespace: shop}\nspec:\n  podSelector: {matchLabels: {app: web}}\n  securityGroups:\n    groupIds:\n    - {{ .Values.group }}\n";
        completed(&[
            ("main.tf", &terraform),
            ("chart/Chart.yaml", "name: shop\nversion: 1.0.0\n"),
            ("chart/templates/all.yaml", &format!("{web}{policy}")),
        ])
    };
    let call = "shop/Deployment/web -> aws_db_instance.db postgresql:5432";
    plan("app").has(call);
    plan("edge").has(&format!("{call} blocked"));
    plan("edge").says("shop/Deployment/web", "aws_db_instance.db", "aws_security_group.db");
}
