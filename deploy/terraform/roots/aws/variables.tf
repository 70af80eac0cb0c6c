# The same file in every root: a deployment moves to another cloud with the same inputs, and only the
# names of sizes and regions change.

variable "name" {
  description = "Short name of the deployment, the first part of every resource's name."
  type        = string
  default     = "leadgen"
}

variable "environment" {
  description = "development, staging or production."
  type        = string
}

variable "owner" {
  description = "The responsible team, such as growth-platform."
  type        = string
}

variable "cost_centre" {
  description = "Who pays, such as cc-1234."
  type        = string
}

variable "data_classification" {
  description = "public, internal, confidential or restricted; at least confidential in production."
  type        = string
}

variable "region" {
  description = "The cloud's region, such as eu-central-1, europe-west3 or fra1."
  type        = string
}

variable "network_cidr" {
  description = "The /16 that nodes, pods, services and databases take their addresses from."
  type        = string
  default     = "10.40.0.0/16"
  validation {
    condition     = can(cidrnetmask(var.network_cidr)) && endswith(var.network_cidr, "/16")
    error_message = "network_cidr must be a /16, such as 10.40.0.0/16."
  }
}

variable "allowed_admin_cidrs" {
  description = "Addresses that may reach the cluster's API; never the whole internet."
  type        = list(string)
  validation {
    condition     = alltrue([for cidr in var.allowed_admin_cidrs : can(cidrhost(cidr, 0)) && try(tonumber(split("/", cidr)[1]) >= 8, false)])
    error_message = "allowed_admin_cidrs must be CIDR blocks of /8 or narrower, such as 203.0.113.0/24."
  }
  validation {
    condition     = length(var.allowed_admin_cidrs) > 0
    error_message = "allowed_admin_cidrs must name at least one block: without one the cluster cannot be reached."
  }
}

variable "kubernetes_version" {
  description = "Minor version of Kubernetes that the cluster is made with; deploy/docs/runbooks/upgrade.md says how it goes on."
  type        = string
  default     = "1.35"
  validation {
    condition     = can(regex("^1\\.(3[4-9]|[4-9][0-9])$", var.kubernetes_version))
    error_message = "kubernetes_version must be a minor version from 1.34 on, such as 1.35."
  }
}

variable "kubernetes_namespace" {
  description = "The namespace that the application's service accounts live in."
  type        = string
  default     = "leadgen"
}

variable "node_size" {
  description = "The machine type of a node, such as m7g.large, e2-standard-2 or s-2vcpu-8gb."
  type        = string
}

variable "node_min" {
  description = "Fewest nodes."
  type        = number
  default     = 3
  validation {
    condition     = var.node_min >= 1 && var.node_min <= var.node_max
    error_message = "node_min must be at least 1 and at most node_max."
  }
}

variable "node_max" {
  description = "Most nodes."
  type        = number
  default     = 6
}

variable "database_managed" {
  description = "Whether the cloud runs PostgreSQL; false means the component postgres in the cluster."
  type        = bool
  default     = true
}

variable "database_version" {
  description = "Major version of PostgreSQL."
  type        = number
  default     = 17
  validation {
    condition     = contains([14, 15, 16, 17, 18], var.database_version)
    error_message = "database_version must be 14 to 18."
  }
}

variable "database_size" {
  description = "The machine type of the database, such as db.m7g.large, db-custom-2-8192 or db-s-2vcpu-4gb."
  type        = string
}

variable "database_storage_gb" {
  description = "Disk of the database in GB."
  type        = number
  default     = 100
  validation {
    condition     = var.database_storage_gb >= 20 && var.database_storage_gb <= 16384
    error_message = "database_storage_gb must be 20 to 16384."
  }
}

variable "database_high_availability" {
  description = "Whether a second database server stands by in another zone."
  type        = bool
  default     = true
}

variable "database_backup_days" {
  description = "How many days one can go back to; DigitalOcean always keeps 7."
  type        = number
  default     = 14
  validation {
    condition     = var.database_backup_days >= 7 && var.database_backup_days <= 35
    error_message = "database_backup_days must be 7 to 35."
  }
}

