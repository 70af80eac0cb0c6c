# Google Cloud: GKE, Cloud SQL, RabbitMQ in the cluster, Cloud Storage by S3, Secret Manager, Artifact
# Registry. The project is the provider's (GOOGLE_PROJECT). Terraform creates the cloud's resources;
# deploy/kubernetes those of the cluster.

provider "google" {
  region                = var.region
  default_labels        = module.labels.tags
  user_project_override = true # requests count on this project's quotas, not on the operator's
}

data "google_project" "this" {}

# A budget belongs to no project, so its requests name the project whose quotas they use.
provider "google" {
  alias                 = "budget"
  user_project_override = true
  billing_project       = data.google_project.this.project_id
}

module "labels" {
  source              = "../../modules/labels"
  name                = var.name
  environment         = var.environment
  owner               = var.owner
  cost_centre         = var.cost_centre
  data_classification = var.data_classification
}

module "encryption" {
  source         = "../../modules/gcp/encryption"
  id             = module.labels.id
  region         = var.region
  project_number = data.google_project.this.number
  labels         = module.labels.tags
}

module "network" {
  source = "../../modules/gcp/network"
  id     = module.labels.id
  region = var.region
  cidr   = var.network_cidr
  labels = module.labels.tags
}

module "cluster" {
  source              = "../../modules/gcp/cluster"
  id                  = module.labels.id
  project             = data.google_project.this.project_id
  region              = var.region
  kubernetes_version  = var.kubernetes_version
  network_id          = module.network.network_id
  subnet_id           = module.network.subnet_id
  allowed_admin_cidrs = var.allowed_admin_cidrs
  node_size           = var.node_size
  node_min            = var.node_min
  node_max            = var.node_max
  deletion_protection = var.deletion_protection
  kms_key             = module.encryption.keys["cluster"]
  labels              = module.labels.tags
}

module "secrets" {
  source       = "../../modules/gcp/secrets"
  id           = module.labels.id
  project      = data.google_project.this.project_id
  region       = var.region
  storage_keys = module.identity.storage_keys
  kms_key      = module.encryption.keys["secrets"]
  labels       = module.labels.tags
}

module "postgres" {
  source              = "../../modules/gcp/postgres"
  count               = var.database_managed ? 1 : 0
  id                  = module.labels.id
  region              = var.region
  private_network     = module.network.private_services
  engine_version      = var.database_version
  size                = var.database_size
  storage_gb          = var.database_storage_gb
  high_availability   = var.database_high_availability
  backup_days         = var.database_backup_days
  deletion_protection = var.deletion_protection
  username            = module.secrets.database.username
  password            = module.secrets.database.password
  kms_key             = module.encryption.keys["postgres"]
  labels              = module.labels.tags
}

module "broker" {
  source = "../../modules/gcp/broker"
  count  = var.broker_managed ? 1 : 0
  size   = var.broker_size
}

module "storage" {
  source                = "../../modules/gcp/storage"
  id                    = module.labels.id
  project               = data.google_project.this.project_id
  region                = var.region
  retention_days        = var.storage_retention_days
  backup_retention_days = var.backup_retention_days
  kms_key               = module.encryption.keys["storage"]
  labels                = module.labels.tags
}

module "registry" {
  source  = "../../modules/gcp/registry"
  id      = module.labels.id
  project = data.google_project.this.project_id
  region  = var.region
  reader  = module.cluster.node_service_account
  kms_key = module.encryption.keys["registry"]
  labels  = module.labels.tags
}

module "identity" {
  source         = "../../modules/gcp/identity"
  id             = module.labels.id
  project        = data.google_project.this.project_id
  project_number = data.google_project.this.number
  workload_pool  = module.cluster.workload_pool
  region         = var.region
  bucket         = module.storage.bucket
  backup_bucket  = module.storage.backup_bucket
  registry       = module.registry.name
  generations    = var.storage_key_generations
  oidc_issuer    = var.oidc_issuer
  oidc_subject   = coalesce(var.oidc_subject, "repo:${var.oidc_repository}:environment:${var.environment}")
}

module "budget" {
  source          = "../../modules/gcp/budget"
  providers       = { google = google.budget }
  id              = module.labels.id
  billing_account = data.google_project.this.billing_account
  project_number  = data.google_project.this.number
  application     = var.name
  amount          = var.budget_amount
  emails          = var.budget_emails
  labels          = module.labels.tags
}

locals {
  manual_steps = [
    "kubectl create rolebinding ci --namespace ${var.kubernetes_namespace} --clusterrole admin --user '${module.identity.ci}'",
    "Rotate the S3 (HMAC) keys every 90 days: storage_key_generations, as deploy/docs/runbooks/rotate-secrets.md says.",
  ]
}
