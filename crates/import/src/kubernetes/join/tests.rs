use bartizan_model::{Architecture, Relation};

use crate::{Services, Tree, import};

fn read(files: &[(&str, &str)]) -> Architecture {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../catalogue/services/aws");
    let mut catalogue: Vec<(String, String)> = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        catalogue.push((format!("services/aws/{}", path.file_name().unwrap().to_string_lossy()), std::fs::read_to_string(&path).unwrap()));
    }
    let (services, errors) = Services::load(catalogue.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    assert!(errors.is_empty(), "{errors:?}");
    import(&Tree::from_memory(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))), &services)
}

/// `from -relation-> to attribute` of the links that start at an address.
fn links(architecture: &Architecture, from: &str) -> Vec<String> {
    let word = |relation: &Relation| match relation {
        Relation::Other(word) => word.clone(),
        other => format!("{other:?}"),
    };
    let own = architecture.links.iter().filter(|link| link.from.as_str() == from && !matches!(link.relation, Relation::Flow(_)));
    own.map(|link| format!("{} {} {}", word(&link.relation), link.to, link.attribute)).collect()
}

const PLATFORM: &str = r#"
resource "aws_eks_cluster" "main" {
  name     = "main"
  role_arn = aws_iam_role.cluster.arn
}
resource "aws_iam_role" "cluster" { name = "cluster" }
resource "aws_iam_role" "orders" { name = "orders-pod" }
resource "aws_iam_role" "jobs" { name = "jobs-pod" }
resource "aws_eks_pod_identity_association" "jobs" {
  cluster_name    = aws_eks_cluster.main.name
  namespace       = "shop"
  service_account = "jobs"
  role_arn        = aws_iam_role.jobs.arn
}
resource "aws_eks_access_entry" "ops" {
  cluster_name      = aws_eks_cluster.main.name
  principal_arn     = aws_iam_role.cluster.arn
  kubernetes_groups = ["operators"]
}
resource "aws_sqs_queue" "orders" { name = "orders" }
resource "aws_dynamodb_table" "carts" {
  name     = "carts"
  hash_key = "id"
}
resource "aws_db_instance" "orders" { identifier = "orders-db" }
"#;

const PODS: &str = r#"
apiVersion: v1
kind: ServiceAccount
metadata:
  name: orders
  namespace: shop
  annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::111122223333:role/orders-pod"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: orders, namespace: shop}
spec:
  template:
    spec:
      serviceAccountName: orders
      containers:
      - name: app
        image: orders
        env:
        - {name: QUEUE_URL, value: "https://sqs.eu-west-1.amazonaws.com/111122223333/orders"}
        - {name: CARTS_TABLE, value: carts}
        - {name: APP_NAME, value: carts}
        - {name: DB_URL, value: "jdbc:mysql://orders-db.c1a2b3.eu-west-1.rds.amazonaws.com:3306/orders"}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: jobs, namespace: shop}
spec: {jobTemplate: {spec: {template: {spec: {serviceAccountName: jobs, containers: [{name: a, image: jobs}]}}}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: operators}
roleRef: {kind: ClusterRole, name: admin}
subjects: [{kind: Group, name: operators}]
"#;

#[test]
fn pods_are_joined_with_roles_cluster_and_the_resources_they_name() {
    let architecture = read(&[("main.tf", PLATFORM), ("k8s/pods.yaml", PODS)]);
    let mut found = links(&architecture, "shop/Deployment/orders");
    found.sort();
    assert_eq!(
        found,
        [
            "Mentions aws_dynamodb_table.carts env.CARTS_TABLE",
            "Mentions aws_sqs_queue.orders env.QUEUE_URL",
            "PartOf aws_eks_cluster.main cluster",
            "RunsAs aws_iam_role.orders service_account.role_arn",
            "uses_service_account shop/ServiceAccount/orders service_account",
        ]
    );
    let to_database = architecture.links.iter().find(|link| link.to.as_str() == "aws_db_instance.orders").unwrap();
    assert!(matches!(&to_database.relation, Relation::Flow(spec) if spec.protocol.as_deref() == Some("mysql") && spec.port == Some(3306)));
    assert_eq!(links(&architecture, "shop/CronJob/jobs"), ["PartOf aws_eks_cluster.main cluster", "RunsAs aws_iam_role.jobs pod_identity"]);
    assert!(
        links(&architecture, "aws_eks_access_entry.ops").contains(&"member_of ClusterRoleBinding/operators kubernetes_groups".to_owned())
    );
}

#[test]
fn among_several_clusters_folders_decide_and_the_rest_is_told() {
    let cluster = |name: &str| format!("resource \"aws_eks_cluster\" \"this\" {{\n  name = \"{name}\"\n  role_arn = \"x\"\n}}\n");
    let pod =
        |name: &str| format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec: {{containers: [{{name: a, image: a}}]}}\n");
    let architecture = read(&[
        ("blue/main.tf", &cluster("blue")),
        ("green/main.tf", &cluster("green")),
        ("blue/k8s/a.yaml", &pod("a")),
        ("deploy/green/b.yaml", &pod("b")),
        ("other/c.yaml", &pod("c")),
    ]);
    let part_of = |pod: &str| links(&architecture, &format!("default/Pod/{pod}"));
    assert!(part_of("a")[0].contains("blue"), "{:?}", part_of("a"));
    assert!(part_of("b")[0].contains("green"), "{:?}", part_of("b"));
    assert!(part_of("c").is_empty());
    let told: Vec<&str> = architecture
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.code == "kubernetes/which-cluster")
        .map(|d| d.message.as_str())
        .collect();
    assert_eq!(told, ["it is not known which of 2 clusters runs the 1 components of `other`"]);
}

