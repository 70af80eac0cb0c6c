# RDS for PostgreSQL: TLS forced, encrypted, backed up to the second, ready for logical replication.

variable "id" { type = string }
variable "vpc_id" { type = string }
variable "subnet_ids" { type = list(string) }
variable "client_security_group_id" { type = string }
variable "engine_version" { type = number }
variable "size" {
  type = string
  validation {
    condition     = startswith(var.size, "db.")
    error_message = "database_size on AWS must be an RDS instance class, such as db.m7g.large."
  }
}
variable "storage_gb" { type = number }
variable "high_availability" { type = bool }
variable "backup_days" { type = number }
variable "deletion_protection" { type = bool }
variable "username" { type = string }
variable "password" {
  type      = string
  sensitive = true
}
variable "kms_key_arn" { type = string }

locals {
  parameters = {
    "rds.force_ssl"                       = "1"
    "rds.logical_replication"             = "1" # changing it needs a restart, so it is always on
    "log_connections"                     = "1"
    "log_disconnections"                  = "1"
    "log_lock_waits"                      = "1"
    "log_min_duration_statement"          = "1000"
    "log_statement"                       = "ddl"
    "idle_in_transaction_session_timeout" = "60000"
  }
}

resource "aws_db_subnet_group" "this" {
  name       = var.id
  subnet_ids = var.subnet_ids
}

resource "aws_security_group" "this" {
  name        = "${var.id}-postgres"
  description = "PostgreSQL, from the cluster only"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "postgres" {
  security_group_id            = aws_security_group.this.id
  description                  = "PostgreSQL from nodes and pods"
  referenced_security_group_id = var.client_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_db_parameter_group" "this" {
  name   = "${var.id}-postgres${var.engine_version}"
  family = "postgres${var.engine_version}"
  dynamic "parameter" {
    for_each = local.parameters
    content {
      name         = parameter.key
      value        = parameter.value
      apply_method = startswith(parameter.key, "rds.") ? "pending-reboot" : "immediate"
    }
  }
  lifecycle {
    create_before_destroy = true
  }
}

data "aws_iam_policy_document" "monitoring_trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["monitoring.rds.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "monitoring" {
  name               = "${var.id}-rds-monitoring"
  assume_role_policy = data.aws_iam_policy_document.monitoring_trust.json
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

resource "aws_db_instance" "this" {
  identifier     = var.id
  engine         = "postgres"
  engine_version = tostring(var.engine_version)
  instance_class = var.size
  db_name        = "leadgen"
  username       = var.username
  password       = var.password

  allocated_storage     = var.storage_gb
  max_allocated_storage = var.storage_gb * 4
  storage_type          = "gp3"
  storage_encrypted     = true
  kms_key_id            = var.kms_key_arn

  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.this.id]
  parameter_group_name   = aws_db_parameter_group.this.name
  publicly_accessible    = false
  multi_az               = var.high_availability
  ca_cert_identifier     = "rds-ca-rsa2048-g1"

  backup_retention_period   = var.backup_days
  backup_window             = "02:00-03:00"
  maintenance_window        = "sun:03:30-sun:04:30"
  copy_tags_to_snapshot     = true
  delete_automated_backups  = false
  skip_final_snapshot       = false
  final_snapshot_identifier = "${var.id}-final"
  deletion_protection       = var.deletion_protection

  auto_minor_version_upgrade      = true
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]
  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.kms_key_arn
  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.monitoring.arn
}

output "host" { value = aws_db_instance.this.address }
output "port" { value = aws_db_instance.this.port }
output "ca" { value = "" }
