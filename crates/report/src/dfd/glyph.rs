//! Small neutral signs for what a service does; own drawings, deliberately unlike any vendor's icons.

use super::graph::{Node, Shape};

const PERSON: &str = "M8 7.2a2.6 2.6 0 1 0 0-5.2a2.6 2.6 0 0 0 0 5.2zM3 14c0-3 2.2-4.8 5-4.8s5 1.8 5 4.8";
pub(crate) const GLOBE: &str =
    "M8 1.8a6.2 6.2 0 1 0 0 12.4a6.2 6.2 0 0 0 0-12.4zM1.8 8h12.4M8 1.8c-3.8 4-3.8 8.4 0 12.4M8 1.8c3.8 4 3.8 8.4 0 12.4";
const CODE: &str = "M5.2 4l-4 4l4 4M10.8 4l4 4l-4 4M9 3l-2 10";
const SERVER: &str = "M2.5 2.8h11v4.4h-11zM2.5 8.8h11v4.4h-11zM5 5h1.2M5 11h1.2";
const CUBE: &str = "M8 1.8l5.5 3v6.4l-5.5 3l-5.5-3v-6.4zM2.5 4.8l5.5 3l5.5-3M8 7.8v6.4";
const CYLINDER: &str = "M3 4c0-2.6 10-2.6 10 0v8c0 2.6-10 2.6-10 0zM3 4c0 2.6 10 2.6 10 0";
const TABLE: &str = "M2.5 3h11v10h-11zM2.5 6.4h11M2.5 9.7h11M6.5 3v10";
const BUCKET: &str = "M2.5 4l1.5 9.2c2 1 6 1 8 0l1.5-9.2M2.5 4c0-2.2 11-2.2 11 0c0 2.2-11 2.2-11 0";
const QUEUE: &str = "M1.8 5h3.2v6h-3.2zM6.4 5h3.2v6h-3.2zM11 5h3.2v6h-3.2z";
const FAN: &str = "M1.8 8h12.4M7 8l6-5.2M7 8l6 5.2";
const WAVES: &str = "M1.8 5c2-2 4.2-2 6.2 0s4.2 2 6.2 0M1.8 8.5c2-2 4.2-2 6.2 0s4.2 2 6.2 0M1.8 12c2-2 4.2-2 6.2 0s4.2 2 6.2 0";
const GATEWAY: &str = "M8 1.8l6.2 6.2l-6.2 6.2l-6.2-6.2zM5.2 8h5.4M8.6 5.9l2.1 2.1l-2.1 2.1";
const FORK: &str = "M8 2v4M8 6l-5.5 4v3.5M8 6v7.5M8 6l5.5 4v3.5";
const KEY: &str = "M10.5 2.3a3.2 3.2 0 1 0 0 6.4a3.2 3.2 0 0 0 0-6.4zM8.2 7.8l-6 6M4.4 11.6l1.9 1.9";
const STEPS: &str = "M2 2.5h4.2v4.2h-4.2zM9.8 9.3h4.2v4.2h-4.2zM6.2 4.6h2.7a3 3 0 0 1 3 3v1.7";
const LENS: &str = "M7 2.3a4.7 4.7 0 1 0 0 9.4a4.7 4.7 0 0 0 0-9.4zM10.4 10.4l3.6 3.6";
const BOLT: &str = "M9 1.8l-5.5 7.2h4l-1 5.2l5.5-7.2h-4z";
const CHART: &str = "M2.5 2.5v11h11M4.8 10.2l2.8-3l2 2l3.9-5";
const BARS: &str = "M3 13.5v-5M6.3 13.5v-9M9.6 13.5v-4M13 13.5v-11";
const SHIELD: &str = "M8 1.8l5.5 2v4.2c0 3-2.5 5-5.5 6.2c-3-1.2-5.5-3.2-5.5-6.2v-4.2z";
const ENVELOPE: &str = "M1.8 3.8h12.4v8.8h-12.4zM1.8 4.4l6.2 4.8l6.2-4.8";
const GEAR: &str = "M8 1.8l5.4 3.1v6.2l-5.4 3.1l-5.4-3.1v-6.2zM8 5.8a2.2 2.2 0 1 0 0 4.4a2.2 2.2 0 0 0 0-4.4z";
const STAR: &str = "M8 1.8c.6 4 2.2 5.6 6.2 6.2c-4 .6-5.6 2.2-6.2 6.2c-.6-4-2.2-5.6-6.2-6.2c4-.6 5.6-2.2 6.2-6.2z";
const HEXAGON: &str = "M8 1.8l5.4 3.1v6.2l-5.4 3.1l-5.4-3.1v-6.2z";
const SHEETS: &str = "M2 5.5h8.5v8.5h-8.5zM4 5.5v-2h8.5v8.5h-2M6 3.5v-2h8.5v8.5h-2";

