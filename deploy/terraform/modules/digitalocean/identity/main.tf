# The cloud federates no identities: two Spaces keys, each for just the buckets that it needs. They are
# long-lived, so they are rotated (deploy/docs/exceptions.md).

variable "id" { type = string }
variable "bucket" { type = string }
variable "backup_bucket" { type = string }

locals {
  grants = {
    storage = { (var.bucket) = "readwrite" }
    backup  = { (var.bucket) = "read", (var.backup_bucket) = "readwrite" }
  }
}

resource "digitalocean_spaces_key" "this" {
  for_each = local.grants
  name     = "${var.id}-${each.key}"
  dynamic "grant" {
    for_each = each.value
    content {
      bucket     = grant.key
      permission = grant.value
    }
  }
}

output "storage_keys" {
  value     = { for party, key in digitalocean_spaces_key.this : party => { access_key_id = key.access_key, secret_access_key = key.secret_key } }
  sensitive = true
}
output "web" { value = digitalocean_spaces_key.this["storage"].name }
output "worker" { value = digitalocean_spaces_key.this["storage"].name }
output "backup" { value = digitalocean_spaces_key.this["backup"].name }
output "secrets" { value = "" }
output "ci" { value = "" }
output "ci_provider" { value = "" }
