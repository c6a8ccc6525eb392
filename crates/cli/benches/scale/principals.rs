//! Many users and roles among many components, as Terraform: what the attack graph joins each primitive over.

use std::fmt::Write as _;

const SERVICES: [&str; 6] = ["lambda", "ec2", "ecs-tasks", "glue", "codebuild", "states"];
const USES: [&str; 8] = [
    "s3:GetObject",
    "s3:PutObject",
    "dynamodb:GetItem",
    "dynamodb:Query",
    "sqs:SendMessage",
    "kms:Decrypt",
    "secretsmanager:GetSecretValue",
    "ssm:GetParameter",
];
const ESCALATES: [&str; 8] = [
    "iam:PassRole",
    "lambda:CreateFunction",
    "lambda:UpdateFunctionCode",
    "ec2:RunInstances",
    "iam:CreateAccessKey",
    "iam:AttachRolePolicy",
    "codebuild:StartBuild",
    "iam:CreatePolicyVersion",
];

/// The same sequence in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        // Constants of Knuth's MMIX generator; its high bits are good.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words.get(self.below(words.len())).copied().unwrap_or_default()
    }
}

/// Six of ten principals are roles; one in seven statements grants on everything, one in twelve principals can escalate, one in ten is denied
/// all of IAM, one in thirty is an administrator. Functions, buckets and tables make up the rest.
pub(crate) fn terraform(n_principals: usize, n_components: usize) -> String {
    let mut draw = Draw(n_principals as u64);
    let n_roles = n_principals * 6 / 10;
    let n_stores = (n_components.saturating_sub(n_principals) / 3).max(1);
    let mut out = String::from("provider \"aws\" {\n  region = \"eu-west-1\"\n  allowed_account_ids = [\"111122223333\"]\n}\n");
    for number in 0..n_principals {
        let (kind, name) = if number < n_roles { ("role", format!("r{number}")) } else { ("user", format!("u{number}")) };
        let trust = if number < n_roles {
            format!(
                "  assume_role_policy = jsonencode({{Statement = [{{Effect = \"Allow\", Action = \"sts:AssumeRole\", Principal = {{Service = \"{}.amazonaws.com\"}}}}]}})\n",
                draw.of(&SERVICES)
            )
        } else {
            String::new()
        };
        let _ = write!(out, "resource \"aws_iam_{kind}\" \"{name}\" {{\n  name = \"{name}\"\n{trust}}}\n");
        let mut statements = String::new();
        for _ in 0..=draw.below(4) {
            let store = draw.below(n_stores);
            let on = if draw.below(7) == 0 { "*".to_owned() } else { format!("arn:aws:s3:::bucket-{store}/*") };
            let _ = write!(
                statements,
                "{{Effect = \"Allow\", Action = [\"{}\", \"{}\"], Resource = \"{on}\"}},",
                draw.of(&USES),
                draw.of(&USES)
            );
        }
        if draw.below(12) == 0 {
            let on = if draw.below(2) == 0 { "*".to_owned() } else { format!("arn:aws:iam::111122223333:role/r{}", draw.below(n_roles)) };
            let _ = write!(
                statements,
                "{{Effect = \"Allow\", Action = [\"{}\", \"{}\"], Resource = \"{on}\"}},",
                draw.of(&ESCALATES),
                draw.of(&ESCALATES)
            );
        }
        if draw.below(10) == 0 {
            statements.push_str("{Effect = \"Deny\", Action = \"iam:*\", Resource = \"*\"},");
        }
        if draw.below(30) == 0 {
            statements.push_str("{Effect = \"Allow\", Action = \"*\", Resource = \"*\"},");
        }
        let _ = write!(
            out,
            "resource \"aws_iam_{kind}_policy\" \"{name}\" {{\n  name = \"{name}\"\n  {kind} = aws_iam_{kind}.{name}.name\n  policy = jsonencode({{Statement = [{statements}]}})\n}}\n"
        );
    }
    for number in 0..n_components.saturating_sub(n_principals) {
        let store = number / 3;
        let _ = match number % 3 {
            0 => write!(
                out,
                "resource \"aws_lambda_function\" \"f{number}\" {{\n  function_name = \"f{number}\"\n  role = aws_iam_role.r{}.arn\n  handler = \"a.b\"\n  runtime = \"python3.13\"\n}}\n",
                store % n_roles
            ),
            1 => writeln!(out, "resource \"aws_s3_bucket\" \"b{number}\" {{\n  bucket = \"bucket-{store}\"\n}}"),
            _ => write!(out, "resource \"aws_dynamodb_table\" \"t{number}\" {{\n  name = \"table-{store}\"\n  hash_key = \"id\"\n}}\n"),
        };
    }
    out
}
