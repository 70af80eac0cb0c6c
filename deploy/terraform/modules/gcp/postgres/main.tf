# Cloud SQL for PostgreSQL on a private address: TLS forced, encrypted, backed up to the second, ready
# for logical replication.

variable "id" { type = string }
variable "region" { type = string }
variable "private_network" { type = string }
variable "engine_version" { type = number }
variable "size" {
  type = string
  validation {
    condition     = startswith(var.size, "db-")
    error_message = "database_size on Google Cloud must be a Cloud SQL tier, such as db-custom-2-8192."
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
variable "kms_key" { type = string }
variable "labels" { type = map(string) }

locals {
  flags = {
    "cloudsql.logical_decoding"           = "on" # changing it needs a restart, so it is always on
    "cloudsql.enable_pgaudit"             = "on"
    "pgaudit.log"                         = "ddl,role"
    "log_checkpoints"                     = "on"
    "log_connections"                     = "on"
    "log_disconnections"                  = "on"
    "log_lock_waits"                      = "on"
    "log_min_duration_statement"          = "1000"
    "log_min_messages"                    = "warning"
    "log_min_error_statement"             = "error"
    "log_statement"                       = "ddl"
    "log_duration"                        = "off"
    "log_hostname"                        = "off"
    "idle_in_transaction_session_timeout" = "60000"
  }
}

resource "google_sql_database_instance" "this" {
  name                = var.id
  region              = var.region
  database_version    = "POSTGRES_${var.engine_version}"
  encryption_key_name = var.kms_key
  deletion_protection = var.deletion_protection
  settings {
    tier                        = var.size
    edition                     = "ENTERPRISE"
    availability_type           = var.high_availability ? "REGIONAL" : "ZONAL"
    disk_type                   = "PD_SSD"
    disk_size                   = var.storage_gb
    disk_autoresize             = true
    disk_autoresize_limit       = var.storage_gb * 4
    deletion_protection_enabled = var.deletion_protection
    user_labels                 = var.labels
    backup_configuration {
      enabled                        = true
      point_in_time_recovery_enabled = true
      transaction_log_retention_days = 7 # the maximum of this edition
      start_time                     = "02:00"
      backup_retention_settings {
        retained_backups = var.backup_days
        retention_unit   = "COUNT"
      }
    }
    ip_configuration {
      ipv4_enabled    = false
      private_network = var.private_network
      ssl_mode        = "ENCRYPTED_ONLY"
    }
    maintenance_window {
      day          = 7
      hour         = 3
      update_track = "stable"
    }
    insights_config {
      query_insights_enabled = true
    }
    dynamic "database_flags" {
      for_each = local.flags
      content {
        name  = database_flags.key
        value = database_flags.value
      }
    }
  }
}

resource "google_sql_database" "this" {
  name            = "leadgen"
  instance        = google_sql_database_instance.this.name
  deletion_policy = "ABANDON" # deleted with the server
}

resource "google_sql_user" "this" {
  name            = var.username
  instance        = google_sql_database_instance.this.name
  password        = var.password
  deletion_policy = "ABANDON" # owns the tables, so PostgreSQL refuses to drop it before them
}

output "host" { value = google_sql_database_instance.this.private_ip_address }
output "port" { value = 5432 }
output "ca" { value = try(google_sql_database_instance.this.server_ca_cert[0].cert, "") }