variable "broker_managed" {
  description = "Whether the cloud runs RabbitMQ (AWS only); false means the component rabbitmq in the cluster."
  type        = bool
  default     = false
}

variable "broker_size" {
  description = "The machine type of a managed broker, such as mq.m7g.large; unused in the cluster."
  type        = string
  default     = ""
}

variable "broker_high_availability" {
  description = "Whether a managed broker is a cluster of three."
  type        = bool
  default     = true
}

variable "registry_managed" {
  description = "Whether a registry is made on DigitalOcean, where a team may have just one; AWS and Google Cloud always make one."
  type        = bool
  default     = true
}

variable "storage_retention_days" {
  description = "How long an overwritten or deleted object can still be brought back."
  type        = number
  default     = 30
  validation {
    condition     = var.storage_retention_days >= 7 && var.storage_retention_days <= 3650
    error_message = "storage_retention_days must be 7 to 3650."
  }
}

variable "storage_key_generations" {
  description = "The generations of the storage's keys that are valid, the newest in use: [1], to rotate [1, 2], then [2]; unused on AWS."
  type        = list(number)
  default     = [1]
  validation {
    condition     = length(var.storage_key_generations) > 0 && alltrue([for one in var.storage_key_generations : one >= 1 && floor(one) == one])
    error_message = "storage_key_generations must hold at least one whole number from 1 on, such as [1]."
  }
}

variable "backup_retention_days" {
  description = "How long a backup is kept in the backup bucket."
  type        = number
  default     = 90
  validation {
    condition     = var.backup_retention_days >= 7 && var.backup_retention_days <= 3650
    error_message = "backup_retention_days must be 7 to 3650."
  }
}

variable "deletion_protection" {
  description = "Whether the cloud refuses to delete the database, and on Google Cloud the cluster; set to false only to destroy. On AWS manual_steps protect the cluster, on DigitalOcean prevent_destroy does."
  type        = bool
  default     = true
}

variable "budget_amount" {
  description = "Whole US dollars a month, on Google Cloud whole units of the billing account's own currency; mails go out at 50, 80 and 100 percent, and at 100 percent of the forecast."
  type        = number
  validation {
    condition     = var.budget_amount > 0 && floor(var.budget_amount) == var.budget_amount
    error_message = "budget_amount must be a whole number above 0."
  }
}

variable "budget_emails" {
  description = "Who is told about the budget."
  type        = list(string)
  validation {
    condition     = length(var.budget_emails) > 0 && alltrue([for address in var.budget_emails : can(regex("^[^@ ]+@[^@ ]+$", address))])
    error_message = "budget_emails must hold at least one mail address."
  }
  validation {
    condition     = length(var.budget_emails) <= 5
    error_message = "budget_emails must hold at most five addresses: Google Cloud takes no more. Name a list."
  }
}

variable "oidc_issuer" {
  description = "Who signs the pipeline's identity tokens."
  type        = string
  default     = "https://token.actions.githubusercontent.com"
  validation {
    condition     = can(regex("^https://[a-z0-9.-]+(/[A-Za-z0-9._/-]*)?$", var.oidc_issuer))
    error_message = "oidc_issuer must be an https address, such as https://gitlab.com."
  }
}

variable "oidc_provider_exists" {
  description = "Whether the account knows oidc_issuer already, from another deployment; unused but on AWS, where an account has it once."
  type        = bool
  default     = false
}

variable "oidc_repository" {
  description = "The repository whose pipeline may deploy, as owner/name."
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+$", var.oidc_repository))
    error_message = "oidc_repository must be owner/name, without wildcards."
  }
}

variable "oidc_subject" {
  description = "The exact subject of the pipeline's token; empty means GitHub's for oidc_repository and environment."
  type        = string
  default     = ""
  validation {
    condition     = !strcontains(var.oidc_subject, "*")
    error_message = "oidc_subject must be exact: a wildcard lets other branches and forks deploy."
  }
  validation {
    condition     = var.oidc_subject != "" || var.oidc_issuer == "https://token.actions.githubusercontent.com"
    error_message = "oidc_subject must be given for an issuer other than GitHub."
  }
}
