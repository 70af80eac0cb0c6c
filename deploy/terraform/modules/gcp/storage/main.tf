# Two private, encrypted, versioned buckets: data (uploads and the spool) and backup, whose objects
# cannot be deleted for a week.

variable "id" { type = string }
variable "project" { type = string }
variable "region" { type = string }
variable "retention_days" { type = number }
variable "backup_retention_days" { type = number }
variable "kms_key" { type = string }
variable "labels" { type = map(string) }

resource "google_storage_bucket" "this" {
  for_each                    = toset(["data", "backup"])
  name                        = "${var.id}-${each.key}-${var.project}"
  location                    = upper(var.region)
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false
  labels                      = var.labels
  encryption {
    default_kms_key_name = var.kms_key
  }
  versioning {
    enabled = true
  }
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = var.retention_days
      with_state                 = "ARCHIVED"
    }
  }
  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 7
    }
  }
  dynamic "lifecycle_rule" {
    for_each = each.key == "backup" ? [var.backup_retention_days] : []
    content {
      action {
        type = "Delete"
      }
      condition {
        age        = lifecycle_rule.value
        with_state = "LIVE"
      }
    }
  }
  soft_delete_policy {
    retention_duration_seconds = 604800
  }
}

output "bucket" { value = google_storage_bucket.this["data"].name }
output "backup_bucket" { value = google_storage_bucket.this["backup"].name }
output "endpoint" { value = "https://storage.googleapis.com" }