/// The outline, in a square of 16, for a node; to be stroked, not filled.
pub(crate) fn glyph(node: &Node) -> &'static str {
    if node.shape == Shape::Summary {
        return SHEETS;
    }
    let first = node.members.first();
    if node.shape == Shape::External {
        return match first.map(|member| member.component_type.as_str()) {
            Some("external.internet" | "external.network") => GLOBE,
            Some("external.service") => HEXAGON,
            Some("external.account") => CUBE,
            _ if first.is_some_and(|member| member.address == "internet") => GLOBE,
            _ => PERSON,
        };
    }
    let service = node.service().unwrap_or_default();
    match service {
        "lambda" | "apprunner" | "amplify" => CODE,
        "ec2" | "lightsail" | "autoscaling" | "elasticbeanstalk" | "workspaces" | "transfer" => SERVER,
        "ecs" | "eks" | "kubernetes" | "fargate" | "batch" | "ecr" => CUBE,
        "rds" | "aurora" | "docdb" | "documentdb" | "neptune" | "timestream" | "qldb" => CYLINDER,
        "dynamodb" | "keyspaces" | "simpledb" | "glue" => TABLE,
        "s3" | "glacier" | "efs" | "fsx" | "ebs" | "backup" | "storagegateway" => BUCKET,
        "sqs" | "mq" | "amazonmq" => QUEUE,
        "sns" | "eventbridge" | "events" => FAN,
        "ses" | "pinpoint" => ENVELOPE,
        "kinesis" | "firehose" | "msk" | "kafka" | "kinesisanalytics" | "flink" => WAVES,
        "apigateway" | "appsync" | "apigatewayv2" | "directconnect" | "vpn" | "transitgateway" => GATEWAY,
        "elb" | "elbv2" | "alb" | "nlb" => FORK,
        "cloudfront" | "route53" | "globalaccelerator" => GLOBE,
        "kms" | "secretsmanager" | "ssm" | "acm" | "cloudhsm" => KEY,
        "stepfunctions" | "scheduler" | "pipes" | "mwaa" | "swf" | "codepipeline" | "dms" => STEPS,
        "opensearch" | "elasticsearch" | "athena" | "kendra" | "cloudsearch" => LENS,
        "elasticache" | "dax" | "memorydb" => BOLT,
        "cloudwatch" | "logs" | "cloudwatchlogs" | "xray" | "cloudtrail" | "grafana" | "prometheus" => CHART,
        "redshift" | "emr" | "quicksight" => BARS,
        "waf" | "wafv2" | "shield" | "networkfirewall" | "guardduty" | "securityhub" | "macie" | "inspector" => SHIELD,
        "cognito" | "iam" | "sso" | "identitystore" | "directoryservice" => PERSON,
        "codebuild" | "codedeploy" | "codecommit" | "cloudformation" => GEAR,
        "sagemaker" | "bedrock" | "comprehend" | "rekognition" | "textract" => STAR,
        _ if node.shape == Shape::Store => CYLINDER,
        _ => HEXAGON,
    }
}
