# Amazon MQ for RabbitMQ 4.2, whose default queue type is quorum. It has exactly one user, which
# Terraform creates and then ignores: RabbitMQ brokers reject a change. AWS encrypts its data with a key of its
# own: RabbitMQ brokers accept no other.

variable "id" { type = string }
variable "vpc_id" { type = string }
variable "subnet_ids" { type = list(string) }
variable "client_security_group_id" { type = string }
variable "size" {
  type = string
  validation {
    condition     = startswith(var.size, "mq.m7g.")
    error_message = "broker_size must be an mq.m7g size, such as mq.m7g.large: RabbitMQ 4 runs on no other."
  }
}
variable "high_availability" { type = bool }
variable "username" { type = string }
variable "password" {
  type      = string
  sensitive = true
}

resource "aws_security_group" "this" {
  name        = "${var.id}-broker"
  description = "RabbitMQ, from the cluster only"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each                     = { amqps = 5671, management = 443 }
  security_group_id            = aws_security_group.this.id
  description                  = "${each.key} from nodes and pods"
  referenced_security_group_id = var.client_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
}

resource "aws_mq_broker" "this" {
  broker_name                = var.id
  engine_type                = "RabbitMQ"
  engine_version             = "4.2"
  host_instance_type         = var.size
  deployment_mode            = var.high_availability ? "CLUSTER_MULTI_AZ" : "SINGLE_INSTANCE"
  subnet_ids                 = var.high_availability ? var.subnet_ids : slice(var.subnet_ids, 0, 1)
  security_groups            = [aws_security_group.this.id]
  publicly_accessible        = false
  auto_minor_version_upgrade = true
  user {
    username = var.username
    password = var.password
  }
  logs {
    general = true
  }
  maintenance_window_start_time {
    day_of_week = "SUNDAY"
    time_of_day = "04:30"
    time_zone   = "UTC"
  }
  lifecycle {
    ignore_changes = [user]
  }
}

output "host" {
  value = regex("^amqps://([^:/]+)", aws_mq_broker.this.instances[0].endpoints[0])[0]
}
