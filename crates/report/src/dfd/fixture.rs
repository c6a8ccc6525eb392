//! Systems to draw in tests.

use bartizan_model::{Address, Architecture, Boundary, BoundaryKind, Component, Confidence, Exposure, Flow, FlowStatus, Kind};

/// Builds an architecture as the review leaves it.
#[derive(Default)]
pub(super) struct System {
    pub(super) architecture: Architecture,
}

impl System {
    pub(super) fn boundary(&mut self, id: &str, kind: BoundaryKind, name: &str, parent: Option<&str>) {
        let parent = parent.map(str::to_owned);
        self.architecture.boundaries.push(Boundary { id: id.to_owned(), kind, name: name.to_owned(), parent, span: None });
    }

    pub(super) fn add(&mut self, address: &str, component_type: &str, kind: Kind, boundary: Option<&str>) {
        let name = address.rsplit(['.', '/']).next().unwrap_or(address);
        let component = Component {
            address: Address::new(address),
            source_type: String::new(),
            service: component_type.split('.').next().unwrap_or_default().to_owned(),
            component_type: component_type.to_owned(),
            kind,
            name: if address == "internet" { "Internet".to_owned() } else { name.to_owned() },
            name_text: None,
            stack: String::new(),
            account: None,
            region: None,
            span: None,
            settings: Default::default(),
            tags: Default::default(),
            exposure: None,
            boundary: boundary.map(str::to_owned),
            assets: Vec::new(),
        };
        self.architecture.components.insert(component.address.clone(), component);
    }

    pub(super) fn expose(&mut self, address: &str) {
        if let Some(component) = self.architecture.components.get_mut(&Address::new(address)) {
            component.exposure = Some((Exposure::Internet, Vec::new()));
        }
    }

    pub(super) fn flow(&mut self, from: &str, to: &str, protocol: &str, port: Option<u16>, encrypted: Option<bool>) {
        self.architecture.flows.push(Flow {
            id: format!("f{}", self.architecture.flows.len()),
            from: Address::new(from),
            to: Address::new(to),
            protocol: protocol.to_owned(),
            port,
            encrypted,
            authentication: Some("iam".to_owned()),
            data: Vec::new(),
            confidence: Confidence::Integration,
            status: FlowStatus::Active,
            why: Vec::new(),
        });
    }

    pub(super) fn block_last(&mut self) {
        if let Some(flow) = self.architecture.flows.last_mut() {
            flow.status = FlowStatus::Blocked;
        }
    }

    fn done(mut self) -> Architecture {
        self.architecture.components.sort_keys();
        self.architecture
    }
}

fn frame(system: &mut System) {
    system.boundary("internet", BoundaryKind::Internet, "Internet", None);
    system.boundary("external:partner", BoundaryKind::External, "Payment partner", None);
    system.boundary("account:1", BoundaryKind::Account, "111122223333", None);
    system.boundary("vpc:aws_vpc.main", BoundaryKind::Vpc, "main", Some("account:1"));
    system.boundary("public", BoundaryKind::PublicSubnets, "Public subnets", Some("vpc:aws_vpc.main"));
    system.boundary("private", BoundaryKind::PrivateSubnets, "Private subnets", Some("vpc:aws_vpc.main"));
    system.boundary("isolated", BoundaryKind::IsolatedSubnets, "Isolated subnets", Some("vpc:aws_vpc.main"));
    system.boundary("cluster", BoundaryKind::Cluster, "shop-prod", Some("private"));
    system.boundary("ns", BoundaryKind::Namespace, "shop", Some("cluster"));
    system.add("internet", "external.internet", Kind::ExternalEntity, Some("internet"));
    system.add("partner", "external.actor", Kind::ExternalEntity, Some("external:partner"));
}

