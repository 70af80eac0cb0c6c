# The cloud has no secret store, so the secrets are Kubernetes Secrets in a namespace of their own, which
# External Secrets reads like a store. Terraform does not connect to the cluster: it outputs their manifest.

variable "id" { type = string }
variable "reader_namespace" {
  description = "Where the service account `secrets` lives, the only one that may read them."
  type        = string
}
variable "database" {
  description = "Credentials of the managed database; null when it runs in the cluster."
  type        = object({ username = string, password = string })
  sensitive   = true
}
variable "storage_keys" {
  description = "Spaces keys of the parties storage and backup."
  type        = map(object({ access_key_id = string, secret_access_key = string }))
  sensitive   = true
}

locals {
  parties   = toset(["application", "database", "broker", "storage", "backup"])
  namespace = "${var.id}-secrets"
  generated = { username = "leadgen", password = module.password["database"].value }
  values = {
    application = { secret_key = module.password["application"].value, metrics_token = module.password["metrics"].value }
    database    = var.database == null ? local.generated : var.database
    broker      = { username = "leadgen", password = module.password["broker"].value }
    storage     = var.storage_keys["storage"]
    backup      = var.storage_keys["backup"]
  }
  rbac = "rbac.authorization.k8s.io"
  # Read access: a namespace, a role in it, and the only service account with that role.
  access = [
    { apiVersion = "v1", kind = "Namespace", metadata = { name = local.namespace } },
    {
      apiVersion = "${local.rbac}/v1"
      kind       = "Role"
      metadata   = { name = "read", namespace = local.namespace }
      rules      = [{ apiGroups = [""], resources = ["secrets"], verbs = ["get", "list", "watch"] }]
    },
    {
      apiVersion = "${local.rbac}/v1"
      kind       = "RoleBinding"
      metadata   = { name = "read", namespace = local.namespace }
      roleRef    = { apiGroup = local.rbac, kind = "Role", name = "read" }
      subjects   = [{ kind = "ServiceAccount", name = "secrets", namespace = var.reader_namespace }]
    },
  ]
}

module "password" {
  source   = "../../password"
  for_each = toset(["application", "metrics", "database", "broker"])
}

output "store" { value = "kubernetes" }
output "namespace" { value = local.namespace }
output "names" { value = { for party in local.parties : party => "${var.id}-${party}" } }
output "manifest" {
  value = jsonencode({
    apiVersion = "v1"
    kind       = "List"
    items = concat(local.access, [for party in local.parties : {
      apiVersion = "v1"
      kind       = "Secret"
      metadata   = { name = "${var.id}-${party}", namespace = local.namespace }
      stringData = local.values[party]
    }])
  })
  sensitive = true
}
