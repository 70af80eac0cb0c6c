# One VPC, one subnet for nodes with ranges for pods and services, NAT for outgoing traffic, and a private
# range in which Google places Cloud SQL. All of it inside one /16.

variable "id" { type = string }
variable "region" { type = string }
variable "cidr" { type = string }
variable "labels" { type = map(string) }

locals {
  nodes    = cidrsubnet(var.cidr, 4, 0)
  services = cidrsubnet(var.cidr, 4, 1)
  google   = cidrsubnet(var.cidr, 4, 2)
  pods     = cidrsubnet(var.cidr, 1, 1)
}

resource "google_compute_network" "this" {
  name                    = var.id
  auto_create_subnetworks = false
  routing_mode            = "REGIONAL"
}

resource "google_compute_subnetwork" "nodes" {
  name                     = "${var.id}-nodes"
  region                   = var.region
  network                  = google_compute_network.this.id
  ip_cidr_range            = local.nodes
  private_ip_google_access = true
  secondary_ip_range {
    range_name    = "pods"
    ip_cidr_range = local.pods
  }
  secondary_ip_range {
    range_name    = "services"
    ip_cidr_range = local.services
  }
  log_config {
    aggregation_interval = "INTERVAL_5_SEC"
    flow_sampling        = 0.5
    metadata             = "INCLUDE_ALL_METADATA"
  }
}

resource "google_compute_router" "this" {
  name    = var.id
  region  = var.region
  network = google_compute_network.this.id
}

resource "google_compute_router_nat" "this" {
  name                               = var.id
  region                             = var.region
  router                             = google_compute_router.this.name
  nat_ip_allocate_option             = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat = "ALL_SUBNETWORKS_ALL_IP_RANGES"
  log_config {
    enable = true
    filter = "ERRORS_ONLY"
  }
}

resource "google_compute_global_address" "google" {
  name          = "${var.id}-google"
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  network       = google_compute_network.this.id
  address       = cidrhost(local.google, 0)
  prefix_length = 20
  labels        = var.labels
}

resource "google_service_networking_connection" "google" {
  network                 = google_compute_network.this.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.google.name]
  # Google keeps the connection for days after the deletion of its last server; destroy does not wait for it.
  deletion_policy = "REMOVE_PEERING"
}

output "network_id" { value = google_compute_network.this.id }
output "subnet_id" { value = google_compute_subnetwork.nodes.id }
output "private_services" {
  description = "The network, once Google's private range is connected."
  value       = google_service_networking_connection.google.network
}
