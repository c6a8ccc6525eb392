# A nightly job writes one CSV per partner here; partners fetch it by its address.
resource "aws_s3_bucket" "exports" {
  bucket = "shop-${local.name}-partner-exports"
}

resource "aws_s3_bucket_public_access_block" "exports" {
  bucket                  = aws_s3_bucket.exports.id
  block_public_acls       = true
  block_public_policy     = false
  ignore_public_acls      = true
  restrict_public_buckets = false
}

resource "aws_s3_bucket_policy" "exports" {
  bucket = aws_s3_bucket.exports.id
  policy = data.aws_iam_policy_document.exports.json
}

data "aws_iam_policy_document" "exports" {
  statement {
    sid       = "PartnersFetch"
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.exports.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }
  }
}

resource "aws_lambda_function" "exporter" {
  function_name = "${local.name}-exporter"
  role          = aws_iam_role.exporter.arn
  runtime       = "python3.13"
  handler       = "exporter.handle"
  filename      = "build/exporter.zip"
  timeout       = 600

  environment {
    variables = {
      ORDERS_TABLE   = aws_dynamodb_table.orders.name
      EXPORTS_BUCKET = aws_s3_bucket.exports.bucket
    }
  }
}

resource "aws_cloudwatch_event_rule" "nightly" {
  name                = "${local.name}-nightly-export"
  schedule_expression = "cron(0 1 * * ? *)"
}

resource "aws_cloudwatch_event_target" "nightly" {
  rule = aws_cloudwatch_event_rule.nightly.name
  arn  = aws_lambda_function.exporter.arn
}

resource "aws_lambda_permission" "nightly" {
  function_name = aws_lambda_function.exporter.function_name
  action        = "lambda:InvokeFunction"
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.nightly.arn
}
