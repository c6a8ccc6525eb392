//! Credentials in configuration, and logins that take the network as well.

use bartizan_review::Standing;

use super::{admin_role, allow, joined, likelihood, plan, role, service, standing, user};

const READER: &str = "aws_iam_user.reader";

fn reader(action: &str) -> String {
    user("reader", &[allow(action, "*")])
}

/// An administrator whose access key is there.
fn admin_key() -> String {
    joined(&[
        user("admin", &[allow("*", "*")]),
        "resource \"aws_iam_access_key\" \"admin\" {\n  user = aws_iam_user.admin.name\n}\n".to_owned(),
    ])
}

/// Configurations that hold the key, each with the action that reads it and one that does not.
const HOLDERS: [(&str, &str, &str); 3] = [
    (
        "lambda:GetFunctionConfiguration",
        "lambda:GetAccountSettings",
        "resource \"aws_lambda_function\" \"app\" {\n  function_name = \"app\"\n  role = aws_iam_role.plain.arn\n  environment {\n    variables = { KEY = aws_iam_access_key.admin.secret }\n  }\n}\n",
    ),
    (
        "codebuild:BatchGetProjects",
        "codebuild:ListProjects",
        "resource \"aws_codebuild_project\" \"app\" {\n  name = \"app\"\n  service_role = aws_iam_role.plain.arn\n  artifacts {\n    type = \"NO_ARTIFACTS\"\n  }\n  source {\n    type = \"NO_SOURCE\"\n  }\n  environment {\n    compute_type = \"BUILD_GENERAL1_SMALL\"\n    image = \"aws/codebuild/standard:7.0\"\n    type = \"LINUX_CONTAINER\"\n    environment_variable {\n      name = \"KEY\"\n      value = aws_iam_access_key.admin.secret\n    }\n  }\n}\n",
    ),
    (
        "ssm:GetParameter",
        "ssm:DescribeParameters",
        "resource \"aws_ssm_parameter\" \"key\" {\n  name = \"key\"\n  type = \"String\"\n  value = aws_iam_access_key.admin.secret\n}\n",
    ),
];

#[test]
fn an_access_key_in_configuration_makes_its_reader_the_user() {
    for (reads, does_not, holder) in HOLDERS {
        let plan = |action: &str| {
            [
                reader(action),
                admin_key(),
                role(
                    "plain",
                    "{ Effect = \"Allow\", Action = \"sts:AssumeRole\", Principal = { Service = [\"lambda.amazonaws.com\", \"codebuild.amazonaws.com\"] } }",
                    &[],
                ),
                holder.to_owned(),
            ]
        };
        assert_eq!(standing(&plan(reads), READER), Standing::Yes, "{reads}");
        assert_eq!(standing(&plan(does_not), READER), Standing::No, "{does_not}");
        let without = plan(reads).map(|part| part.replace("aws_iam_access_key.admin.secret", "\"nothing\""));
        assert_eq!(standing(&without, READER), Standing::No, "{reads} of what holds no key");
    }
}

#[test]
fn an_inactive_key_opens_nothing() {
    let (reads, _, holder) = HOLDERS[2];
    let of_key = "resource \"aws_iam_access_key\" \"admin\" {\n";
    let inactive = admin_key().replace(of_key, &format!("{of_key}  status = \"Inactive\"\n"));
    assert_eq!(standing(&[reader(reads), admin_key(), holder.to_owned()], READER), Standing::Yes);
    assert_eq!(standing(&[reader(reads), inactive, holder.to_owned()], READER), Standing::No);
}

/// A machine with an administrator's profile, whose key pair is generated and kept as a parameter.
fn machine(ingress: &str) -> String {
    let network = "resource \"aws_vpc\" \"main\" {\n  cidr_block = \"10.0.0.0/16\"\n}\nresource \"aws_internet_gateway\" \"main\" {\n  vpc_id = aws_vpc.main.id\n}\nresource \"aws_subnet\" \"public\" {\n  vpc_id = aws_vpc.main.id\n  cidr_block = \"10.0.1.0/24\"\n  map_public_ip_on_launch = true\n}\nresource \"aws_route_table\" \"public\" {\n  vpc_id = aws_vpc.main.id\n  route {\n    cidr_block = \"0.0.0.0/0\"\n    gateway_id = aws_internet_gateway.main.id\n  }\n}\nresource \"aws_route_table_association\" \"public\" {\n  subnet_id = aws_subnet.public.id\n  route_table_id = aws_route_table.public.id\n}\n";
    format!(
        "{network}resource \"aws_security_group\" \"host\" {{\n  vpc_id = aws_vpc.main.id\n  ingress {{\n    from_port = 22\n    to_port = 22\n    protocol = \"tcp\"\n    cidr_blocks = [\"{ingress}\"]\n  }}\n}}\n\
         resource \"aws_iam_instance_profile\" \"admin\" {{\n  name = \"admin\"\n  role = aws_iam_role.admin.name\n}}\n\
         resource \"tls_private_key\" \"host\" {{\n  algorithm = \"ED25519\"\n}}\n\
         resource \"aws_key_pair\" \"host\" {{\n  key_name = \"host\"\n  public_key = tls_private_key.host.public_key_openssh\n}}\n\
         resource \"aws_instance\" \"host\" {{\n  ami = \"ami-1\"\n  instance_type = \"t3.micro\"\n  subnet_id = aws_subnet.public.id\n  vpc_security_group_ids = [aws_security_group.host.id]\n  key_name = aws_key_pair.host.key_name\n  iam_instance_profile = aws_iam_instance_profile.admin.name\n}}\n\
         resource \"aws_ssm_parameter\" \"key\" {{\n  name = \"host-key\"\n  type = \"SecureString\"\n  value = tls_private_key.host.private_key_openssh\n}}\n"
    )
}

