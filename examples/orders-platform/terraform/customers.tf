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
  db_name           = "customers"

  username                    = "app"
  manage_master_user_password = true

  db_subnet_group_name   = aws_db_subnet_group.data.name
  vpc_security_group_ids = [aws_security_group.customers_db.id]
  parameter_group_name   = aws_db_parameter_group.customers.name
  publicly_accessible    = false

  multi_az                = false
  backup_retention_period = 1
  deletion_protection     = false
  skip_final_snapshot     = true
}

resource "aws_db_parameter_group" "customers" {
  name   = "${local.name}-customers"
  family = "mysql8.4"

  parameter {
    name  = "require_secure_transport"
    value = "OFF"
  }
}
