# One secret for each party: application, database, broker. External Secrets reads them; Terraform
# generates their values.

variable "id" { type = string }
variable "kms_key_arn" { type = string }

locals {
  parties = toset(["application", "database", "broker"])
  values = {
    application = { secret_key = module.password["application"].value, metrics_token = module.password["metrics"].value }
    database    = { username = "leadgen", password = module.password["database"].value }
    broker      = { username = "leadgen", password = module.password["broker"].value }
  }
}

module "password" {
  source   = "../../password"
  for_each = toset(["application", "metrics", "database", "broker"])
}

resource "aws_secretsmanager_secret" "this" {
  for_each                = local.parties
  name                    = "${var.id}/${each.key}"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = 30
}

resource "aws_secretsmanager_secret_version" "this" {
  for_each      = local.parties
  secret_id     = aws_secretsmanager_secret.this[each.key].id
  secret_string = jsonencode(local.values[each.key])
}

output "store" { value = "aws" }
output "namespace" { value = "" }
output "names" { value = { for party, secret in aws_secretsmanager_secret.this : party => secret.name } }
output "arns" { value = values(aws_secretsmanager_secret.this)[*].arn }
output "manifest" { value = "" }
output "database" {
  value     = local.values.database
  sensitive = true
}
output "broker" {
  value     = local.values.broker
  sensitive = true
}
