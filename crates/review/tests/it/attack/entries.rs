//! How outsiders come in: flaws of what answers, identity providers, sign-up.

use super::{admin_likelihood, admin_role, allow, joined, likelihood, plan, role, service, techniques, trust, user};

const INTERNET: &str = "internet";

fn host(profile: &str, ingress: &str) -> String {
    format!(
        "resource \"aws_vpc\" \"main\" {{\n  cidr_block = \"10.0.0.0/16\"\n}}\nresource \"aws_internet_gateway\" \"main\" {{\n  vpc_id = aws_vpc.main.id\n}}\n\
         resource \"aws_subnet\" \"public\" {{\n  vpc_id = aws_vpc.main.id\n  cidr_block = \"10.0.1.0/24\"\n  map_public_ip_on_launch = true\n}}\n\
         resource \"aws_route_table\" \"public\" {{\n  vpc_id = aws_vpc.main.id\n  route {{\n    cidr_block = \"0.0.0.0/0\"\n    gateway_id = aws_internet_gateway.main.id\n  }}\n}}\n\
         resource \"aws_route_table_association\" \"public\" {{\n  subnet_id = aws_subnet.public.id\n  route_table_id = aws_route_table.public.id\n}}\n\
         resource \"aws_security_group\" \"host\" {{\n  vpc_id = aws_vpc.main.id\n  ingress {{\n    from_port = 80\n    to_port = 80\n    protocol = \"tcp\"\n    cidr_blocks = [\"{ingress}\"]\n  }}\n}}\n\
         resource \"aws_iam_instance_profile\" \"admin\" {{\n  name = \"admin\"\n  role = aws_iam_role.admin.name\n}}\n\
         resource \"aws_instance\" \"host\" {{\n  ami = \"ami-1\"\n  instance_type = \"t3.micro\"\n  subnet_id = aws_subnet.public.id\n  vpc_security_group_ids = [aws_security_group.host.id]\n{profile}}}\n"
    )
}

#[test]
fn code_on_a_machine_has_the_role_of_its_profile() {
    let profile = "  iam_instance_profile = aws_iam_instance_profile.admin.name\n";
    let reached = plan(&joined(&[admin_role(&service("ec2")), host(profile, "0.0.0.0/0")]));
    let paths = reached.attack.paths(Some(INTERNET), &bartizan_review::Goal::Admin);
    assert_eq!(techniques(&paths[0]), ["application-flaw", "instance-metadata", "administrator"]);
    assert!(paths[0].steps[0].assumption && !paths[0].steps[1].assumption);
    let without = plan(&joined(&[admin_role(&service("ec2")), host("", "0.0.0.0/0")]));
    assert_eq!(admin_likelihood(&without, INTERNET), 0.0);
    // Where nobody outside connects, only a dependency that was taken over remains.
    let inner = plan(&joined(&[admin_role(&service("ec2")), host(profile, "10.0.0.0/16")]));
    let left = admin_likelihood(&inner, INTERNET);
    assert!(left > 0.0 && left < admin_likelihood(&reached, INTERNET), "{left}");
}

#[test]
fn security_settings_are_cut_and_not_the_wiring() {
    let profile = "  iam_instance_profile = aws_iam_instance_profile.admin.name\n";
    let reached = plan(&joined(&[admin_role(&service("ec2")), host(profile, "0.0.0.0/0")]));
    let path = reached.attack_paths.iter().find(|path| path.from == INTERNET && path.to == "admin").unwrap();
    assert!(path.steps[0].evidence.iter().any(|item| item.text.contains("internet gateway")), "{path:#?}");
    let texts: Vec<&str> = path.cuts.iter().map(|cut| cut.text.as_str()).collect();
    assert!(texts.iter().any(|text| text.contains("aws_security_group.host")), "{texts:?}");
    assert!(texts.iter().all(|text| !text.contains("internet gateway")), "{texts:?}");
}

