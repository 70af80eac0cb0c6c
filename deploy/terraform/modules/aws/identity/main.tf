# A role with the least rights for each service account, and one for the pipeline. No access keys.

variable "id" { type = string }
variable "namespace" { type = string }
variable "cluster_name" { type = string }
variable "cluster_arn" { type = string }
variable "cluster_oidc_issuer" { type = string }
variable "irsa" {
  description = "Trust the cluster's OIDC issuer instead of EKS Pod Identity, for clusters without its agent."
  type        = bool
}
variable "bucket_arn" { type = string }
variable "backup_bucket_arn" { type = string }
variable "secret_arns" { type = list(string) }
variable "registry_arn" { type = string }
variable "kms_key_arn" { type = string }
variable "oidc_issuer" { type = string }
variable "oidc_subject" { type = string }
variable "oidc_provider_exists" { type = bool }

data "aws_caller_identity" "current" {}

locals {
  # Secrets that people make (deploy/docs/secrets.md); the service ends their names with six characters.
  by_hand = [
    for name in ["leadgen-backup-identity", "leadgen-mail"] :
    "arn:aws:secretsmanager:*:${data.aws_caller_identity.current.account_id}:secret:${name}-??????"
  ]
  accounts = {
    web     = { namespace = var.namespace, name = "web" }
    worker  = { namespace = var.namespace, name = "worker" }
    backup  = { namespace = var.namespace, name = "backup" }
    secrets = { namespace = "external-secrets", name = "external-secrets" }
  }
  # One statement on each line: actions and resources.
  grants = {
    web = [
      { actions = ["s3:ListBucket"], resources = [var.bucket_arn] },
      { actions = ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"], resources = ["${var.bucket_arn}/*"] },
      { actions = ["s3:DeleteObject"], resources = ["${var.bucket_arn}/health/*"] },
      { actions = ["kms:Decrypt", "kms:GenerateDataKey"], resources = [var.kms_key_arn] },
    ]
    worker = [
      { actions = ["s3:ListBucket"], resources = [var.bucket_arn] },
      { actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"], resources = ["${var.bucket_arn}/*"] },
      { actions = ["kms:Decrypt", "kms:GenerateDataKey"], resources = [var.kms_key_arn] },
    ]
    backup = [
      { actions = ["s3:ListBucket"], resources = [var.bucket_arn, var.backup_bucket_arn] },
      { actions = ["s3:GetObject"], resources = ["${var.bucket_arn}/*", "${var.backup_bucket_arn}/*"] },
      { actions = ["s3:PutObject", "s3:AbortMultipartUpload"], resources = ["${var.backup_bucket_arn}/*"] },
      { actions = ["kms:Decrypt", "kms:GenerateDataKey"], resources = [var.kms_key_arn] },
    ]
    secrets = [
      { actions = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"], resources = concat(var.secret_arns, local.by_hand) },
      { actions = ["kms:Decrypt"], resources = [var.kms_key_arn] },
    ]
    ci = [
      { actions = ["ecr:GetAuthorizationToken"], resources = ["*"] }, # this action takes no resource
      {
        actions = [
          "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:DescribeImages",
          "ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart",
        ],
        resources = [var.registry_arn]
      },
      { actions = ["eks:DescribeCluster"], resources = [var.cluster_arn] },
    ]
  }
  issuer_host = trimprefix(var.cluster_oidc_issuer, "https://")
  ci_host     = trimprefix(var.oidc_issuer, "https://")
  ci_known    = "arn:aws:iam::${data.aws_caller_identity.current.account_id}:oidc-provider/${local.ci_host}"
  ci_provider = var.oidc_provider_exists ? local.ci_known : aws_iam_openid_connect_provider.ci[0].arn
}

data "aws_iam_policy_document" "grants" {
  for_each = local.grants
  dynamic "statement" {
    for_each = each.value
    content {
      actions   = statement.value.actions
      resources = statement.value.resources
    }
  }
}

data "aws_iam_policy_document" "pod_identity" {
  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]
    principals {
      type        = "Service"
      identifiers = ["pods.eks.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [var.cluster_arn]
    }
  }
}

data "aws_iam_policy_document" "irsa" {
  for_each = var.irsa ? local.accounts : {}
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.cluster[0].arn]
    }
    condition {
      test     = "StringEquals"
      variable = "${local.issuer_host}:sub"
      values   = ["system:serviceaccount:${each.value.namespace}:${each.value.name}"]
    }
    condition {
      test     = "StringEquals"
      variable = "${local.issuer_host}:aud"
      values   = ["sts.amazonaws.com"]
    }
  }
}

resource "aws_iam_openid_connect_provider" "cluster" {
  count          = var.irsa ? 1 : 0
  url            = var.cluster_oidc_issuer
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "account" {
  for_each           = local.accounts
  name               = "${var.id}-${each.key}"
  assume_role_policy = var.irsa ? data.aws_iam_policy_document.irsa[each.key].json : data.aws_iam_policy_document.pod_identity.json
}

resource "aws_iam_role_policy" "account" {
  for_each = local.accounts
  name     = "grants"
  role     = aws_iam_role.account[each.key].id
  policy   = data.aws_iam_policy_document.grants[each.key].json
}

resource "aws_eks_pod_identity_association" "this" {
  for_each        = var.irsa ? {} : local.accounts
  cluster_name    = var.cluster_name
  namespace       = each.value.namespace
  service_account = each.value.name
  role_arn        = aws_iam_role.account[each.key].arn
}

# One account has one provider for an issuer: the first deployment's serves the others.
resource "aws_iam_openid_connect_provider" "ci" {
  count          = var.oidc_provider_exists ? 0 : 1
  url            = var.oidc_issuer
  client_id_list = ["sts.amazonaws.com"]
}

data "aws_iam_policy_document" "ci_trust" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [local.ci_provider]
    }
    condition {
      test     = "StringEquals"
      variable = "${local.ci_host}:aud"
      values   = ["sts.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "${local.ci_host}:sub"
      values   = [var.oidc_subject]
    }
  }
}

resource "aws_iam_role" "ci" {
  name               = "${var.id}-ci"
  assume_role_policy = data.aws_iam_policy_document.ci_trust.json
}

resource "aws_iam_role_policy" "ci" {
  name   = "grants"
  role   = aws_iam_role.ci.id
  policy = data.aws_iam_policy_document.grants["ci"].json
}

resource "aws_eks_access_entry" "ci" {
  cluster_name  = var.cluster_name
  principal_arn = aws_iam_role.ci.arn
}

resource "aws_eks_access_policy_association" "ci" {
  cluster_name  = var.cluster_name
  principal_arn = aws_eks_access_entry.ci.principal_arn
  policy_arn    = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSAdminPolicy"
  access_scope {
    type       = "namespace"
    namespaces = [var.namespace]
  }
}

output "web" { value = aws_iam_role.account["web"].arn }
output "worker" { value = aws_iam_role.account["worker"].arn }
output "backup" { value = aws_iam_role.account["backup"].arn }
output "secrets" { value = aws_iam_role.account["secrets"].arn }
output "ci" { value = aws_iam_role.ci.arn }
output "ci_provider" { value = local.ci_provider }
