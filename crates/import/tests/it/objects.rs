//! Kubernetes objects that Terraform declares give what the same manifests give, under their Terraform addresses.

use bartizan_model::{Architecture, Component, Relation};

use crate::support::{check, codes, import};

/// Every setting and label of a component, without places.
fn settings(component: &Component) -> Vec<String> {
    let shown = component.settings.iter().chain(&component.tags).map(|(name, node)| format!("{name}: {}", text(node)));
    shown.collect()
}

fn text(node: &bartizan_model::Node) -> String {
    use bartizan_model::Value;
    match &node.value {
        Value::List(items) => format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(", ")),
        Value::Map(members) => {
            let mut members: Vec<String> = members.iter().map(|(key, member)| format!("{key}={}", text(member))).collect();
            members.sort();
            format!("{{{}}}", members.join(", "))
        }
        Value::Text(text) => text.to_string(),
        Value::Unknown(_) => "?".to_owned(),
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
    }
}

fn of_type<'a>(architecture: &'a Architecture, component_type: &str) -> &'a Component {
    architecture.components.values().find(|component| component.component_type == component_type).expect(component_type)
}

const TERRAFORM: &str = r#"
resource "aws_eks_cluster" "main" { name = "main" }
resource "aws_db_instance" "orders" {
  identifier = "orders"
  engine     = "mysql"
}
resource "kubernetes_namespace_v1" "shop" {
  metadata {
    name   = "shop"
    labels = { "pod-security.kubernetes.io/enforce" = "baseline" }
  }
}
resource "kubernetes_service_account" "orders" {
  metadata {
    name        = "orders"
    namespace   = kubernetes_namespace_v1.shop.metadata[0].name
    annotations = { "eks.amazonaws.com/role-arn" = "arn:aws:iam::111111111111:role/orders" }
  }
  automount_service_account_token = false
}
resource "kubernetes_config_map" "orders" {
  metadata {
    name      = "orders"
    namespace = "shop"
  }
  data = { log_level = "debug" }
}
resource "kubernetes_secret" "orders" {
  metadata {
    name      = "orders"
    namespace = "shop"
  }
  data = { password = "hunter2" }
}
resource "kubernetes_deployment_v1" "orders" {
  metadata {
    name      = "orders"
    namespace = "shop"
  }
  spec {
    replicas = 2
    selector {
      match_labels = { app_name = "orders" }
    }
    template {
      metadata {
        labels = { app_name = "orders" }
      }
      spec {
        service_account_name = "orders"
        host_pid             = true
        container {
          name  = "app"
          image = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/orders:1"
          port {
            container_port = 8080
          }
          env {
            name  = "DB_HOST"
            value = aws_db_instance.orders.address
          }
          env {
            name = "PASSWORD"
            value_from {
              secret_key_ref {
                name = "orders"
                key  = "password"
              }
            }
          }
          env_from {
            config_map_ref {
              name = "orders"
            }
          }
          security_context {
            privileged                 = true
            allow_privilege_escalation = true
            capabilities {
              add = ["SYS_ADMIN"]
            }
          }
          resources {
            limits = { memory = "1Gi" }
          }
          liveness_probe {
            http_get {
              path = "/health"
              port = 8080
            }
          }
          volume_mount {
            name       = "host"
            mount_path = "/host"
          }
        }
        volume {
          name = "host"
          host_path {
            path = "/"
          }
        }
      }
    }
  }
}
resource "kubernetes_service" "orders" {
  metadata {
    name      = "orders"
    namespace = "shop"
  }
  spec {
    selector = { app_name = "orders" }
    type     = "LoadBalancer"
    port {
      name        = "http"
      port        = 80
      target_port = 8080
    }
  }
}
resource "kubernetes_ingress_v1" "shop" {
  metadata {
    name        = "shop"
    namespace   = "shop"
    annotations = { "alb.ingress.kubernetes.io/scheme" = "internet-facing" }
  }
  spec {
    ingress_class_name = "alb"
    rule {
      host = "shop.example.com"
      http {
        path {
          path      = "/"
          path_type = "Prefix"
          backend {
            service {
              name = "orders"
              port {
                number = 80
              }
            }
          }
        }
      }
    }
  }
}
resource "kubernetes_network_policy_v1" "deny" {
  metadata {
    name      = "deny"
    namespace = "shop"
  }
  spec {
    pod_selector {}
    policy_types = ["Ingress"]
    ingress {
      from {
        pod_selector {
          match_labels = { app_name = "front" }
        }
      }
      ports {
        port     = "8080"
        protocol = "TCP"
      }
    }
  }
}
resource "kubernetes_cluster_role" "all" {
  metadata {
    name = "all"
  }
  rule {
    api_groups = ["*"]
    resources  = ["*"]
    verbs      = ["*"]
  }
}
resource "kubernetes_cluster_role_binding" "all" {
  metadata {
    name = "all"
  }
  role_ref {
    api_group = "rbac.authorization.k8s.io"
    kind      = "ClusterRole"
    name      = "all"
  }
  subject {
    kind      = "ServiceAccount"
    name      = "orders"
    namespace = "shop"
  }
}
"#;

