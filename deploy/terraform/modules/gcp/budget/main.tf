# Mails at 50, 80 and 100 percent of the month's budget, and when the forecast passes it.

variable "id" { type = string }
variable "billing_account" { type = string }
variable "project_number" { type = string }
variable "application" { type = string }
variable "amount" { type = number }
variable "emails" { type = list(string) }
variable "labels" { type = map(string) }

resource "google_monitoring_notification_channel" "email" {
  for_each     = toset(var.emails)
  display_name = each.key
  type         = "email"
  labels       = { email_address = each.key }
  user_labels  = var.labels
}

resource "google_billing_budget" "this" {
  billing_account = var.billing_account
  display_name    = var.id
  budget_filter {
    projects = ["projects/${var.project_number}"]
    labels   = { application = var.application }
  }
  amount {
    specified_amount { # in the billing account's own currency; Google rejects others
      units = tostring(var.amount)
    }
  }
  dynamic "threshold_rules" {
    for_each = [0.5, 0.8, 1.0]
    content {
      threshold_percent = threshold_rules.value
    }
  }
  threshold_rules {
    threshold_percent = 1.0
    spend_basis       = "FORECASTED_SPEND"
  }
  all_updates_rule {
    monitoring_notification_channels = values(google_monitoring_notification_channel.email)[*].id
    disable_default_iam_recipients   = true
  }
}
