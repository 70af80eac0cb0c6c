# One key for each service that encrypts with it, all in one ring, rotated every 90 days.

variable "id" { type = string }
variable "region" { type = string }
variable "project_number" { type = string }
variable "labels" { type = map(string) }

locals {
  # The service agents that may use the key: they exist once their service is enabled in the project.
  agents = {
    cluster  = "service-${var.project_number}@container-engine-robot.iam.gserviceaccount.com"
    postgres = "service-${var.project_number}@gcp-sa-cloud-sql.iam.gserviceaccount.com"
    storage  = "service-${var.project_number}@gs-project-accounts.iam.gserviceaccount.com"
    secrets  = "service-${var.project_number}@gcp-sa-secretmanager.iam.gserviceaccount.com"
    registry = "service-${var.project_number}@gcp-sa-artifactregistry.iam.gserviceaccount.com"
  }
}

resource "google_kms_key_ring" "this" {
  name     = var.id
  location = var.region
}

resource "google_kms_crypto_key" "this" {
  for_each                   = local.agents
  name                       = each.key
  key_ring                   = google_kms_key_ring.this.id
  rotation_period            = "7776000s"
  labels                     = var.labels
  destroy_scheduled_duration = "2592000s" # a destroyed key can be restored for 30 days
}

resource "google_kms_crypto_key_iam_member" "agent" {
  for_each      = local.agents
  crypto_key_id = google_kms_crypto_key.this[each.key].id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:${each.value}"
}

output "keys" {
  description = "Service to key, usable once the grant is there."
  value       = { for service, grant in google_kms_crypto_key_iam_member.agent : service => grant.crypto_key_id }
}
