# A repository with immutable tags; untagged images are deleted after two weeks. Nodes may read it.

variable "id" { type = string }
variable "project" { type = string }
variable "region" { type = string }
variable "reader" { type = string }
variable "kms_key" { type = string }
variable "labels" { type = map(string) }

resource "google_artifact_registry_repository" "this" {
  repository_id = var.id
  location      = var.region
  format        = "DOCKER"
  kms_key_name  = var.kms_key
  labels        = var.labels
  docker_config {
    immutable_tags = true
  }
  cleanup_policies {
    id     = "untagged"
    action = "DELETE"
    condition {
      tag_state  = "UNTAGGED"
      older_than = "1209600s"
    }
  }
}

resource "google_artifact_registry_repository_iam_member" "nodes" {
  repository = google_artifact_registry_repository.this.name
  location   = var.region
  role       = "roles/artifactregistry.reader"
  member     = "serviceAccount:${var.reader}"
}

output "name" { value = google_artifact_registry_repository.this.name }
output "url" { value = "${var.region}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.this.repository_id}/leadgen" }
