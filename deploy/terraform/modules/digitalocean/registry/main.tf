# The account's one registry; the pipeline may push to another that knows its identity instead.

variable "id" { type = string }
variable "region" { type = string }

resource "digitalocean_container_registry" "this" {
  name                   = var.id
  region                 = var.region
  subscription_tier_slug = "basic"
}

output "url" { value = "${digitalocean_container_registry.this.endpoint}/leadgen" }
