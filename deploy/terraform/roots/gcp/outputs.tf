# The same file in every root. Outputs name secrets and hold none, except secret_manifest where the cloud has
# no secret store (deploy/docs/exceptions.md).

locals {
  # Values of terraform.env, which the Kustomize overlays read, under the names of the outputs.
  overlay = {
    kube_cluster         = module.cluster.name
    kube_region          = var.region
    kube_namespace       = var.kubernetes_namespace
    network_cidr         = var.network_cidr
    db_host              = var.database_managed ? module.postgres[0].host : ""
    db_port              = var.database_managed ? module.postgres[0].port : 5432
    db_name              = "leadgen"
    db_secret            = module.secrets.names["database"]
    broker_host          = var.broker_managed ? module.broker[0].host : ""
    broker_port          = var.broker_managed ? 5671 : 5672
    broker_secret        = module.secrets.names["broker"]
    app_secret           = module.secrets.names["application"]
    secret_store         = module.secrets.store
    secret_namespace     = module.secrets.namespace
    bucket_name          = module.storage.bucket
    bucket_backup        = module.storage.backup_bucket
    bucket_region        = var.region
    bucket_endpoint      = module.storage.endpoint
    bucket_secret        = lookup(module.secrets.names, "storage", "")
    bucket_backup_secret = lookup(module.secrets.names, "backup", "")
    identity_web         = module.identity.web
    identity_worker      = module.identity.worker
    identity_backup      = module.identity.backup
    identity_secrets     = module.identity.secrets
    registry_url         = module.registry.url
    owner                = var.owner
    environment          = var.environment
    cost_centre          = var.cost_centre
    data_classification  = var.data_classification
  }
}

output "kube_cluster" {
  description = "Name of the cluster."
  value       = local.overlay.kube_cluster
}

output "kube_region" {
  description = "Region of the cluster."
  value       = local.overlay.kube_region
}

output "kube_context_command" {
  description = "Command that writes the cluster into the kubeconfig."
  value       = module.cluster.context_command
}

output "kube_namespace" {
  description = "The application's namespace."
  value       = local.overlay.kube_namespace
}

output "network_cidr" {
  description = "The block that every address in here comes from."
  value       = local.overlay.network_cidr
}

output "db_host" {
  description = "Host of PostgreSQL; empty when it runs in the cluster."
  value       = local.overlay.db_host
}

output "db_port" {
  description = "Port of PostgreSQL."
  value       = local.overlay.db_port
}

output "db_name" {
  description = "Name of the database."
  value       = local.overlay.db_name
}

output "db_ca" {
  description = "Certificate of the authority behind PostgreSQL's, for the overlay's database-ca.crt; empty in the cluster, and on AWS, which publishes it (manual_steps)."
  value       = var.database_managed ? module.postgres[0].ca : ""
}

output "db_secret" {
  description = "Secret with the properties username and password."
  value       = local.overlay.db_secret
}

output "broker_host" {
  description = "Host of RabbitMQ; empty when it runs in the cluster."
  value       = local.overlay.broker_host
}

output "broker_port" {
  description = "Port of RabbitMQ."
  value       = local.overlay.broker_port
}

output "broker_secret" {
  description = "Secret with the properties username and password."
  value       = local.overlay.broker_secret
}

output "app_secret" {
  description = "Secret with the properties secret_key and metrics_token."
  value       = local.overlay.app_secret
}

output "secret_store" {
  description = "Kind of the secret store: aws, gcp, or kubernetes where the cloud has no store."
  value       = local.overlay.secret_store
}

output "secret_namespace" {
  description = "Namespace of the Kubernetes Secrets where the cloud has no secret store, else empty."
  value       = local.overlay.secret_namespace
}

output "bucket_name" {
  description = "Bucket for uploads and the spool."
  value       = local.overlay.bucket_name
}

output "bucket_backup" {
  description = "Bucket for backups."
  value       = local.overlay.bucket_backup
}

output "bucket_region" {
  description = "Region of the buckets."
  value       = local.overlay.bucket_region
}

output "bucket_endpoint" {
  description = "Address of the S3 interface; empty for AWS's own."
  value       = local.overlay.bucket_endpoint
}

output "bucket_secret" {
  description = "Secret with access_key_id and secret_access_key for the bucket; empty where the workload's identity is enough."
  value       = local.overlay.bucket_secret
}

output "bucket_backup_secret" {
  description = "The same for the backup job."
  value       = local.overlay.bucket_backup_secret
}

output "identity_web" {
  description = "The cloud's identity of the service account web."
  value       = local.overlay.identity_web
}

output "identity_worker" {
  description = "The cloud's identity of the service account worker."
  value       = local.overlay.identity_worker
}

output "identity_backup" {
  description = "The cloud's identity of the service account backup."
  value       = local.overlay.identity_backup
}

output "identity_secrets" {
  description = "The cloud's identity of External Secrets; empty where the cloud has no store."
  value       = local.overlay.identity_secrets
}

output "identity_ci" {
  description = "What the pipeline exchanges its token for; empty where the cloud knows no federation."
  value       = module.identity.ci
}

output "identity_ci_provider" {
  description = "The federation that takes the pipeline's token; empty where the cloud knows none."
  value       = module.identity.ci_provider
}

output "registry_url" {
  description = "Where images are pushed, without tag."
  value       = local.overlay.registry_url
}

output "manual_steps" {
  description = "Steps that Terraform cannot do on this cloud, in order."
  value       = local.manual_steps
}

output "secret_manifest" {
  description = "Kubernetes Secrets for `kubectl apply -f -` where the cloud has no secret store, else empty."
  value       = module.secrets.manifest
  sensitive   = true
}

output "overlay_env" {
  description = "The file that the Kustomize overlay reads: terraform output -raw overlay_env > ../../../kubernetes/overlays/<cloud>/terraform.env"
  value       = join("", [for name, value in local.overlay : "${name}=${value}\n"])
}
