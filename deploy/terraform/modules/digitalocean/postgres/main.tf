# Managed PostgreSQL, reachable from the cluster alone. The cloud forces TLS, encrypts, and keeps seven
# days for point-in-time recovery; none of these is a setting. Logical replication has no argument
# here: deploy/docs/exceptions.md says what to do.

variable "id" { type = string }
variable "region" { type = string }
variable "vpc_id" { type = string }
variable "cluster_id" { type = string }
variable "engine_version" { type = number }
variable "size" {
  type = string
  validation {
    condition     = startswith(var.size, "db-s-") || startswith(var.size, "gd-") || startswith(var.size, "so1_5-")
    error_message = "database_size on DigitalOcean must be a database slug, such as db-s-2vcpu-4gb."
  }
}
variable "storage_gb" { type = number }
variable "high_availability" { type = bool }
variable "tags" { type = list(string) }

resource "digitalocean_database_cluster" "this" {
  name                 = var.id
  region               = var.region
  engine               = "pg"
  version              = tostring(var.engine_version)
  size                 = var.size
  storage_size_mib     = tostring(var.storage_gb * 1024)
  node_count           = var.high_availability ? 2 : 1
  private_network_uuid = var.vpc_id
  tags                 = var.tags
  maintenance_window {
    day  = "sunday"
    hour = "03:00:00"
  }
  lifecycle {
    prevent_destroy = true # the cloud has no deletion protection
  }
}

resource "digitalocean_database_firewall" "this" {
  cluster_id = digitalocean_database_cluster.this.id
  rule {
    type  = "k8s"
    value = var.cluster_id
  }
}

resource "digitalocean_database_db" "this" {
  cluster_id = digitalocean_database_cluster.this.id
  name       = "leadgen"
}

resource "digitalocean_database_postgresql_config" "this" {
  cluster_id                          = digitalocean_database_cluster.this.id
  max_replication_slots               = 20
  max_wal_senders                     = 20
  log_min_duration_statement          = 1000
  idle_in_transaction_session_timeout = 60000
  backup_hour                         = 2
  backup_minute                       = 30
}

data "digitalocean_database_ca" "this" {
  cluster_id = digitalocean_database_cluster.this.id
}

output "urn" { value = digitalocean_database_cluster.this.urn }
output "host" { value = digitalocean_database_cluster.this.private_host }
output "port" { value = digitalocean_database_cluster.this.port }
output "credentials" {
  value     = { username = digitalocean_database_cluster.this.user, password = digitalocean_database_cluster.this.password }
  sensitive = true
}
output "ca" { value = data.digitalocean_database_ca.this.certificate }
