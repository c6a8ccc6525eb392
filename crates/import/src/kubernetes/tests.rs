use bartizan_model::{Component, Diagnostic, Kind, Link, Relation, Sources, Value};
use proptest::prelude::*;

struct Read {
    components: Vec<Component>,
    links: Vec<Link>,
    diagnostics: Vec<Diagnostic>,
    sources: Sources,
}

fn read(files: &[(&str, &str)]) -> Read {
    let mut sources = Sources::default();
    let ids: Vec<_> = files.iter().map(|(path, text)| (sources.add(*path, *text), *path, *text)).collect();
    let (components, links, diagnostics) = super::read(&ids);
    Read { components, links, diagnostics, sources }
}

impl Read {
    fn component(&self, address: &str) -> &Component {
        let found = self.components.iter().find(|component| component.address.as_str() == address);
        found.unwrap_or_else(|| {
            panic!("no {address} among {:?}", self.components.iter().map(|component| &component.address).collect::<Vec<_>>())
        })
    }

    /// `from -> to protocol:port`, with `encrypted` and authentication where known.
    fn flows(&self) -> Vec<String> {
        let mut out = Vec::new();
        for link in &self.links {
            let Relation::Flow(spec) = &link.relation else { continue };
            let port = spec.port.map(|port| format!(":{port}")).unwrap_or_default();
            let encrypted = spec.encrypted.map(|encrypted| if encrypted { " encrypted" } else { " plain" }).unwrap_or_default();
            let authentication = spec.authentication.as_deref().map(|kind| format!(" {kind}")).unwrap_or_default();
            out.push(format!("{} -> {} {}{port}{encrypted}{authentication}", link.from, link.to, spec.protocol.as_deref().unwrap_or("?")));
        }
        out
    }

    fn others(&self, word: &str) -> Vec<String> {
        let is = |link: &&Link| link.relation == Relation::Other(word.to_owned());
        self.links.iter().filter(is).map(|link| format!("{} -> {}", link.from, link.to)).collect()
    }

    fn line(&self, component: &str, setting: &str) -> u32 {
        self.sources.start(self.component(component).settings[setting].span).line
    }
}

const SHOP: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: orders, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: orders}}
  template:
    metadata: {labels: {app: orders}}
    spec:
      serviceAccountName: orders
      containers:
      - name: app
        image: 111122223333.dkr.ecr.eu-west-1.amazonaws.com/orders:1.4.2
        ports: [{name: http, containerPort: 8080}]
        args: ["--cache=redis-cache:6379", "--audit-host", "audit.security"]
        envFrom: [{configMapRef: {name: orders}}, {secretRef: {name: orders-db}}]
        env:
        - name: CATALOG_URL
          value: http://catalog
        - name: DB_NAME
          value: catalog
        - name: QUEUE
          value: https://sqs.eu-west-1.amazonaws.com/111122223333/orders
---
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec:
  selector: {app: orders}
  ports: [{port: 80, targetPort: http}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: orders, namespace: shop}
data:
  DATABASE: jdbc:mysql://mysql-0.mysql.shop.svc.cluster.local:3306/orders?useSSL=false
  SELF: http://orders
---
apiVersion: v1
kind: ConfigMap
metadata: {name: unused, namespace: shop}
data: {BROKER_URL: "amqp://rabbit"}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: orders
  namespace: shop
  annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::111122223333:role/orders"}
automountServiceAccountToken: false
"#;

const STORES: &str = r#"
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: mysql, namespace: shop}
spec:
  serviceName: mysql
  template:
    metadata: {labels: {app: mysql}}
    spec:
      containers:
      - name: db
        image: mysql:8.4@sha256:0000000000000000000000000000000000000000000000000000000000000000
        ports: [{containerPort: 3306}]
        resources: {limits: {memory: 1Gi}, requests: {cpu: 1}}
