resource "aws_sqs_queue" "payments" {
  name                       = "${local.name}-payments"
  kms_master_key_id          = aws_kms_key.orders.id
  visibility_timeout_seconds = 120

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.payments_failed.arn
    maxReceiveCount     = 5
  })
}

resource "aws_sqs_queue" "payments_failed" {
  name                      = "${local.name}-payments-failed"
  kms_master_key_id         = aws_kms_key.orders.id
  message_retention_seconds = 1209600
}

resource "aws_cloudwatch_metric_alarm" "payments_failed" {
  alarm_name          = "${local.name}-payments-failed"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.payments_failed.name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  alarm_actions       = [aws_sns_topic.on_call.arn]
}

resource "aws_sqs_queue" "notifications" {
  name              = "${local.name}-notifications"
  kms_master_key_id = aws_kms_key.orders.id

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.notifications_failed.arn
    maxReceiveCount     = 5
  })
}

resource "aws_sqs_queue" "notifications_failed" {
  name                      = "${local.name}-notifications-failed"
  kms_master_key_id         = aws_kms_key.orders.id
  message_retention_seconds = 1209600
}

resource "aws_ses_email_identity" "orders" {
  email = "orders@shop.example"
}

# Its value is set by whoever runs the mail relay, never here.
resource "aws_secretsmanager_secret" "mail" {
  name       = "${local.name}/mail"
  kms_key_id = aws_kms_key.orders.arn
}

resource "aws_lambda_function" "notifier" {
  function_name = "${local.name}-notifier"
  role          = aws_iam_role.notifier.arn
  runtime       = "nodejs22.x"
  handler       = "index.handler"
  filename      = "build/notifier.zip"
  timeout       = 20

  reserved_concurrent_executions = 20

  environment {
    variables = {
      MAIL_FROM   = aws_ses_email_identity.orders.email
      MAIL_SECRET = aws_secretsmanager_secret.mail.name
    }
  }
}

resource "aws_lambda_event_source_mapping" "notifications_to_notifier" {
  event_source_arn = aws_sqs_queue.notifications.arn
  function_name    = aws_lambda_function.notifier.arn
  batch_size       = 10
}

resource "aws_sns_topic" "on_call" {
  name = "${local.name}-on-call"
}

resource "aws_sns_topic_subscription" "on_call" {
  topic_arn = aws_sns_topic.on_call.arn
  protocol  = "https"
  endpoint  = "https://pager.shop.example/aws"
}
