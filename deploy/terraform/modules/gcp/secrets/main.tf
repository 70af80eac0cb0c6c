# One secret for each party: application, database, broker, and the S3 keys of storage and backup.
# External Secrets reads them; Terraform generates their values.

variable "id" { type = string }
variable "project" { type = string }
variable "region" { type = string }
variable "kms_key" { type = string }
variable "labels" { type = map(string) }
variable "storage_keys" {
  description = "S3 interoperability keys of the parties storage and backup."
  type        = map(object({ access_key_id = string, secret_access_key = string }))
  sensitive   = true
}

locals {
  parties = toset(["application", "database", "broker", "storage", "backup"])
  values = {
    application = { secret_key = module.password["application"].value, metrics_token = module.password["metrics"].value }
    database    = { username = "leadgen", password = module.password["database"].value }
    broker      = { username = "leadgen", password = module.password["broker"].value }
    storage     = var.storage_keys["storage"]
    backup      = var.storage_keys["backup"]
  }
}

module "password" {
  source   = "../../password"
  for_each = toset(["application", "metrics", "database", "broker"])
}

resource "google_secret_manager_secret" "this" {
  for_each  = local.parties
  secret_id = "${var.id}-${each.key}"
  labels    = var.labels
  replication {
    user_managed {
      replicas {
        location = var.region
        customer_managed_encryption {
          kms_key_name = var.kms_key
        }
      }
    }
  }
}

resource "google_secret_manager_secret_version" "this" {
  for_each    = local.parties
  secret      = google_secret_manager_secret.this[each.key].id
  secret_data = jsonencode(local.values[each.key])
}

resource "google_project_iam_audit_config" "read" {
  project = var.project
  service = "secretmanager.googleapis.com"
  audit_log_config {
    log_type = "DATA_READ"
  }
}

output "store" { value = "gcp" }
output "namespace" { value = "" }
output "names" { value = { for party, secret in google_secret_manager_secret.this : party => secret.secret_id } }
output "manifest" { value = "" }
output "database" {
  value     = local.values.database
  sensitive = true
}
