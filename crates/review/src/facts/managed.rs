//! AWS managed policies that matter for flows and facts: what they allow, as action patterns on every resource.
//!
//! Source: AWS managed policy reference. Only the part that reaches data or rights is kept; read-only and platform parts are shortened.

/// The name of an AWS managed policy in an ARN.
pub(crate) fn name(arn: &str) -> Option<&str> {
    let rest = arn.strip_prefix("arn:")?;
    let (_, rest) = rest.split_once(':')?;
    let path = rest.strip_prefix("iam::aws:policy/")?;
    path.rsplit('/').next()
}

/// Policies that make their holder an administrator, at once or by granting itself the rest.
pub(crate) const ADMINISTRATORS: &[&str] = &["AdministratorAccess", "IAMFullAccess", "AdministratorAccess-Amplify", "PowerUserAccess"];

/// Action patterns of a managed policy; `None` for one that is not in the table.
pub(crate) fn actions(name: &str) -> Option<&'static [&'static str]> {
    TABLE.iter().find(|(known, _)| *known == name).map(|(_, actions)| *actions)
}

const TABLE: &[(&str, &[&str])] = &[
    ("AdministratorAccess", &["*"]),
    ("PowerUserAccess", &["*"]),
    ("IAMFullAccess", &["iam:*"]),
    ("AmazonS3FullAccess", &["s3:*"]),
    ("AmazonS3ReadOnlyAccess", &["s3:Get*", "s3:List*"]),
    ("AmazonDynamoDBFullAccess", &["dynamodb:*"]),
    ("AmazonDynamoDBReadOnlyAccess", &["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan"]),
    ("AmazonSQSFullAccess", &["sqs:*"]),
    ("AmazonSNSFullAccess", &["sns:*"]),
    ("AmazonKinesisFullAccess", &["kinesis:*"]),
    ("AmazonKinesisFirehoseFullAccess", &["firehose:*"]),
    ("AmazonEC2FullAccess", &["ec2:*"]),
    ("AmazonRDSFullAccess", &["rds:*"]),
    ("AmazonRDSDataFullAccess", &["rds-data:*", "secretsmanager:GetSecretValue"]),
    ("AmazonVPCFullAccess", &["ec2:*"]),
    ("AWSLambda_FullAccess", &["lambda:*"]),
    ("AWSLambdaRole", &["lambda:InvokeFunction"]),
    ("AmazonECS_FullAccess", &["ecs:*"]),
    ("AmazonEC2ContainerRegistryFullAccess", &["ecr:*"]),
    ("AmazonEC2ContainerRegistryPowerUser", &["ecr:PutImage", "ecr:BatchGetImage"]),
    ("AmazonEC2ContainerRegistryReadOnly", &["ecr:GetAuthorizationToken"]),
    ("AmazonEC2ContainerRegistryPullOnly", &["ecr:GetAuthorizationToken"]),
    ("SecretsManagerReadWrite", &["secretsmanager:*"]),
    ("AmazonSSMFullAccess", &["ssm:*"]),
    ("AmazonSSMReadOnlyAccess", &["ssm:Get*", "ssm:Describe*", "ssm:List*"]),
    ("AmazonSSMManagedInstanceCore", &["ssmmessages:*", "ec2messages:*"]),
    ("AmazonEC2RoleforSSM", &["ssmmessages:*", "ec2messages:*", "s3:GetObject", "s3:PutObject"]),
    ("AWSKeyManagementServicePowerUser", &["kms:CreateKey", "kms:Describe*"]),
    ("AmazonAthenaFullAccess", &["athena:*"]),
    ("AWSGlueConsoleFullAccess", &["glue:*"]),
    ("AWSGlueServiceRole", &["glue:*"]),
    ("AWSStepFunctionsFullAccess", &["states:*"]),
    ("AmazonEventBridgeFullAccess", &["events:*"]),
    ("AmazonAPIGatewayInvokeFullAccess", &["execute-api:Invoke"]),
    ("AmazonElastiCacheFullAccess", &["elasticache:*"]),
    ("AmazonRedshiftFullAccess", &["redshift:*"]),
    ("AmazonElasticFileSystemFullAccess", &["elasticfilesystem:*"]),
    ("AmazonElasticFileSystemClientReadWriteAccess", &["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]),
    ("AmazonSESFullAccess", &["ses:*"]),
    ("AmazonCognitoPowerUser", &["cognito-idp:*", "cognito-identity:*"]),
    ("AmazonBedrockFullAccess", &["bedrock:*"]),
    ("CloudWatchFullAccess", &["cloudwatch:*", "logs:*"]),
    ("CloudWatchLogsFullAccess", &["logs:*"]),
    ("CloudWatchAgentServerPolicy", &["cloudwatch:PutMetricData", "logs:PutLogEvents"]),
    ("AWSXRayDaemonWriteAccess", &["xray:PutTraceSegments"]),
    ("AWSXrayWriteOnlyAccess", &["xray:PutTraceSegments"]),
    ("ReadOnlyAccess", &["s3:Get*", "dynamodb:GetItem", "dynamodb:Scan", "dynamodb:Query", "sqs:ReceiveMessage", "ssm:Get*"]),
    ("AWSLambdaBasicExecutionRole", &["logs:PutLogEvents"]),
    ("AWSLambdaVPCAccessExecutionRole", &["logs:PutLogEvents", "ec2:CreateNetworkInterface"]),
    ("AWSLambdaENIManagementAccess", &["ec2:CreateNetworkInterface"]),
    ("AWSLambdaSQSQueueExecutionRole", &["sqs:ReceiveMessage", "sqs:DeleteMessage", "logs:PutLogEvents"]),
    ("AWSLambdaKinesisExecutionRole", &["kinesis:GetRecords", "logs:PutLogEvents"]),
    ("AWSLambdaDynamoDBExecutionRole", &["dynamodb:GetRecords", "logs:PutLogEvents"]),
    ("AWSLambdaMSKExecutionRole", &["ec2:CreateNetworkInterface", "logs:PutLogEvents"]),
    ("AmazonECSTaskExecutionRolePolicy", &["ecr:GetAuthorizationToken", "logs:PutLogEvents"]),
    ("AmazonEC2ContainerServiceforEC2Role", &["ecr:GetAuthorizationToken", "logs:PutLogEvents"]),
    ("AmazonEKSClusterPolicy", &["ec2:CreateNetworkInterface"]),
    ("AmazonEKSServicePolicy", &["ec2:CreateNetworkInterface"]),
    ("AmazonEKSVPCResourceController", &["ec2:CreateNetworkInterface"]),
    ("AmazonEKSWorkerNodePolicy", &["ec2:DescribeInstances"]),
    ("AmazonEKSWorkerNodeMinimalPolicy", &["ec2:DescribeInstances"]),
    ("AmazonEKS_CNI_Policy", &["ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface"]),
    ("AmazonEKSFargatePodExecutionRolePolicy", &["ecr:GetAuthorizationToken"]),
    ("AmazonEBSCSIDriverPolicy", &["ec2:DescribeVolumes"]),
    ("AmazonEFSCSIDriverPolicy", &["elasticfilesystem:DescribeFileSystems"]),
    ("AWSBackupServiceRolePolicyForBackup", &["ec2:DescribeVolumes"]),
    ("AWSBackupServiceRolePolicyForRestores", &["ec2:DescribeVolumes"]),
    ("AmazonRDSEnhancedMonitoringRole", &["logs:PutLogEvents"]),
    ("AmazonAPIGatewayPushToCloudWatchLogs", &["logs:PutLogEvents"]),
    ("AWS_ConfigRole", &["config:PutEvaluations"]),
    ("SecurityAudit", &["iam:ListRoles"]),
    ("ViewOnlyAccess", &["iam:ListRoles"]),
    ("CloudWatchReadOnlyAccess", &["cloudwatch:ListMetrics"]),
    ("AWSCodeDeployRole", &["autoscaling:CompleteLifecycleAction"]),
    ("AWSCodeDeployRoleForECS", &["autoscaling:CompleteLifecycleAction"]),
];

#[cfg(test)]
mod tests {
    use super::{actions, name};

    #[test]
    fn the_name_is_the_last_part_of_the_path_in_every_partition() {
        assert_eq!(name("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"), Some("AWSLambdaBasicExecutionRole"));
        assert_eq!(name("arn:aws-us-gov:iam::aws:policy/AmazonS3FullAccess"), Some("AmazonS3FullAccess"));
        assert_eq!(name("arn:aws:iam::111122223333:policy/mine"), None);
        assert_eq!(actions("AmazonS3FullAccess"), Some(&["s3:*"][..]));
    }
}