#[test]
fn paths_from_somebody_that_the_plan_does_not_know_are_none() {
    let plan = plan(&joined(&[admin_role(&trust("AWS = \"*\"")), user("admin", &[allow("*", "*")])]));
    assert!(plan.attack.paths(Some("aws_iam_user.nobody"), &bartizan_review::Goal::Admin).is_empty());
    assert!(plan.attack.paths(Some("arn:aws:iam::111111111111:user/nobody"), &bartizan_review::Goal::Admin).is_empty());
    assert!(!plan.attack.paths(None, &bartizan_review::Goal::Admin).is_empty());
}

fn pool(only_admins: bool) -> String {
    let trust = "{ Effect = \"Allow\", Action = \"sts:AssumeRoleWithWebIdentity\", Principal = { Federated = \"cognito-identity.amazonaws.com\" }, Condition = { StringEquals = { \"cognito-identity.amazonaws.com:aud\" = aws_cognito_identity_pool.app.id }, \"ForAnyValue:StringLike\" = { \"cognito-identity.amazonaws.com:amr\" = \"authenticated\" } } }";
    let pools = format!(
        "resource \"aws_cognito_user_pool\" \"app\" {{\n  name = \"app\"\n  admin_create_user_config {{\n    allow_admin_create_user_only = {only_admins}\n  }}\n}}\n\
         resource \"aws_cognito_user_pool_client\" \"app\" {{\n  name = \"app\"\n  user_pool_id = aws_cognito_user_pool.app.id\n}}\n\
         resource \"aws_cognito_identity_pool\" \"app\" {{\n  identity_pool_name = \"app\"\n  allow_unauthenticated_identities = false\n  cognito_identity_providers {{\n    client_id = aws_cognito_user_pool_client.app.id\n    provider_name = aws_cognito_user_pool.app.endpoint\n  }}\n}}\n\
         resource \"aws_cognito_identity_pool_roles_attachment\" \"app\" {{\n  identity_pool_id = aws_cognito_identity_pool.app.id\n  roles = {{ authenticated = aws_iam_role.admin.arn }}\n}}\n"
    );
    joined(&[admin_role(trust), pools])
}

#[test]
fn whoever_signs_itself_up_has_the_role_of_users() {
    let open = plan(&pool(false));
    let paths = open.attack.paths(Some(INTERNET), &bartizan_review::Goal::Admin);
    assert_eq!(techniques(&paths[0]), ["self-sign-up", "identity-pool-credentials", "administrator"]);
    assert_eq!(admin_likelihood(&plan(&pool(true)), INTERNET), 0.0);
}

fn github(subject: &str) -> String {
    let provider = "resource \"aws_iam_openid_connect_provider\" \"github\" {\n  url = \"https://token.actions.githubusercontent.com\"\n  client_id_list = [\"sts.amazonaws.com\"]\n}\n";
    let subject = if subject.is_empty() {
        String::new()
    } else {
        format!(", StringLike = {{ \"token.actions.githubusercontent.com:sub\" = \"{subject}\" }}")
    };
    let trust = format!(
        "{{ Effect = \"Allow\", Action = \"sts:AssumeRoleWithWebIdentity\", Principal = {{ Federated = aws_iam_openid_connect_provider.github.arn }}, Condition = {{ StringEquals = {{ \"token.actions.githubusercontent.com:aud\" = \"sts.amazonaws.com\" }}{subject} }} }}"
    );
    joined(&[provider.to_owned(), admin_role(&trust)])
}

#[test]
fn tokens_of_any_repository_are_likelier_than_those_of_one() {
    let entry = "aws_iam_openid_connect_provider.github";
    let [anybody, any, one] = ["", "repo:*", "repo:acme/shop:ref:refs/heads/main"].map(|subject| plan(&github(subject)));
    assert_eq!(admin_likelihood(&anybody, entry), admin_likelihood(&any, entry));
    assert!(admin_likelihood(&any, entry) > admin_likelihood(&one, entry));
    let steps =
        |review: &bartizan_review::Review| review.attack.paths(Some(entry), &bartizan_review::Goal::Admin)[0].steps[0].conditions.len();
    assert_eq!(steps(&any), 0);
    assert!(steps(&one) > 0);
}

