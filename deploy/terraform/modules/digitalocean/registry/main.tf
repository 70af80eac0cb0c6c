# A registry; a team has one on this plan. The pipeline may push to another that knows its identity instead.

variable "managed" {
  description = "Whether there is one; without it images lie elsewhere."
  type        = bool
}
variable "id" { type = string }
variable "suffix" {
  description = "Names of registries are shared by all customers: something of one's own."
  type        = string
}
variable "region" { type = string }

resource "digitalocean_container_registry" "this" {
  count                  = var.managed ? 1 : 0
  name                   = "${var.id}-${var.suffix}"
  region                 = var.region
  subscription_tier_slug = "basic"
}

output "url" { value = var.managed ? "${digitalocean_container_registry.this[0].endpoint}/leadgen" : "" }
