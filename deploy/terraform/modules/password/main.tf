# A random password of 64 hexadecimal characters (244 bits), made once and kept in the state.
# Replace it with: terraform apply -replace='<address of this module>.terraform_data.value'

resource "terraform_data" "value" {
  input = sensitive(replace("${uuid()}${uuid()}", "-", ""))
  lifecycle {
    ignore_changes = [input] # uuid() differs at every run
  }
}

output "value" {
  description = "The password."
  value       = sensitive(terraform_data.value.output)
  sensitive   = true
}
