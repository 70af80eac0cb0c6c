# The tags that every taggable resource carries, in each cloud's own form. See deploy/docs/tagging.md.

variable "name" {
  description = "Short name of the deployment, the first part of every resource's name."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,8}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 10 characters: lower-case letters, digits and dashes, starting with a letter."
  }
}

variable "environment" {
  description = "Which stage this is."
  type        = string
  validation {
    condition     = contains(["development", "staging", "production"], var.environment)
    error_message = "environment must be development, staging or production."
  }
}

variable "owner" {
  description = "The team that answers for the deployment."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,61}[a-z0-9]$", var.owner))
    error_message = "owner must be a team's name in lower-case letters, digits and dashes, such as growth-platform."
  }
}

variable "cost_centre" {
  description = "Who pays."
  type        = string
  validation {
    condition     = can(regex("^cc-[0-9]{3,6}$", var.cost_centre))
    error_message = "cost_centre must be cc- and three to six digits, such as cc-1234."
  }
}

variable "data_classification" {
  description = "The most sensitive data held here; leads are personal data, so at least confidential in production."
  type        = string
  validation {
    condition     = contains(["public", "internal", "confidential", "restricted"], var.data_classification)
    error_message = "data_classification must be public, internal, confidential or restricted."
  }
  validation {
    condition     = var.environment != "production" || contains(["confidential", "restricted"], var.data_classification)
    error_message = "data_classification must be confidential or restricted in production: leads are personal data."
  }
}

locals {
  tags = {
    application         = var.name
    environment         = var.environment
    owner               = var.owner
    cost-centre         = var.cost_centre
    data-classification = var.data_classification
    managed-by          = "terraform"
  }
}

output "id" {
  description = "The prefix of every resource's name."
  value       = "${var.name}-${var.environment}"
}

output "tags" {
  description = "As a map: AWS tags and Google Cloud labels, whose stricter alphabet the validations already hold."
  value       = local.tags
}

output "tag_list" {
  description = "As DigitalOcean wants them: one word each, key:value."
  value       = [for key, value in local.tags : "${key}:${value}"]
}
