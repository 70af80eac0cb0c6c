# Amazon Web Services: EKS, RDS, Amazon MQ or RabbitMQ in the cluster, S3, Secrets Manager, ECR.
# Terraform creates the cloud's resources; deploy/kubernetes those of the cluster.

provider "aws" {
  region = var.region
  default_tags {
    tags = module.labels.tags
  }
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
  source = "../../modules/aws/encryption"
  id     = module.labels.id
}

module "network" {
  source       = "../../modules/aws/network"
  id           = module.labels.id
  cidr         = var.network_cidr
  nat_per_zone = var.environment == "production"
  kms_key_arn  = module.encryption.key_arn
}

module "cluster" {
  source              = "../../modules/aws/cluster"
  id                  = module.labels.id
  kubernetes_version  = var.kubernetes_version
  subnet_ids          = module.network.private_subnet_ids
  allowed_admin_cidrs = var.allowed_admin_cidrs
  node_size           = var.node_size
  node_min            = var.node_min
  node_max            = var.node_max
  kms_key_arn         = module.encryption.key_arn
  tags                = module.labels.tags
}

module "secrets" {
  source      = "../../modules/aws/secrets"
  id          = module.labels.id
  kms_key_arn = module.encryption.key_arn
}

module "postgres" {
  source                   = "../../modules/aws/postgres"
  count                    = var.database_managed ? 1 : 0
  id                       = module.labels.id
  vpc_id                   = module.network.vpc_id
  subnet_ids               = module.network.database_subnet_ids
  client_security_group_id = module.cluster.security_group_id
  engine_version           = var.database_version
  size                     = var.database_size
  storage_gb               = var.database_storage_gb
  high_availability        = var.database_high_availability
  backup_days              = var.database_backup_days
  deletion_protection      = var.deletion_protection
  username                 = module.secrets.database.username
  password                 = module.secrets.database.password
  kms_key_arn              = module.encryption.key_arn
}

module "broker" {
  source                   = "../../modules/aws/broker"
  count                    = var.broker_managed ? 1 : 0
  id                       = module.labels.id
  vpc_id                   = module.network.vpc_id
  subnet_ids               = module.network.private_subnet_ids
  client_security_group_id = module.cluster.security_group_id
  size                     = var.broker_size
  high_availability        = var.broker_high_availability
  username                 = module.secrets.broker.username
  password                 = module.secrets.broker.password
}

module "storage" {
  source                = "../../modules/aws/storage"
  id                    = module.labels.id
  retention_days        = var.storage_retention_days
  backup_retention_days = var.backup_retention_days
  kms_key_arn           = module.encryption.key_arn
}

module "registry" {
  source              = "../../modules/aws/registry"
  id                  = module.labels.id
  deletion_protection = var.deletion_protection
  kms_key_arn         = module.encryption.key_arn
}

module "identity" {
  source               = "../../modules/aws/identity"
  id                   = module.labels.id
  namespace            = var.kubernetes_namespace
  cluster_name         = module.cluster.name
  cluster_arn          = module.cluster.arn
  cluster_oidc_issuer  = module.cluster.oidc_issuer
  irsa                 = false
  bucket_arn           = module.storage.bucket_arn
  backup_bucket_arn    = module.storage.backup_bucket_arn
  secret_arns          = module.secrets.arns
  registry_arn         = module.registry.arn
  kms_key_arn          = module.encryption.key_arn
  oidc_issuer          = var.oidc_issuer
  oidc_provider_exists = var.oidc_provider_exists
  oidc_subject         = coalesce(var.oidc_subject, "repo:${var.oidc_repository}:environment:${var.environment}")
}

module "budget" {
  source      = "../../modules/aws/budget"
  id          = module.labels.id
  application = var.name
  amount      = var.budget_amount
  emails      = var.budget_emails
}

locals {
  manual_steps = [
    "aws eks update-cluster-config --region ${var.region} --name ${module.cluster.name} --${var.deletion_protection ? "" : "no-"}deletion-protection",
    "curl -fo ../../../kubernetes/overlays/aws/database-ca.crt https://truststore.pki.rds.amazonaws.com/${var.region}/${var.region}-bundle.pem",
    "Activate the cost allocation tags application, environment, owner, cost-centre and data-classification in the billing console.",
  ]
}