#[test]
fn a_private_key_opens_the_machine_that_takes_it_where_the_network_lets_one_connect() {
    let plan = |action: &str, ingress: &str| [reader(action), admin_role(&service("ec2")), machine(ingress)];
    assert_eq!(standing(&plan("ssm:GetParameter", "0.0.0.0/0"), READER), Standing::Yes);
    assert_eq!(standing(&plan("ssm:GetParameter", "10.0.0.0/16"), READER), Standing::Conditional);
    assert_eq!(standing(&plan("ssm:DescribeParameters", "0.0.0.0/0"), READER), Standing::No);
    let another = plan("ssm:GetParameter", "0.0.0.0/0").map(|part| part.replace("tls_private_key.host.private_key_openssh", "\"none\""));
    assert_eq!(standing(&another, READER), Standing::No);
}

/// A function in a network with a database whose password lies in a parameter.
fn database(source: &str, statements: &[String]) -> String {
    let function = role("app", &service("lambda"), statements);
    format!(
        "resource \"aws_vpc\" \"main\" {{\n  cidr_block = \"10.0.0.0/16\"\n}}\nresource \"aws_subnet\" \"inner\" {{\n  vpc_id = aws_vpc.main.id\n  cidr_block = \"10.0.1.0/24\"\n}}\n\
         resource \"aws_security_group\" \"app\" {{\n  vpc_id = aws_vpc.main.id\n  egress {{\n    from_port = 0\n    to_port = 0\n    protocol = \"-1\"\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }}\n}}\n\
         resource \"aws_security_group\" \"other\" {{\n  vpc_id = aws_vpc.main.id\n}}\n\
         resource \"aws_security_group\" \"db\" {{\n  vpc_id = aws_vpc.main.id\n  ingress {{\n    from_port = 5432\n    to_port = 5432\n    protocol = \"tcp\"\n    security_groups = [aws_security_group.{source}.id]\n  }}\n}}\n\
         resource \"random_password\" \"db\" {{\n  length = 30\n}}\n\
         resource \"aws_db_subnet_group\" \"db\" {{\n  name = \"db\"\n  subnet_ids = [aws_subnet.inner.id]\n}}\n\
         resource \"aws_db_instance\" \"ledger\" {{\n  identifier = \"ledger\"\n  engine = \"postgres\"\n  instance_class = \"db.t4g.micro\"\n  username = \"app\"\n  password = random_password.db.result\n  db_subnet_group_name = aws_db_subnet_group.db.name\n  vpc_security_group_ids = [aws_security_group.db.id]\n}}\n\
         resource \"aws_ssm_parameter\" \"password\" {{\n  name = \"password\"\n  type = \"SecureString\"\n  value = random_password.db.result\n}}\n{function}\
         resource \"aws_lambda_function\" \"app\" {{\n  function_name = \"app\"\n  role = aws_iam_role.app.arn\n  vpc_config {{\n    subnet_ids = [aws_subnet.inner.id]\n    security_group_ids = [aws_security_group.app.id]\n  }}\n}}\n"
    )
}

#[test]
fn a_database_takes_its_password_and_a_way_through_the_network() {
    let reads = |source: &str, action: &str| {
        let plan = plan(&database(source, &[allow(action, "*")]));
        likelihood(&plan, "aws_lambda_function.app", "aws_db_instance.ledger") > 0.0
    };
    assert!(reads("app", "ssm:GetParameter"));
    assert!(!reads("app", "ssm:DescribeParameters"));
    assert!(!reads("other", "ssm:GetParameter"));
}