/// A shop of 27 components on EKS, Lambda, DynamoDB, SQS, Kinesis and RDS.
pub(super) fn shop() -> Architecture {
    let mut system = System::default();
    frame(&mut system);
    let account = Some("account:1");
    use Kind::{DataStore, Process};
    for (address, component_type, kind, boundary) in [
        ("aws_cloudfront_distribution.web", "cloudfront.distribution", Process, account),
        ("aws_s3_bucket.assets", "s3.bucket", DataStore, account),
        ("aws_apigatewayv2_api.public", "apigateway.api", Process, account),
        ("aws_lambda_function.orders-intake-production", "lambda.function", Process, account),
        ("aws_lambda_function.notify", "lambda.function", Process, account),
        ("aws_lambda_function.enrich", "lambda.function", Process, account),
        ("aws_dynamodb_table.sessions", "dynamodb.table", DataStore, account),
        ("aws_dynamodb_table.orders", "dynamodb.table", DataStore, account),
        ("aws_sqs_queue.orders", "sqs.queue", DataStore, account),
        ("aws_sqs_queue.orders-dlq", "sqs.queue", DataStore, account),
        ("aws_sns_topic.events", "sns.topic", Process, account),
        ("aws_kinesis_stream.clicks", "kinesis.stream", DataStore, account),
        ("aws_kinesis_firehose_delivery_stream.clicks", "firehose.delivery_stream", Process, account),
        ("aws_s3_bucket.lake", "s3.bucket", DataStore, account),
        ("aws_secretsmanager_secret.db", "secretsmanager.secret", DataStore, account),
        ("aws_cognito_user_pool.customers", "cognito.user_pool", Process, account),
        ("aws_s3_bucket.backups", "s3.bucket", DataStore, account),
        ("aws_s3_bucket.terraform-state", "s3.bucket", DataStore, account),
        ("aws_ecr_repository.api", "ecr.repository", DataStore, account),
        ("aws_lb.front", "elb.load_balancer", Process, Some("public")),
        ("aws_instance.bastion", "ec2.instance", Process, Some("public")),
        ("shop/Deployment/web", "kubernetes.workload", Process, Some("ns")),
        ("shop/Deployment/api", "kubernetes.workload", Process, Some("ns")),
        ("shop/Deployment/payments", "kubernetes.workload", Process, Some("ns")),
        ("aws_db_instance.orders", "rds.instance", DataStore, Some("isolated")),
        ("aws_elasticache_cluster.sessions", "elasticache.cluster", DataStore, Some("isolated")),
    ] {
        system.add(address, component_type, kind, boundary);
    }
    for address in ["aws_cloudfront_distribution.web", "aws_apigatewayv2_api.public", "aws_lb.front", "aws_instance.bastion"] {
        system.expose(address);
    }
    let (yes, no, https) = (Some(true), Some(false), Some(443));
    for (from, to, protocol, port, encrypted) in [
        ("internet", "aws_cloudfront_distribution.web", "https", https, yes),
        ("internet", "aws_apigatewayv2_api.public", "https", https, yes),
        ("internet", "aws_lb.front", "http", Some(80), no),
        ("internet", "aws_cognito_user_pool.customers", "https", https, yes),
        ("aws_cloudfront_distribution.web", "aws_s3_bucket.assets", "https", https, yes),
        ("aws_cloudfront_distribution.web", "aws_lb.front", "https", https, yes),
        ("aws_apigatewayv2_api.public", "aws_lambda_function.orders-intake-production", "https", https, yes),
        ("aws_lambda_function.orders-intake-production", "aws_sqs_queue.orders", "https", https, yes),
        ("aws_lambda_function.orders-intake-production", "aws_dynamodb_table.orders", "https", https, yes),
        ("aws_lambda_function.orders-intake-production", "aws_kinesis_stream.clicks", "https", https, yes),
        ("aws_sqs_queue.orders", "aws_sqs_queue.orders-dlq", "sqs", None, yes),
        ("aws_sqs_queue.orders", "aws_lambda_function.notify", "https", https, yes),
        ("aws_lambda_function.notify", "aws_sns_topic.events", "https", https, yes),
        ("aws_sns_topic.events", "partner", "http", Some(80), no),
        ("aws_kinesis_stream.clicks", "aws_lambda_function.enrich", "https", https, yes),
        ("aws_lambda_function.enrich", "aws_kinesis_firehose_delivery_stream.clicks", "https", https, yes),
        ("aws_kinesis_firehose_delivery_stream.clicks", "aws_s3_bucket.lake", "https", https, yes),
        ("aws_lb.front", "shop/Deployment/web", "http", Some(8080), no),
        ("aws_lb.front", "shop/Deployment/api", "http", Some(8080), no),
        ("shop/Deployment/web", "shop/Deployment/api", "http", Some(8080), no),
        ("shop/Deployment/api", "shop/Deployment/payments", "grpc", Some(50051), yes),
        ("shop/Deployment/payments", "partner", "https", https, yes),
        ("shop/Deployment/api", "aws_db_instance.orders", "mysql", Some(3306), None),
        ("shop/Deployment/payments", "aws_db_instance.orders", "mysql", Some(3306), None),
        ("shop/Deployment/web", "aws_elasticache_cluster.sessions", "redis", Some(6379), no),
        ("shop/Deployment/web", "aws_dynamodb_table.sessions", "https", https, yes),
        ("shop/Deployment/api", "aws_sqs_queue.orders", "https", https, yes),
        ("shop/Deployment/payments", "aws_secretsmanager_secret.db", "https", https, yes),
        ("aws_instance.bastion", "aws_db_instance.orders", "mysql", Some(3306), None),
        ("shop/Deployment/api", "shop/Deployment/api", "gossip", Some(7946), no),
    ] {
        system.flow(from, to, protocol, port, encrypted);
    }
    system.flow("internet", "aws_instance.bastion", "ssh", Some(22), yes);
    system.block_last();
    system.done()
}

