# Regional GKE with private nodes and Dataplane V2, which enforces network policies itself. Pods get
# their cloud identity from workload identity; Gateway API is enabled.

variable "id" { type = string }
variable "project" { type = string }
variable "region" { type = string }
variable "kubernetes_version" { type = string }
variable "network_id" { type = string }
variable "subnet_id" { type = string }
variable "allowed_admin_cidrs" { type = list(string) }
variable "node_size" { type = string }
variable "node_min" { type = number }
variable "node_max" { type = number }
variable "deletion_protection" { type = bool }
variable "kms_key" { type = string }
variable "labels" { type = map(string) }

resource "google_service_account" "node" {
  account_id   = "${var.id}-node"
  display_name = "Nodes of ${var.id}"
}

resource "google_project_iam_member" "node" {
  project = var.project
  role    = "roles/container.defaultNodeServiceAccount" # logs and metrics only
  member  = "serviceAccount:${google_service_account.node.email}"
}

resource "google_container_cluster" "this" {
  name                        = var.id
  location                    = var.region
  min_master_version          = var.kubernetes_version
  network                     = var.network_id
  subnetwork                  = var.subnet_id
  networking_mode             = "VPC_NATIVE"
  datapath_provider           = "ADVANCED_DATAPATH"
  enable_shielded_nodes       = true
  enable_intranode_visibility = true
  initial_node_count          = 1
  remove_default_node_pool    = true
  deletion_protection         = var.deletion_protection
  resource_labels             = var.labels

  ip_allocation_policy {
    cluster_secondary_range_name  = "pods"
    services_secondary_range_name = "services"
  }
  private_cluster_config {
    enable_private_nodes    = true
    enable_private_endpoint = false
  }
  master_authorized_networks_config {
    dynamic "cidr_blocks" {
      for_each = var.allowed_admin_cidrs
      content {
        cidr_block = cidr_blocks.value
      }
    }
  }
  master_auth {
    client_certificate_config {
      issue_client_certificate = false
    }
  }
  workload_identity_config {
    workload_pool = "${var.project}.svc.id.goog"
  }
  database_encryption {
    state    = "ENCRYPTED"
    key_name = var.kms_key
  }
  release_channel {
    channel = "REGULAR"
  }
  gateway_api_config {
    channel = "CHANNEL_STANDARD"
  }
  addons_config {
    dns_cache_config {
      enabled = true
    }
    gce_persistent_disk_csi_driver_config {
      enabled = true
    }
  }
  logging_config {
    enable_components = ["SYSTEM_COMPONENTS", "WORKLOADS", "APISERVER", "CONTROLLER_MANAGER", "SCHEDULER"]
  }
  monitoring_config {
    # Google bills per sample for the other packages and for its managed Prometheus. The overlays bring
    # kube-prometheus-stack, which collects the same metrics on all three clouds.
    enable_components = ["SYSTEM_COMPONENTS"]
    managed_prometheus {
      enabled = false
    }
  }
  cost_management_config {
    enabled = true
  }
  security_posture_config {
    mode = "BASIC"
  }
  binary_authorization {
    evaluation_mode = "PROJECT_SINGLETON_POLICY_ENFORCE"
  }
  maintenance_policy {
    recurring_window {
      start_time = "2026-01-04T02:00:00Z"
      end_time   = "2026-01-04T08:00:00Z"
      recurrence = "FREQ=WEEKLY;BYDAY=SA,SU"
    }
  }
  node_config { # of the default pool, which remove_default_node_pool deletes
    service_account = google_service_account.node.email
    shielded_instance_config {
      enable_secure_boot          = true
      enable_integrity_monitoring = true
    }
    workload_metadata_config {
      mode = "GKE_METADATA"
    }
  }
  lifecycle {
    ignore_changes = [node_config, min_master_version] # the release channel upgrades
  }
}

resource "google_container_node_pool" "general" {
  name               = "general"
  cluster            = google_container_cluster.this.id
  location           = var.region
  initial_node_count = 1
  autoscaling {
    total_min_node_count = var.node_min
    total_max_node_count = var.node_max
    location_policy      = "BALANCED"
  }
  management {
    auto_repair  = true
    auto_upgrade = true
  }
  upgrade_settings {
    max_surge       = 1
    max_unavailable = 0
  }
  node_config {
    machine_type    = var.node_size
    disk_size_gb    = 50
    image_type      = "COS_CONTAINERD"
    service_account = google_service_account.node.email
    oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]
    resource_labels = var.labels
    metadata        = { disable-legacy-endpoints = "true" }
    shielded_instance_config {
      enable_secure_boot          = true
      enable_integrity_monitoring = true
    }
    workload_metadata_config {
      mode = "GKE_METADATA" # pods cannot borrow the node's account
    }
  }
}

output "name" { value = google_container_cluster.this.name }
output "workload_pool" { value = google_container_cluster.this.workload_identity_config[0].workload_pool }
output "node_service_account" { value = google_service_account.node.email }
output "context_command" {
  value = "gcloud container clusters get-credentials ${google_container_cluster.this.name} --region ${var.region} --project ${var.project}"
}