---
apiVersion: v1
kind: Service
metadata: {name: mysql, namespace: shop}
spec: {clusterIP: None, selector: {app: mysql}, ports: [{port: 3306}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cache, namespace: shop}
spec:
  template:
    metadata: {labels: {app: cache}}
    spec: {containers: [{name: cache, image: "redis:latest", securityContext: {privileged: true}}]}
---
apiVersion: v1
kind: Service
metadata: {name: redis-cache, namespace: shop}
spec: {selector: {app: cache}, ports: [{port: 6379}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: catalog, namespace: shop}
spec:
  template:
    metadata: {labels: {app: catalog}}
    spec: {containers: [{name: app, image: catalog}]}
---
apiVersion: v1
kind: Service
metadata: {name: catalog, namespace: shop}
spec: {selector: {app: catalog}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: audit, namespace: security}
spec:
  template:
    metadata: {labels: {app: audit}}
    spec: {containers: [{name: app, image: audit, ports: [{name: grpc, containerPort: 7000}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: audit, namespace: security}
spec: {selector: {app: audit}, ports: [{port: 7000, targetPort: grpc}]}
"#;

#[test]
fn workloads_call_the_services_that_their_configuration_names() {
    let read = read(&[("k8s/orders.yaml", SHOP), ("k8s/stores.yaml", STORES)]);
    assert_eq!(
        read.flows(),
        [
            "shop/Deployment/orders -> security/Deployment/audit grpc:7000",
            "shop/Deployment/orders -> shop/Deployment/cache redis:6379",
            "shop/Deployment/orders -> shop/Deployment/catalog http:8080 plain",
            "shop/Deployment/orders -> shop/StatefulSet/mysql mysql:3306 plain",
        ]
    );
    assert_eq!(read.component("shop/StatefulSet/mysql").kind, Kind::DataStore);
    assert_eq!(read.component("shop/Deployment/orders").kind, Kind::Process);
    assert_eq!(read.component("shop/Service/orders").kind, Kind::Supporting);
    assert!(read.diagnostics.is_empty(), "{:?}", read.diagnostics);
}

#[test]
fn settings_of_workloads_apply_pod_defaults_and_say_where_they_stand() {
    let read = read(&[("k8s/orders.yaml", SHOP), ("k8s/stores.yaml", STORES)]);
    let orders = read.component("shop/Deployment/orders");
    assert_eq!(orders.flag("automount_token"), Some(false));
    assert_eq!(orders.flag("images_pinned"), Some(false));
    assert_eq!(orders.flag("latest_image"), Some(false));
    assert_eq!(orders.flag("memory_limits"), Some(false));
    assert_eq!(orders.flag("allow_privilege_escalation"), Some(true));
    assert!(orders.settings["run_as_root"].value.is_unknown());
    assert_eq!(orders.settings["secrets_in_environment"].value.as_list().unwrap().len(), 1);
    assert_eq!(read.line("shop/Deployment/orders", "replicas"), 6);
    let mysql = read.component("shop/StatefulSet/mysql");
    assert_eq!(
        (mysql.flag("images_pinned"), mysql.flag("memory_limits"), mysql.text("engine").as_deref()),
        (Some(true), Some(true), Some("mysql"))
    );
    let cache = read.component("shop/Deployment/cache");
    assert_eq!((cache.flag("privileged"), cache.flag("latest_image")), (Some(true), Some(true)));
    assert_eq!(read.line("shop/Deployment/cache", "privileged"), 27);
}

#[test]
fn texts_that_may_name_aws_resources_are_kept_with_their_place() {
    let read = read(&[("k8s/orders.yaml", SHOP)]);
    let mentions = read.component("shop/Deployment/orders").settings["mentions"].clone();
    let queue =
        mentions.value.as_list().unwrap().iter().find(|item| item.get("attribute").unwrap().value.as_str().as_deref() == Some("env.QUEUE"));
    let text = queue.unwrap().get("text").unwrap();
    assert_eq!(read.sources.excerpt(text.span), "https://sqs.eu-west-1.amazonaws.com/111122223333/orders");
    assert_eq!(read.others("uses_service_account"), ["shop/Deployment/orders -> shop/ServiceAccount/orders"]);
    assert_eq!(read.component("shop/ServiceAccount/orders").text("role_arn").as_deref(), Some("arn:aws:iam::111122223333:role/orders"));
}

#[test]
fn balancers_and_ingresses_lead_to_pods_and_say_whether_the_internet_sees_them() {
    let entry = r#"
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  namespace: shop
  annotations:
    alb.ingress.kubernetes.io/scheme: internet-facing
    alb.ingress.kubernetes.io/target-type: ip
    alb.ingress.kubernetes.io/certificate-arn: arn:aws:acm:eu-west-1:111122223333:certificate/x
spec:
  ingressClassName: alb
  rules:
  - host: shop.example.org
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: catalog, port: {number: 80}}}}
---
apiVersion: v1
kind: Service
metadata: {name: audit-public, namespace: security, annotations: {service.beta.kubernetes.io/aws-load-balancer-type: external}}
spec: {type: LoadBalancer, selector: {app: audit}, ports: [{port: 443, targetPort: grpc, appProtocol: https}]}
---
apiVersion: v1
kind: Service
metadata: {name: legacy, namespace: shop}
spec: {type: ExternalName, externalName: db.example.org}
"#;
    let read = read(&[("k8s/stores.yaml", STORES), ("k8s/entry.yaml", entry)]);
    assert_eq!(
        read.flows(),
        [
            "security/Service/audit-public -> security/Deployment/audit https:7000 encrypted",
            "shop/Ingress/web -> shop/Deployment/catalog http:8080 plain"
        ]
    );
    let ingress = read.component("shop/Ingress/web");
    assert_eq!((ingress.text("scheme").as_deref(), ingress.flag("tls")), (Some("internet-facing"), Some(true)));
    assert_eq!(read.line("shop/Ingress/web", "scheme"), 8);
    // The controller's own default is internal.
    assert_eq!(read.component("security/Service/audit-public").text("scheme").as_deref(), Some("internal"));
    assert_eq!(read.component("shop/Service/legacy").kind, Kind::Process);
}

#[test]
fn gateway_routes_lead_through_their_gateway() {
    let text = r#"
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec: {gatewayClassName: some, listeners: [{name: web, port: 443, protocol: HTTPS}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: catalog, namespace: shop}
spec:
  parentRefs: [{name: edge}]
  rules: [{backendRefs: [{name: catalog, port: 80}]}]
"#;
    let read = read(&[("k8s/stores.yaml", STORES), ("k8s/gateway.yaml", text)]);
    assert_eq!(read.flows(), ["shop/Gateway/edge -> shop/Deployment/catalog http:8080 plain"]);
    let gateway = read.component("shop/Gateway/edge");
    assert_eq!(gateway.flag("tls"), Some(true));
    assert!(gateway.settings["scheme"].value.is_unknown());
}

#[test]
fn policies_cover_the_workloads_they_select() {
    let text = r#"
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
---
apiVersion: vpcresources.k8s.aws/v1beta1
kind: SecurityGroupPolicy
metadata: {name: catalog, namespace: shop}
spec: {podSelector: {matchExpressions: [{key: app, operator: In, values: [catalog]}]}, securityGroups: {groupIds: [sg-1]}}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: all, namespace: security}
spec: {mtls: {mode: STRICT}}
"#;
    let read = read(&[("k8s/orders.yaml", SHOP), ("k8s/stores.yaml", STORES), ("k8s/policies.yaml", text)]);
    let catalog = read.component("shop/Deployment/catalog");
    assert_eq!((catalog.flag("network_policy_ingress"), catalog.flag("security_group_policy")), (Some(true), Some(true)));
    assert_eq!(read.component("security/Deployment/audit").flag("network_policy_ingress"), Some(false));
    assert_eq!(read.component("shop/Deployment/cache").flag("security_group_policy"), Some(false));
    let namespace = read.component("Namespace/shop");
    assert_eq!((namespace.flag("default_deny_ingress"), namespace.flag("default_deny_egress")), (Some(true), Some(true)));
    assert_eq!(namespace.text("pod_security_enforce").as_deref(), Some("restricted"));
    assert!(read.flows().contains(&"shop/Deployment/orders -> security/Deployment/audit grpc:7000 encrypted mtls".to_owned()));
    assert!(read.links.iter().any(|link| link.relation == Relation::PartOf && link.from.as_str() == "shop/Deployment/orders"));
}

#[test]
fn roles_say_what_they_grant_and_bindings_repeat_it() {
    let text = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules:
- {apiGroups: [""], resources: [secrets], verbs: [get, list]}
- {apiGroups: [""], resources: [pods/exec], verbs: [create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: reader}
roleRef: {kind: ClusterRole, name: reader}
subjects: [{kind: ServiceAccount, name: orders, namespace: shop}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: admins}
roleRef: {kind: ClusterRole, name: cluster-admin}
subjects: [{kind: Group, name: "system:authenticated"}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: elsewhere, namespace: shop}
roleRef: {kind: ClusterRole, name: not-here}
"#;
    let read = read(&[("k8s/orders.yaml", SHOP), ("k8s/rbac.yaml", text)]);
    assert_eq!(read.component("ClusterRole/reader").flag("reads_secrets"), Some(true));
    assert_eq!(read.component("ClusterRoleBinding/reader").flag("grants_everything"), Some(false));
    assert_eq!(read.line("ClusterRoleBinding/reader", "reads_secrets"), 6);
    assert_eq!(read.component("ClusterRoleBinding/admins").flag("grants_everything"), Some(true));
    assert!(read.component("shop/RoleBinding/elsewhere").settings["grants_everything"].value.is_unknown());
    assert_eq!(read.others("binds"), ["ClusterRoleBinding/reader -> shop/ServiceAccount/orders"]);
    let escalations = read.component("ClusterRole/reader").settings["escalations"].clone();
    assert_eq!(escalations.value.as_list().unwrap()[0].value.as_str().as_deref(), Some("run commands in pods"));
}

#[test]
fn values_of_secrets_are_never_kept() {
    let text = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: hunter2-very-secret}\n";
    let read = read(&[("secret.yaml", text)]);
    let secret = read.component("default/Secret/db");
    assert_eq!(secret.flag("values_in_source"), Some(true));
    assert!(!format!("{secret:?}").contains("hunter2"));
}

#[test]
fn other_yaml_is_passed_over_and_templates_are_counted() {
    let read = read(&[
        (".github/workflows/ci.yaml", "on: push\njobs: {a: {steps: [{run: 'echo ${{ x }}'}]}}\n"),
        ("docker-compose.yml", "services: {web: {image: nginx}}\n"),
        ("catalog-info.yaml", "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: x}\n"),
        ("chart/templates/a.yaml", "apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Release.Name }}\n"),
        ("chart/templates/b.yaml", "{{- if .Values.x }}\napiVersion: v1\nkind: Service\n{{- end }}\n"),
        ("broken.yaml", "a: [1\nkind: x\n# apiVersion\n"),
    ]);
    assert!(read.components.is_empty());
    assert_eq!(read.diagnostics.len(), 1);
    assert_eq!(read.diagnostics[0].code, "kubernetes/helm-template");
    assert!(read.diagnostics[0].message.starts_with("2 Helm templates"));
}

#[test]
fn lists_are_unfolded_and_a_broken_document_costs_only_itself() {
    let text = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Service, metadata: {name: a}}\n---\napiVersion: v1\nkind: [\n---\napiVersion: v1\nkind: Service\nmetadata: {name: b}\n";
    let read = read(&[("all.yaml", text)]);
    assert_eq!(
        read.components.iter().map(|component| component.address.as_str()).collect::<Vec<_>>(),
        ["default/Service/a", "default/Service/b"]
    );
    assert_eq!(read.diagnostics.iter().map(|diagnostic| diagnostic.code).collect::<Vec<_>>(), ["yaml/syntax"]);
}

#[test]
fn the_same_name_in_two_folders_stays_two_components() {
    let pod =
        |image: &str| format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {{containers: [{{name: a, image: {image}}}]}}\n");
    let read = read(&[("one/pod.yaml", &pod("x:1")), ("two/pod.yaml", &pod("y:2"))]);
    assert_eq!(
        read.components.iter().map(|component| component.address.as_str()).collect::<Vec<_>>(),
        ["default/Pod/a", "two:default/Pod/a"]
    );
}

#[test]
fn an_overlay_gives_its_base_a_namespace_and_patches_it() {
    let base = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 1\n  template:\n    spec:\n      containers: [{name: app, image: web}]\n";
    let patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 3\n  template:\n    spec:\n      containers: [{name: app, securityContext: {privileged: true}}]\n";
    let kustomization = |body: &str| format!("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n{body}");
    let read = read(&[
        ("base/deployment.yaml", base),
        ("base/kustomization.yaml", &kustomization("resources: [deployment.yaml]\n")),
        ("overlays/prod/kustomization.yaml", &kustomization("namespace: shop\nresources: [../../base]\npatches: [{path: patch.yaml}]\n")),
        ("overlays/prod/patch.yaml", patch),
    ]);
    assert_eq!(read.components.len(), 1);
    let web = read.component("shop/Deployment/web");
    assert_eq!((web.settings["replicas"].value.as_number(), web.flag("privileged")), (Some(3.0), Some(true)));
    assert_eq!(web.settings["images"].value.as_list().unwrap().len(), 1);
    assert_eq!(read.sources.path(web.settings["privileged"].span), "overlays/prod/patch.yaml");
    assert!(read.diagnostics.is_empty(), "{:?}", read.diagnostics);
}

proptest! {
    #[test]
    fn any_manifest_is_read_without_panic_and_spans_lie_inside(
        kind in "(Deployment|Pod|CronJob|Service|Ingress|Secret|Role|RoleBinding|NetworkPolicy|Namespace|HTTPRoute|Gateway|List)",
        body in "((  ){0,6}(- )?(metadata|name|spec|template|containers|image|env|value|ports|port|selector|rules|subjects|items|labels|data|http|paths|backend|service):? ?(x|80|\\{\\}|\\[\\]|http://a:1|null|'')?\n){0,25}"
    ) {
        let text = format!("apiVersion: v1\nkind: {kind}\nmetadata:\n  name: a\n{body}");
        let read = read(&[("a.yaml", &text)]);
        for component in &read.components {
            for node in component.settings.values() {
                prop_assert!(text.get(node.span.start as usize..node.span.end as usize).is_some());
            }
        }
    }
}

#[test]
fn an_empty_value_is_null_and_not_false() {
    let read = read(&[("a.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n")]);
    assert_eq!(read.component("Namespace/a").settings["pod_security_enforce"].value, Value::Null);
}