/// A larger system: `n` domains of 8 components each in one VPC or beside it, with logs that everything writes to.
pub(super) fn domains(n: usize) -> Architecture {
    let mut system = System::default();
    frame(&mut system);
    system.add("aws_lb.front", "elb.load_balancer", Kind::Process, Some("public"));
    system.add("aws_sns_topic.events", "sns.topic", Kind::Process, Some("account:1"));
    system.add("aws_cloudwatch_log_group.all", "cloudwatch.log_group", Kind::DataStore, Some("account:1"));
    system.add("aws_db_instance.core", "rds.instance", Kind::DataStore, Some("isolated"));
    system.flow("internet", "aws_lb.front", "https", Some(443), Some(true));
    let names = ["billing", "catalogue", "delivery", "fraud", "identity", "loyalty", "orders", "pricing", "returns", "search"];
    for index in 0..n {
        let name = format!(
            "{}{}",
            names[index % names.len()],
            if index >= names.len() { (index / names.len()).to_string() } else { String::new() }
        );
        let place = if index % 2 == 0 { "private" } else { "account:1" };
        let at = |kind: &str| format!("module.{name}.{kind}.{name}");
        let (api, handler, worker, queue) =
            (at("aws_ecs_service"), at("aws_lambda_function.handler"), at("aws_lambda_function.worker"), at("aws_sqs_queue"));
        let (dead, table, bucket, secret) =
            (at("aws_sqs_queue.dead"), at("aws_dynamodb_table"), at("aws_s3_bucket"), at("aws_secretsmanager_secret"));
        system.add(&api, "ecs.service", Kind::Process, Some(place));
        system.add(&handler, "lambda.function", Kind::Process, Some(place));
        system.add(&worker, "lambda.function", Kind::Process, Some("account:1"));
        system.add(&queue, "sqs.queue", Kind::DataStore, Some("account:1"));
        system.add(&dead, "sqs.queue", Kind::DataStore, Some("account:1"));
        system.add(&table, "dynamodb.table", Kind::DataStore, Some("account:1"));
        system.add(&bucket, "s3.bucket", Kind::DataStore, Some("account:1"));
        system.add(&secret, "secretsmanager.secret", Kind::DataStore, Some("account:1"));
        let https = Some(443);
        system.flow("aws_lb.front", &api, "http", Some(8080), Some(index % 3 != 0));
        system.flow(&api, &handler, "https", https, Some(true));
        system.flow(&handler, &queue, "https", https, Some(true));
        system.flow(&queue, &worker, "https", https, Some(true));
        system.flow(&queue, &dead, "sqs", None, Some(true));
        system.flow(&worker, &table, "https", https, Some(true));
        if index % 3 == 0 {
            system.flow(&worker, "aws_sns_topic.events", "https", https, Some(true));
            system.flow(&api, "aws_db_instance.core", "postgres", Some(5432), None);
        }
        if index % 4 == 1 {
            system.flow(&worker, &bucket, "https", https, Some(true));
        }
        for from in [&api, &handler, &worker] {
            system.flow(from, "aws_cloudwatch_log_group.all", "https", https, Some(true));
        }
    }
    system.done()
}

/// A small generator (Knuth's constants for a 64-bit linear congruence), so that a failing graph has a number.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % limit.max(1) as u64).unwrap_or(0)
    }
}

/// Anything: up to 60 components in nested boundaries, with circles, loops, doubled flows, unknown ends and odd names.
pub(super) fn random(seed: u64) -> Architecture {
    let mut dice = Dice::new(seed);
    let mut system = System::default();
    let n_boundaries = dice.below(9);
    let kinds = [BoundaryKind::Account, BoundaryKind::Vpc, BoundaryKind::PublicSubnets, BoundaryKind::Internet, BoundaryKind::Namespace];
    for index in 0..n_boundaries {
        // Now and then a parent that does not exist, that comes later, or that is the boundary itself.
        let parent = format!("b{}", dice.below(n_boundaries + 2));
        let parent = (dice.below(3) > 0).then_some(parent.as_str());
        system.boundary(&format!("b{index}"), kinds[dice.below(kinds.len())], &format!("zone {index}"), parent);
    }
    let n_components = 1 + dice.below(60);
    let types =
        ["lambda.function", "sqs.queue", "s3.bucket", "rds.instance", "kubernetes.workload", "odd.<thing>&\"quoted\"", "external.actor"];
    for index in 0..n_components {
        let kind = [Kind::Process, Kind::DataStore, Kind::ExternalEntity, Kind::Supporting][dice.below(4)];
        let boundary = format!("b{}", dice.below(n_boundaries + 1));
        let length = dice.below(5);
        let name = format!("t.c{index}{}", ["", "-a-much-longer-name-of-a-thing", "[\"key.with dots\"]", "éàü漢字", "<b>&amp;"][length]);
        system.add(&name, types[dice.below(types.len())], kind, Some(&boundary));
    }
    let addresses: Vec<String> = system.architecture.components.keys().map(|address| address.as_str().to_owned()).collect();
    let density = 1 + dice.below(3);
    for _ in 0..dice.below(n_components * density + 1) {
        let from = addresses[dice.below(addresses.len())].clone();
        let to = if dice.below(25) == 0 { "internet".to_owned() } else { addresses[dice.below(addresses.len())].clone() };
        let protocol = ["https", "mysql", "a-protocol-with-a-long-name", "tcp"][dice.below(4)];
        let port = (dice.below(3) > 0).then_some(443);
        system.flow(&from, &to, protocol, port, [Some(true), Some(false), None][dice.below(3)]);
        if dice.below(9) == 0 {
            system.block_last();
        }
    }
    system.done()
}
