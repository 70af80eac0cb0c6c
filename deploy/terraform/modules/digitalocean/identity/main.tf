# The cloud federates no identities: two Spaces keys, each with the least rights. They are
# long-lived, so they are rotated (deploy/docs/exceptions.md).

variable "id" { type = string }
variable "bucket" { type = string }
variable "backup_bucket" { type = string }
variable "generations" {
  description = "Two while keys are rotated; the newest is the one that is handed out."
  type        = list(number)
}

locals {
  grants = {
    storage = { (var.bucket) = "readwrite" }
    backup  = { (var.bucket) = "read", (var.backup_bucket) = "readwrite" }
  }
  current = { for party in keys(local.grants) : party => digitalocean_spaces_key.this["${party}-${max(var.generations...)}"] }
}

resource "digitalocean_spaces_key" "this" {
  for_each = {
    for one in setproduct(keys(local.grants), var.generations) : "${one[0]}-${one[1]}" => local.grants[one[0]]
  }
  name = "${var.id}-${each.key}"
  dynamic "grant" {
    for_each = each.value
    content {
      bucket     = grant.key
      permission = grant.value
    }
  }
}

output "storage_keys" {
  value = {
    for party, key in local.current : party => { access_key_id = key.access_key, secret_access_key = key.secret_key }
  }
  sensitive = true
}
output "web" { value = local.current["storage"].name }
output "worker" { value = local.current["storage"].name }
output "backup" { value = local.current["backup"].name }
output "secrets" { value = "" }
output "ci" { value = "" }
output "ci_provider" { value = "" }
