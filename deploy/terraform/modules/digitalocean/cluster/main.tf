# DOKS, VPC-native: only such clusters have the managed Gateway class, and a cluster cannot be converted. Its
# API accepts the given addresses only.

variable "id" { type = string }
variable "region" { type = string }
variable "kubernetes_version" { type = string }
variable "vpc_id" { type = string }
variable "pods" { type = string }
variable "services" { type = string }
variable "allowed_admin_cidrs" { type = list(string) }
variable "node_size" { type = string }
variable "node_min" { type = number }
variable "node_max" { type = number }
variable "registry" {
  description = "Whether pods pull from the account's registry."
  type        = bool
}
variable "tags" { type = list(string) }

data "digitalocean_kubernetes_versions" "this" {
  version_prefix = "${var.kubernetes_version}."
}

resource "digitalocean_kubernetes_cluster" "this" {
  name                             = var.id
  region                           = var.region
  version                          = data.digitalocean_kubernetes_versions.this.latest_version
  vpc_uuid                         = var.vpc_id
  cluster_subnet                   = var.pods
  service_subnet                   = var.services
  ha                               = true
  auto_upgrade                     = true
  surge_upgrade                    = true
  registry_integration             = var.registry
  destroy_all_associated_resources = false
  tags                             = var.tags

  control_plane_firewall {
    enabled           = true
    allowed_addresses = var.allowed_admin_cidrs
  }
  maintenance_policy {
    day        = "sunday"
    start_time = "03:00"
  }
  node_pool {
    name       = "general"
    size       = var.node_size
    auto_scale = true
    min_nodes  = var.node_min
    max_nodes  = var.node_max
    tags       = var.tags
  }
  lifecycle {
    prevent_destroy = true # the cloud has no deletion protection
    ignore_changes  = [version]
  }
}

output "id" { value = digitalocean_kubernetes_cluster.this.id }
output "urn" { value = digitalocean_kubernetes_cluster.this.urn }
output "name" { value = digitalocean_kubernetes_cluster.this.name }
output "context_command" {
  value = "doctl kubernetes cluster kubeconfig save ${digitalocean_kubernetes_cluster.this.name}"
}
