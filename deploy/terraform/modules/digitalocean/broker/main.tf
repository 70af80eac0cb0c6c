# DigitalOcean has no managed RabbitMQ: this module fails with a message that names the alternative.

variable "size" {
  type = string
  validation {
    condition     = var.size == null
    error_message = "DigitalOcean runs no RabbitMQ: set broker_managed = false and use the component rabbitmq."
  }
}

output "host" { value = "" }