const MANIFESTS: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: baseline}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: orders, namespace: shop, annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::111111111111:role/orders"}}
automountServiceAccountToken: false
---
apiVersion: v1
kind: ConfigMap
metadata: {name: orders, namespace: shop}
data: {log_level: debug}
---
apiVersion: v1
kind: Secret
metadata: {name: orders, namespace: shop}
data: {password: hunter2}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: orders, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app_name: orders}}
  template:
    metadata: {labels: {app_name: orders}}
    spec:
      serviceAccountName: orders
      hostPID: true
      containers:
        - name: app
          image: 111111111111.dkr.ecr.eu-west-1.amazonaws.com/orders:1
          ports: [{containerPort: 8080}]
          env:
            - {name: DB_HOST, value: "${aws_db_instance.orders.address}"}
            - {name: PASSWORD, valueFrom: {secretKeyRef: {name: orders, key: password}}}
          envFrom: [{configMapRef: {name: orders}}]
          securityContext: {privileged: true, allowPrivilegeEscalation: true, capabilities: {add: [SYS_ADMIN]}}
          resources: {limits: {memory: 1Gi}}
          livenessProbe: {httpGet: {path: /health, port: 8080}}
          volumeMounts: [{name: host, mountPath: /host}]
      volumes: [{name: host, hostPath: {path: /}}]
---
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec:
  selector: {app_name: orders}
  type: LoadBalancer
  ports: [{name: http, port: 80, targetPort: 8080}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: shop, annotations: {alb.ingress.kubernetes.io/scheme: internet-facing}}
spec:
  ingressClassName: alb
  rules:
    - host: shop.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: orders, port: {number: 80}}}}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec:
  podSelector: {}
  policyTypes: [Ingress]
  ingress: [{from: [{podSelector: {matchLabels: {app_name: front}}}], ports: [{port: "8080", protocol: TCP}]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: all}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: all}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: all}
subjects: [{kind: ServiceAccount, name: orders, namespace: shop}]
"#;

#[test]
fn typed_resources_are_the_objects_they_make() {
    let (typed, written) = (import(&[("main.tf", TERRAFORM)]), import(&[("all.yaml", MANIFESTS)]));
    check(&typed);
    assert_eq!((codes(&typed), codes(&written)), (vec![], vec![]));
    assert!(typed.unknown_types.is_empty(), "{:?}", typed.unknown_types);
    assert_eq!(written.components.len(), 10);
    for expected in written.components.values() {
        let found = of_type(&typed, &expected.component_type);
        assert_eq!(settings(found), settings(expected), "{}", expected.address);
        assert_eq!(found.name, expected.name);
    }
}