#[test]
fn anyone_reads_what_the_policy_of_a_resource_opens() {
    let bucket = "resource \"aws_s3_bucket\" \"ledger\" {\n  bucket = \"ledger\"\n}\n";
    let policy = |who: &str| {
        format!(
            "resource \"aws_s3_bucket_policy\" \"ledger\" {{\n  bucket = aws_s3_bucket.ledger.id\n  policy = jsonencode({{ Statement = [{{ Effect = \"Allow\", Principal = {who}, Action = \"s3:GetObject\", Resource = \"${{aws_s3_bucket.ledger.arn}}/*\" }}] }})\n}}\n\
             resource \"aws_s3_bucket_public_access_block\" \"ledger\" {{\n  bucket = aws_s3_bucket.ledger.id\n  block_public_policy = false\n  restrict_public_buckets = false\n}}\n"
        )
    };
    let plan = |who: &str| plan(&format!("{bucket}{}", policy(who)));
    let (anyone, entry) = ("aws:anyone", "aws:account/210987654321");
    let (open, other) = (plan("\"*\""), plan("{ AWS = \"arn:aws:iam::210987654321:root\" }"));
    assert!(likelihood(&open, anyone, "aws_s3_bucket.ledger") > 0.5);
    assert!(likelihood(&open, INTERNET, "aws_s3_bucket.ledger") > 0.5);
    assert_eq!(likelihood(&other, INTERNET, "aws_s3_bucket.ledger"), 0.0);
    assert_eq!(likelihood(&other, anyone, "aws_s3_bucket.ledger"), 0.0);
    assert!(likelihood(&other, entry, "aws_s3_bucket.ledger") > 0.0);
    assert!(likelihood(&other, entry, "aws_s3_bucket.ledger") < likelihood(&open, anyone, "aws_s3_bucket.ledger"));
}

fn domain(policy: &str, more: &str) -> String {
    format!(
        "resource \"aws_opensearch_domain\" \"orders\" {{\n  domain_name = \"orders\"\n{more}  access_policies = jsonencode({{ Statement = [{{ Effect = \"Allow\", Principal = {policy}, Action = \"es:*\", Resource = \"*\" }}] }})\n}}\n"
    )
}

#[test]
fn what_asks_for_no_signature_is_open_to_the_internet() {
    let to = "aws_opensearch_domain.orders";
    for whom in ["\"*\"", "{ AWS = \"*\" }"] {
        let open = plan(&domain(whom, ""));
        let found = super::paths(&open, INTERNET, to);
        assert!(found[0].likelihood > 0.5, "{found:#?}");
        assert_eq!(techniques(&found[0]), ["data-opensearch-read"]);
        assert_eq!(found[0].steps[0].actions, ["es:ESHttpGet"]);
        let flow = open.architecture.flows.iter().find(|flow| flow.from.as_str() == "aws:anyone").unwrap();
        assert_eq!(flow.authentication.as_deref(), Some("none"));
    }
    let with_users = "  advanced_security_options {\n    enabled = true\n    internal_user_database_enabled = true\n  }\n";
    let asks = super::paths(&plan(&domain("\"*\"", with_users)), INTERNET, to);
    assert!(asks.iter().all(|path| !path.steps[0].conditions.is_empty()), "{asks:#?}");
    assert_eq!(likelihood(&plan(&domain("{ AWS = \"arn:aws:iam::210987654321:root\" }", "")), INTERNET, to), 0.0);
    // Secrets and roles answer signed requests only.
    let secret = "resource \"aws_secretsmanager_secret\" \"key\" {\n  name = \"key\"\n  policy = jsonencode({ Statement = [{ Effect = \"Allow\", Principal = \"*\", Action = \"secretsmanager:GetSecretValue\", Resource = \"*\" }] })\n}\n";
    let signed = plan(secret);
    assert!(likelihood(&signed, "aws:anyone", "aws_secretsmanager_secret.key") > 0.5);
    assert_eq!(likelihood(&signed, INTERNET, "aws_secretsmanager_secret.key"), 0.0);
}

