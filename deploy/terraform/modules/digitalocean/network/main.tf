# One VPC in the first quarter of the /16; pods and services have the rest, because a VPC-native
# cluster's ranges must be outside the VPC.

variable "id" { type = string }
variable "region" { type = string }
variable "cidr" { type = string }

resource "digitalocean_vpc" "this" {
  name     = var.id
  region   = var.region
  ip_range = cidrsubnet(var.cidr, 2, 0)
}

output "vpc_id" { value = digitalocean_vpc.this.id }
output "pods" { value = cidrsubnet(var.cidr, 1, 1) }
output "services" { value = cidrsubnet(var.cidr, 4, 4) }