#[test]
fn typed_resources_are_joined_under_their_addresses() {
    let architecture = import(&[("main.tf", TERRAFORM)]);
    let workload = of_type(&architecture, "kubernetes.workload");
    assert_eq!((workload.address.as_str(), workload.source_type.as_str()), ("kubernetes_deployment_v1.orders", "kubernetes_deployment_v1"));
    let to = |from: &str, wanted: &dyn Fn(&Relation) -> bool| -> Vec<String> {
        let links = architecture.links.iter().filter(|link| link.from.as_str() == from && wanted(&link.relation));
        links.map(|link| link.to.to_string()).collect()
    };
    assert_eq!(to("kubernetes_deployment_v1.orders", &|relation| *relation == Relation::Mentions), ["aws_db_instance.orders"]);
    assert!(to("kubernetes_deployment_v1.orders", &|relation| *relation == Relation::PartOf).contains(&"aws_eks_cluster.main".to_owned()));
    let selects = to("kubernetes_service.orders", &|relation| *relation == Relation::Other("selects".to_owned()));
    assert_eq!(selects, ["kubernetes_deployment_v1.orders"]);
}

#[test]
fn manifests_inside_terraform_keep_their_references() {
    let text = r#"
resource "aws_sqs_queue" "jobs" { name = "jobs" }
resource "kubernetes_manifest" "worker" {
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "worker", namespace = "jobs" }
    spec = { template = { spec = { containers = [{ name = "w", image = "w", env = [{ name = "QUEUE_URL", value = aws_sqs_queue.jobs.url }] }] } } }
  }
}
resource "kubectl_manifest" "second" {
  yaml_body = <<-YAML
    apiVersion: v1
    kind: Pod
    metadata: {name: second}
    spec:
      containers:
        - name: w
          image: w
          env:
            - name: QUEUE_URL
              value: ${aws_sqs_queue.jobs.url}
  YAML
}
"#;
    let architecture = import(&[("main.tf", text)]);
    check(&architecture);
    assert_eq!(codes(&architecture), [""; 0]);
    for address in ["kubernetes_manifest.worker", "kubectl_manifest.second"] {
        let links = architecture.links.iter().filter(|link| link.from.as_str() == address);
        assert!(links.into_iter().any(|link| link.to.as_str() == "aws_sqs_queue.jobs"), "{address}");
    }
}

#[test]
fn what_is_not_known_is_listed() {
    let manifests = "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: a}\n---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: b}\n";
    let text = "resource \"kubernetes_labels\" \"l\" {}\nresource \"kubernetes_manifest\" \"m\" {\n  manifest = { apiVersion = \"example.com/v1\", kind = \"Gadget\", metadata = { name = \"c\" } }\n}\nresource \"aws_no_such_thing\" \"x\" { count = 2 }\n";
    let architecture = import(&[("main.tf", text), ("k8s.yaml", manifests)]);
    let listed: Vec<(&str, usize)> = architecture.unknown_types.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(listed, [("aws_no_such_thing", 2), ("example.com/Gadget", 2), ("kubernetes_labels", 1)]);
}

#[test]
fn what_cannot_be_resolved_is_counted_and_missing_declarations_are_one_problem() {
    let names: String = (0..9).map(|n| format!("resource \"aws_sqs_queue\" \"q{n}\" {{\n  name = var.v{n}\n}}\n")).collect();
    let architecture =
        import(&[("app/main.tf", &names), ("other/main.tf", "resource \"aws_sqs_queue\" \"q\" {\n  name = local.nope\n}\n")]);
    assert_eq!(architecture.unresolved_references, 10);
    let messages: Vec<&str> = architecture.diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
    assert_eq!(
        messages,
        ["9 variables are declared nowhere in `app`: `v0`, `v1`, `v2`, `v3`, `v4`, `v5` and 3 more", "no local value `nope` is declared",]
    );
}