#[test]
fn a_list_for_authenticated_users_asks_for_an_account() {
    let bucket = |acl: &str| {
        plan(&format!(
            "resource \"aws_s3_bucket\" \"ledger\" {{\n  bucket = \"ledger\"\n}}\nresource \"aws_s3_bucket_acl\" \"ledger\" {{\n  bucket = aws_s3_bucket.ledger.id\n  acl = \"{acl}\"\n}}\n"
        ))
    };
    for (acl, internet) in [("public-read", true), ("authenticated-read", false)] {
        let plan = bucket(acl);
        assert!(likelihood(&plan, "aws:anyone", "aws_s3_bucket.ledger") > 0.0);
        assert_eq!(likelihood(&plan, INTERNET, "aws_s3_bucket.ledger") > 0.0, internet, "{acl}");
    }
}

#[test]
fn who_runs_code_needs_no_action_to_be_its_role() {
    let function = "resource \"aws_lambda_function\" \"app\" {\n  function_name = \"app\"\n  role = aws_iam_role.admin.arn\n}\n";
    let review = plan(&joined(&[admin_role(&service("lambda")), function.to_owned()]));
    let path = &super::paths(&review, INTERNET, "aws_iam_role.admin")[0];
    let last = path.steps.last().unwrap();
    assert_eq!((last.technique.as_str(), last.actions.len()), ("runs-as", 0));
    let edge = review.attack.edges().0.into_iter().find(|edge| edge.technique == "runs-as").unwrap();
    assert!(edge.actions.contains(&"lambda:InvokeFunction".to_owned()), "{edge:?}");
}

#[test]
fn paths_are_listed_likeliest_first() {
    let direct = admin_role(&trust("AWS = \"*\""));
    let slow = role("slow", &trust("AWS = \"arn:aws:iam::210987654321:root\""), &[allow("iam:PutRolePolicy", "*")]);
    let review = plan(&joined(&[direct, slow]));
    let paths = review.attack.paths(None, &bartizan_review::Goal::Admin);
    assert!(paths.len() >= 2, "{paths:#?}");
    assert!(paths.windows(2).all(|pair| pair[0].likelihood >= pair[1].likelihood));
    for path in &paths {
        let product: f64 = path.steps.iter().map(|step| step.likelihood).product();
        assert!((product - path.likelihood).abs() < 1e-9, "{path:#?}");
    }
}

#[test]
fn conditions_whose_keys_hang_on_an_unknown_url_stay_apart() {
    // The provider's URL is not known, so both keys are known only in their ends; the pinned subject must not vanish behind the audience.
    let text = |pinned: bool| {
        let subject = if pinned {
            "    condition {\n      test = \"StringEquals\"\n      variable = \"${var.issuer}:sub\"\n      values = [\"repo:acme/shop:ref:refs/heads/main\"]\n    }\n"
        } else {
            ""
        };
        joined(&[
            "variable \"issuer\" {}\nresource \"aws_iam_openid_connect_provider\" \"ci\" {\n  url = \"https://${var.issuer}\"\n  client_id_list = [\"sts.amazonaws.com\"]\n}\n".to_owned(),
            format!(
                "data \"aws_iam_policy_document\" \"trust\" {{\n  statement {{\n    actions = [\"sts:AssumeRoleWithWebIdentity\"]\n    principals {{\n      type = \"Federated\"\n      identifiers = [aws_iam_openid_connect_provider.ci.arn]\n    }}\n{subject}    condition {{\n      test = \"StringEquals\"\n      variable = \"${{var.issuer}}:aud\"\n      values = [\"sts.amazonaws.com\"]\n    }}\n  }}\n}}\n"
            ),
            "resource \"aws_iam_role\" \"admin\" {\n  name = \"admin\"\n  assume_role_policy = data.aws_iam_policy_document.trust.json\n}\nresource \"aws_iam_role_policy\" \"admin\" {\n  role = aws_iam_role.admin.id\n  policy = jsonencode({ Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = \"*\", Resource = \"*\" }] })\n}\n".to_owned(),
        ])
    };
    let entry = "aws_iam_openid_connect_provider.ci";
    let [open, pinned] = [false, true].map(|pinned| admin_likelihood(&plan(&text(pinned)), entry));
    assert!(open > pinned && pinned > 0.0, "{open} {pinned}");
}
