# Workload identity for External Secrets as a direct principal; service accounts whose HMAC keys open
# the buckets by S3; and a federation for the pipeline. No service account key.

variable "id" { type = string }
variable "project" { type = string }
variable "project_number" { type = string }
variable "workload_pool" {
  description = "The cluster's, for the project has it from its first cluster on."
  type        = string
}
variable "region" { type = string }
variable "bucket" { type = string }
variable "backup_bucket" { type = string }
variable "registry" { type = string }
variable "generations" {
  description = "Two while keys are rotated; the newest is the one that is handed out."
  type        = list(number)
}
variable "oidc_issuer" { type = string }
variable "oidc_subject" { type = string }

locals {
  pool      = "principal://iam.googleapis.com/projects/${var.project_number}/locations/global/workloadIdentityPools"
  secrets   = "${local.pool}/${var.workload_pool}/subject/ns/external-secrets/sa/external-secrets"
  ci        = "${local.pool}/${google_iam_workload_identity_pool.ci.workload_identity_pool_id}/subject/${var.oidc_subject}"
  ci_server = "//iam.googleapis.com/${google_iam_workload_identity_pool_provider.ci.name}"
  grants = {
    storage-data  = { account = "storage", bucket = var.bucket, role = "roles/storage.objectUser" }
    backup-data   = { account = "backup", bucket = var.bucket, role = "roles/storage.objectViewer" }
    backup-create = { account = "backup", bucket = var.backup_bucket, role = "roles/storage.objectCreator" }
    backup-read   = { account = "backup", bucket = var.backup_bucket, role = "roles/storage.objectViewer" }
  }
}

resource "google_service_account" "this" {
  for_each     = toset(["storage", "backup"])
  account_id   = "${var.id}-${each.key}"
  display_name = "${each.key} of ${var.id}, by S3 only"
}

resource "google_storage_hmac_key" "this" {
  for_each = {
    for one in setproduct(["storage", "backup"], var.generations) : "${one[0]}-${one[1]}" => one[0]
  }
  service_account_email = google_service_account.this[each.value].email
}

resource "google_storage_bucket_iam_member" "this" {
  for_each = local.grants
  bucket   = each.value.bucket
  role     = each.value.role
  member   = "serviceAccount:${google_service_account.this[each.value.account].email}"
}

resource "google_project_iam_member" "secrets" {
  project = var.project
  role    = "roles/secretmanager.secretAccessor"
  member  = local.secrets
  condition {
    title = "secrets of ${var.id}"
    # People make the last two secrets (deploy/docs/secrets.md).
    expression = join(" || ", [
      for name in ["${var.id}-", "leadgen-backup-identity/", "leadgen-mail/"] :
      "resource.name.startsWith(\"projects/${var.project_number}/secrets/${name}\")"
    ])
  }
}

resource "google_iam_workload_identity_pool" "ci" {
  workload_identity_pool_id = "${var.id}-ci"
  display_name              = "CI of ${var.id}" # 32 characters at most
}

resource "google_iam_workload_identity_pool_provider" "ci" {
  workload_identity_pool_id          = google_iam_workload_identity_pool.ci.workload_identity_pool_id
  workload_identity_pool_provider_id = "ci"
  attribute_mapping                  = { "google.subject" = "assertion.sub" }
  attribute_condition                = "assertion.sub == \"${var.oidc_subject}\""
  oidc {
    issuer_uri = var.oidc_issuer # the audience is the provider's own name, the default
  }
}

resource "google_artifact_registry_repository_iam_member" "ci" {
  repository = var.registry
  location   = var.region
  role       = "roles/artifactregistry.writer"
  member     = local.ci
}

resource "google_project_iam_member" "ci" {
  project = var.project
  role    = "roles/container.clusterViewer" # finds the cluster; RBAC limits its rights there
  member  = local.ci
}

output "storage_keys" {
  value = {
    for party, key in { for party in ["storage", "backup"] : party => google_storage_hmac_key.this["${party}-${max(var.generations...)}"] } :
    party => { access_key_id = key.access_id, secret_access_key = key.secret }
  }
  sensitive = true
}
output "web" { value = google_service_account.this["storage"].email }
output "worker" { value = google_service_account.this["storage"].email }
output "backup" { value = google_service_account.this["backup"].email }
output "secrets" { value = local.secrets }
output "ci" { value = local.ci }
output "ci_provider" { value = local.ci_server }
