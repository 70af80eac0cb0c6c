terraform {
  required_version = ">= 1.10"
  required_providers {
    # The last minor of line 5, which has ended. Provider 6.38 and later call CreateUser for the broker's only
    # user at each apply, and RabbitMQ brokers answer 409 (alphagov/govuk-infrastructure#4002).
    # hashicorp/terraform-provider-aws#46883 made the block `user` optional. To move to line 6, try the broker
    # module with that release first (deploy/docs/first-real-apply.md). Line 6 also has the deletion protection
    # of EKS, which manual_steps switch on until then (EX-06).
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}
