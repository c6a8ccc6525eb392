resource "aws_kinesis_stream" "order_changes" {
  name             = "${local.name}-order-changes"
  encryption_type  = "KMS"
  kms_key_id       = aws_kms_key.orders.arn
  retention_period = 24

  stream_mode_details {
    stream_mode = "ON_DEMAND"
  }
}

resource "aws_kinesis_firehose_delivery_stream" "lake" {
  name        = "${local.name}-lake"
  destination = "extended_s3"

  kinesis_source_configuration {
    kinesis_stream_arn = aws_kinesis_stream.order_changes.arn
    role_arn           = aws_iam_role.lake.arn
  }

  extended_s3_configuration {
    role_arn   = aws_iam_role.lake.arn
    bucket_arn = aws_s3_bucket.lake.arn
    prefix     = "orders/"
  }
}

resource "aws_s3_bucket" "lake" {
  bucket = "shop-${local.name}-lake"
}

resource "aws_s3_bucket_versioning" "lake" {
  bucket = aws_s3_bucket.lake.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "lake" {
  bucket = aws_s3_bucket.lake.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.orders.arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "lake" {
  bucket                  = aws_s3_bucket.lake.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket" "query_results" {
  bucket = "shop-${local.name}-query-results"
}

resource "aws_s3_bucket_versioning" "query_results" {
  bucket = aws_s3_bucket.query_results.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_public_access_block" "query_results" {
  bucket                  = aws_s3_bucket.query_results.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_glue_catalog_database" "lake" {
  name = "orders"
}

resource "aws_glue_crawler" "lake" {
  name          = "${local.name}-lake"
  database_name = aws_glue_catalog_database.lake.name
  role          = aws_iam_role.crawler.arn
  schedule      = "cron(15 2 * * ? *)"

  s3_target {
    path = "s3://${aws_s3_bucket.lake.bucket}/orders/"
  }
}

resource "aws_athena_workgroup" "analysts" {
  name = "${local.name}-analysts"

  configuration {
    enforce_workgroup_configuration = true
    bytes_scanned_cutoff_per_query  = 100000000000

    result_configuration {
      output_location = "s3://${aws_s3_bucket.query_results.bucket}/analysts/"

      encryption_configuration {
        encryption_option = "SSE_KMS"
        kms_key_arn       = aws_kms_key.orders.arn
      }
    }
  }
}