#[test]
fn hosts_of_stores_are_flows_with_the_protocol_that_the_texts_tell() {
    let terraform = r#"
module "orders_db" { source = "example/orders-db/aws" }
resource "aws_elasticache_replication_group" "cache" { replication_group_id = "cache" }
resource "helm_release" "app" {
  name  = "app"
  chart = "./chart"
  values = ["db: ${module.orders_db.address}:${module.orders_db.port}\ndbName: ${module.orders_db.db_name}\ncache: ${aws_elasticache_replication_group.cache.primary_endpoint_address}\n"]
}
"#;
    let template = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  template:
    spec:
      containers:
      - name: app
        image: app
        env:
        - {name: STORE_PROVIDER, value: postgres}
        - {name: STORE_ENDPOINT, value: "{{ .Values.db }}"}
        - {name: STORE_NAME, value: "{{ .Values.dbName }}"}
        - {name: CACHE_URL, value: "rediss://{{ .Values.cache }}:6380"}
"#;
    let architecture =
        read(&[("main.tf", terraform), ("chart/Chart.yaml", "name: app\nversion: 1.0.0\n"), ("chart/templates/app.yaml", template)]);
    let flows: Vec<String> = architecture
        .links
        .iter()
        .filter_map(|link| match &link.relation {
            Relation::Flow(spec) => Some(format!(
                "{} -> {} {} {:?} {:?}",
                link.from,
                link.to,
                spec.protocol.as_deref().unwrap_or("?"),
                spec.port,
                spec.encrypted
            )),
            _ => None,
        })
        .collect();
    assert_eq!(
        flows,
        [
            "default/Deployment/app -> aws_elasticache_replication_group.cache redis Some(6380) Some(true)",
            "default/Deployment/app -> module.orders_db postgresql None None",
        ]
    );
    assert!(!architecture.links.iter().any(|link| link.relation == Relation::Mentions));
}

#[test]
fn a_release_whose_chart_is_not_at_hand_stands_for_what_it_makes() {
    let terraform = r#"
resource "aws_db_instance" "orders" { identifier = "orders" }
resource "helm_release" "ui" {
  name      = "ui"
  namespace = "web"
  chart     = "../elsewhere/ui"
  values    = ["app:\n  endpoints:\n    catalog: http://catalog.catalog.svc:80\n  server:\n    theme: catalog.catalog\n"]
}
resource "helm_release" "catalog" {
  name       = "catalog"
  namespace  = "catalog"
  chart      = "catalog"
  repository = "https://charts.example.org"
  set {
    name  = "database.url"
    value = "mysql://${aws_db_instance.orders.address}:3306/catalog"
  }
}
"#;
    let architecture = read(&[("main.tf", terraform)]);
    let flows: Vec<String> = architecture
        .links
        .iter()
        .filter_map(|link| match &link.relation {
            Relation::Flow(spec) => {
                Some(format!("{} -> {} {} {:?} {}", link.from, link.to, spec.protocol.as_deref().unwrap_or("?"), spec.port, link.attribute))
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        flows,
        [
            "helm_release.catalog -> aws_db_instance.orders mysql Some(3306) values.database.url",
            "helm_release.ui -> helm_release.catalog http Some(80) values.app.endpoints.catalog",
        ]
    );
    assert!(
        architecture.components.values().filter(|component| component.service == "kubernetes").all(bartizan_model::Component::is_element)
    );
}
