resource "aws_db_subnet_group" "data" {
  name       = "${local.name}-data"
  subnet_ids = [for subnet in aws_subnet.data : subnet.id]
}

resource "aws_db_instance" "customers" {
  identifier     = "${local.name}-customers"
  engine         = "mysql"
  engine_version = "8.4"
  instance_class = "db.r8g.large"

  allocated_storage = 100
  storage_encrypted = true
  kms_key_id        = aws_kms_key.customers.arn
  db_name           = "customers"

  username                    = "app"
  manage_master_user_password = true

  iam_database_authentication_enabled = true

  db_subnet_group_name   = aws_db_subnet_group.data.name
  vpc_security_group_ids = [aws_security_group.customers_db.id]
  parameter_group_name   = aws_db_parameter_group.customers.name
  option_group_name      = aws_db_option_group.customers.name
  publicly_accessible    = false

  multi_az                  = true
  backup_retention_period   = 14
  copy_tags_to_snapshot     = true
  deletion_protection       = true
  skip_final_snapshot       = false
  final_snapshot_identifier = "${local.name}-customers-final"

  auto_minor_version_upgrade      = true
  performance_insights_enabled    = true
  enabled_cloudwatch_logs_exports = ["audit", "error"]
}

resource "aws_db_parameter_group" "customers" {
  name   = "${local.name}-customers"
  family = "mysql8.4"

  parameter {
    name  = "require_secure_transport"
    value = "ON"
  }
}

# The audit log that goes to CloudWatch is written by this plugin.
resource "aws_db_option_group" "customers" {
  name                 = "${local.name}-customers"
  engine_name          = "mysql"
  major_engine_version = "8.4"

  option {
    option_name = "MARIADB_AUDIT_PLUGIN"

    option_settings {
      name  = "SERVER_AUDIT_EVENTS"
      value = "CONNECT,QUERY_DDL,QUERY_DCL"
    }
  }
}

resource "aws_kms_key" "customers" {
  description             = "customer records"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}
