# A repository with immutable tags; untagged images are deleted after two weeks.

variable "id" { type = string }
variable "kms_key_arn" { type = string }
variable "deletion_protection" { type = bool }

resource "aws_ecr_repository" "this" {
  name                 = var.id
  image_tag_mutability = "IMMUTABLE"
  force_delete         = !var.deletion_protection
  image_scanning_configuration {
    scan_on_push = true
  }
  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.kms_key_arn
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  repository = aws_ecr_repository.this.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "untagged images"
      selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 14 }
      action       = { type = "expire" }
    }]
  })
}

output "url" { value = aws_ecr_repository.this.repository_url }
output "arn" { value = aws_ecr_repository.this.arn }
