# Mails at 50, 80 and 100 percent of the month's budget, and when the forecast passes it.

variable "id" { type = string }
variable "application" {
  description = "The tag whose costs are counted; it must be activated as a cost allocation tag."
  type        = string
}
variable "amount" { type = number }
variable "emails" { type = list(string) }

locals {
  alarms = {
    half     = { threshold = 50, type = "ACTUAL" }
    high     = { threshold = 80, type = "ACTUAL" }
    reached  = { threshold = 100, type = "ACTUAL" }
    forecast = { threshold = 100, type = "FORECASTED" }
  }
}

resource "aws_budgets_budget" "this" {
  name         = var.id
  budget_type  = "COST"
  limit_amount = tostring(var.amount)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"
  cost_filter {
    name   = "TagKeyValue"
    values = [format("user:application$%s", var.application)]
  }
  dynamic "notification" {
    for_each = local.alarms
    content {
      comparison_operator        = "GREATER_THAN"
      threshold                  = notification.value.threshold
      threshold_type             = "PERCENTAGE"
      notification_type          = notification.value.type
      subscriber_email_addresses = var.emails
    }
  }
}
