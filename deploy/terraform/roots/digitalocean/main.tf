# DigitalOcean: DOKS, managed PostgreSQL, RabbitMQ in the cluster, Spaces, a registry. Terraform creates
# the cloud's resources; deploy/kubernetes those of the cluster.

data "digitalocean_account" "this" {}

module "labels" {
  source              = "../../modules/labels"
  name                = var.name
  environment         = var.environment
  owner               = var.owner
  cost_centre         = var.cost_centre
  data_classification = var.data_classification
}

module "network" {
  source = "../../modules/digitalocean/network"
  id     = module.labels.id
  region = var.region
  cidr   = var.network_cidr
}

module "cluster" {
  source              = "../../modules/digitalocean/cluster"
  id                  = module.labels.id
  region              = var.region
  kubernetes_version  = var.kubernetes_version
  vpc_id              = module.network.vpc_id
  pods                = module.network.pods
  services            = module.network.services
  allowed_admin_cidrs = var.allowed_admin_cidrs
  node_size           = var.node_size
  node_min            = var.node_min
  node_max            = var.node_max
  registry            = var.registry_managed
  tags                = module.labels.tag_list
  depends_on          = [module.registry] # which the cluster is joined to
}

module "postgres" {
  source            = "../../modules/digitalocean/postgres"
  count             = var.database_managed ? 1 : 0
  id                = module.labels.id
  region            = var.region
  vpc_id            = module.network.vpc_id
  cluster_id        = module.cluster.id
  engine_version    = var.database_version
  size              = var.database_size
  storage_gb        = var.database_storage_gb
  high_availability = var.database_high_availability
  tags              = module.labels.tag_list
}

module "broker" {
  source = "../../modules/digitalocean/broker"
  count  = var.broker_managed ? 1 : 0
  size   = var.broker_size
}

module "storage" {
  source                = "../../modules/digitalocean/storage"
  id                    = module.labels.id
  region                = var.region
  suffix                = local.suffix
  retention_days        = var.storage_retention_days
  backup_retention_days = var.backup_retention_days
}

module "secrets" {
  source           = "../../modules/digitalocean/secrets"
  id               = module.labels.id
  reader_namespace = var.kubernetes_namespace
  database         = var.database_managed ? module.postgres[0].credentials : null
  storage_keys     = module.identity.storage_keys
}

module "registry" {
  source  = "../../modules/digitalocean/registry"
  managed = var.registry_managed
  id      = module.labels.id
  region  = var.region
  suffix  = local.suffix
}

module "identity" {
  source        = "../../modules/digitalocean/identity"
  id            = module.labels.id
  bucket        = module.storage.bucket
  backup_bucket = module.storage.backup_bucket
  generations   = var.storage_key_generations
}

# A project stands in for tags on what cannot be tagged.
resource "digitalocean_project" "this" {
  name        = module.labels.id
  environment = title(var.environment)
  purpose     = "Service or API"
  description = join(" ", module.labels.tag_list)
  resources   = concat([module.cluster.urn], module.postgres[*].urn, module.storage.urns)
}

locals {
  suffix = substr(sha256(data.digitalocean_account.this.uuid), 0, 8)
  manual_steps = [
    "Set a billing alert of ${var.budget_amount} USD for ${join(", ", var.budget_emails)} in the control panel: there is no API for it.",
    "terraform output -raw secret_manifest | kubectl apply -f -",
    "Ask support to grant replication to doadmin before the fail-over rehearsal: there is no argument for it.",
    "Rotate the Spaces keys every 90 days: storage_key_generations, as deploy/docs/runbooks/rotate-secrets.md says.",
  ]
}
