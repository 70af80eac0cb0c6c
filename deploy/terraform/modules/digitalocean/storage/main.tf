# Two private, versioned Spaces buckets: data (uploads and the spool) and backup. Spaces encrypts
# everything at rest; there is no setting for it, nor tags or object lock.

variable "id" { type = string }
variable "region" { type = string }
variable "suffix" {
  description = "Bucket names are shared by all customers: something of one's own."
  type        = string
}
variable "retention_days" { type = number }
variable "backup_retention_days" { type = number }

resource "digitalocean_spaces_bucket" "this" {
  for_each      = toset(["data", "backup"])
  name          = "${var.id}-${each.key}-${var.suffix}"
  region        = var.region
  acl           = "private"
  force_destroy = false
  versioning {
    enabled = true
  }
  lifecycle_rule {
    id                                     = "old-versions"
    enabled                                = true
    abort_incomplete_multipart_upload_days = 7
    noncurrent_version_expiration {
      days = var.retention_days
    }
  }
  dynamic "lifecycle_rule" {
    for_each = each.key == "backup" ? [var.backup_retention_days] : []
    content {
      id      = "old-backups"
      enabled = true
      expiration {
        days = lifecycle_rule.value
      }
    }
  }
  lifecycle {
    prevent_destroy = true
  }
}

output "bucket" { value = digitalocean_spaces_bucket.this["data"].name }
output "backup_bucket" { value = digitalocean_spaces_bucket.this["backup"].name }
output "urns" { value = values(digitalocean_spaces_bucket.this)[*].urn }
output "endpoint" { value = "https://${var.region}.digitaloceanspaces.com" }
