# Google Cloud runs no RabbitMQ: asked for one, this module says so and what to do.

variable "size" {
  type = string
  validation {
    condition     = var.size == null
    error_message = "Google Cloud runs no RabbitMQ: set broker_managed = false and use the component rabbitmq."
  }
}

output "host" { value = "" }
