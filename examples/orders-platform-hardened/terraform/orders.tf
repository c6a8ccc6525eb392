resource "aws_dynamodb_table" "orders" {
  name             = "${local.name}-orders"
  billing_mode     = "PAY_PER_REQUEST"
  hash_key         = "customer_id"
  range_key        = "order_id"
  stream_enabled   = true
  stream_view_type = "NEW_AND_OLD_IMAGES"

  attribute {
    name = "customer_id"
    type = "S"
  }

  attribute {
    name = "order_id"
    type = "S"
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = aws_kms_key.orders.arn
  }

  deletion_protection_enabled = true

  on_demand_throughput {
    max_read_request_units  = 4000
    max_write_request_units = 2000
  }
}

resource "aws_kms_key" "orders" {
  description             = "orders and payment requests"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_lambda_function" "projector" {
  function_name = "${local.name}-projector"
  role          = aws_iam_role.projector.arn
  runtime       = "python3.13"
  handler       = "projector.handle"
  filename      = "build/projector.zip"
  timeout       = 30
  memory_size   = 256

  environment {
    variables = {
      STREAM_NAME = aws_kinesis_stream.order_changes.name
    }
  }
}

# Every change of an order goes on to the analysts' stream.
resource "aws_lambda_event_source_mapping" "orders_to_projector" {
  event_source_arn  = aws_dynamodb_table.orders.stream_arn
  function_name     = aws_lambda_function.projector.arn
  starting_position = "LATEST"
  batch_size        = 100

  maximum_retry_attempts         = 5
  maximum_record_age_in_seconds  = 3600
  bisect_batch_on_function_error = true

  destination_config {
    on_failure {
      destination_arn = aws_sqs_queue.projector_failed.arn
    }
  }
}

resource "aws_sqs_queue" "projector_failed" {
  name                      = "${local.name}-projector-failed"
  sqs_managed_sse_enabled   = true
  message_retention_seconds = 1209600
}
