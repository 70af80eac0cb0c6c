mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-central-1" }
  }
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mock" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:123456789012:key/mock" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:mock" }
  }
  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::123456789012:oidc-provider/mock" }
  }
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0", latest_version = 1 }
  }
  mock_resource "aws_eks_cluster" {
    defaults = {
      arn        = "arn:aws:eks:eu-central-1:123456789012:cluster/mock"
      identity   = [{ oidc = [{ issuer = "https://oidc.example.com/id/mock" }] }]
      vpc_config = { cluster_security_group_id = "sg-mock" }
    }
  }
  mock_resource "aws_mq_broker" {
    defaults = { instances = [{ endpoints = ["amqps://b-mock.mq.eu-central-1.amazonaws.com:5671"] }] }
  }
  mock_resource "aws_db_instance" {
    defaults = { address = "mock.eu-central-1.rds.amazonaws.com", port = 5432 }
  }
}

variables {
  environment         = "production"
  owner               = "growth-platform"
  cost_centre         = "cc-1234"
  data_classification = "confidential"
  region              = "eu-central-1"
  allowed_admin_cidrs = ["203.0.113.0/24"]
  node_size           = "m7g.large"
  database_size       = "db.m7g.large"
  budget_amount       = 1000
  budget_emails       = ["platform@example.com"]
  oidc_repository     = "example/leadgen"
}

run "a_managed_broker_and_database_are_named_to_the_overlay" {
  variables {
    broker_managed = true
    broker_size    = "mq.m7g.large"
  }
  assert {
    condition     = output.broker_host == "b-mock.mq.eu-central-1.amazonaws.com" && output.broker_port == 5671
    error_message = "broker_host is the host alone, reached by TLS."
  }
  assert {
    condition     = strcontains(output.overlay_env, "\ndb_host=mock.eu-central-1.rds.amazonaws.com\n")
    error_message = "overlay_env is lines of name=value."
  }
  assert {
    condition     = output.db_secret == "leadgen-production/database" && output.secret_manifest == ""
    error_message = "Secrets are named, their values stay in the store."
  }
}

run "postgresql_and_rabbitmq_can_be_run_in_the_cluster" {
  variables { database_managed = false }
  assert {
    condition     = output.db_secret == "leadgen-production/database" && output.broker_secret == "leadgen-production/broker"
    error_message = "The components take the same secrets."
  }
  assert {
    condition     = output.db_host == "" && output.broker_host == "" && output.db_port == 5432 && output.broker_port == 5672
    error_message = "An empty host means the component in the cluster."
  }
}

run "a_broker_size_that_cannot_run_rabbitmq_4_is_refused" {
  command = plan
  module {
    source = "../../modules/aws/broker"
  }
  variables {
    id                       = "leadgen"
    vpc_id                   = "vpc-mock"
    subnet_ids               = ["subnet-a", "subnet-b", "subnet-c"]
    client_security_group_id = "sg-mock"
    size                     = "mq.m5.large"
    high_availability        = true
    username                 = "leadgen"
    password                 = "made-up-for-this-test"
  }
  expect_failures = [var.size]
}

run "the_budget_counts_what_the_tag_names" {
  command = plan
  module {
    source = "../../modules/aws/budget"
  }
  variables {
    id          = "leadgen-production"
    application = "leadgen"
    amount      = 1000
    emails      = ["platform@example.com"]
  }
  assert {
    condition     = one(one(aws_budgets_budget.this.cost_filter).values) == "user:application$leadgen"
    error_message = "AWS writes a tag of users' own as user:key$value."
  }
}

run "a_region_without_three_zones_is_refused" {
  command = plan
  module {
    source = "../../modules/aws/network"
  }
  variables {
    id           = "leadgen"
    cidr         = "10.40.0.0/16"
    nat_per_zone = false
    kms_key_arn  = "arn:aws:kms:eu-central-1:123456789012:key/mock"
  }
  override_data {
    target = data.aws_availability_zones.available
    values = { names = ["us-west-1a", "us-west-1c"] }
  }
  expect_failures = [data.aws_availability_zones.available]
}

run "images_stop_a_destroy_until_the_protection_is_lifted" {
  command = plan
  module {
    source = "../../modules/aws/registry"
  }
  variables {
    id                  = "leadgen"
    deletion_protection = false
    kms_key_arn         = "arn:aws:kms:eu-central-1:123456789012:key/mock"
  }
  assert {
    condition     = aws_ecr_repository.this.force_delete
    error_message = "A repository with images is deleted once deletion_protection is false."
  }
}

run "a_second_deployment_in_the_account_uses_the_firsts_trust_in_the_pipeline" {
  variables { oidc_provider_exists = true }
  assert {
    condition     = output.identity_ci_provider == "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    error_message = "An account has one provider for an issuer."
  }
}

run "the_cluster_is_not_opened_to_the_internet" {
  command = plan
  variables { allowed_admin_cidrs = ["0.0.0.0/0"] }
  expect_failures = [var.allowed_admin_cidrs]
}

run "nor_by_its_two_halves" {
  command = plan
  variables { allowed_admin_cidrs = ["0.0.0.0/1", "128.0.0.0/1"] }
  expect_failures = [var.allowed_admin_cidrs]
}

run "more_than_five_are_not_told_of_the_budget" {
  command = plan
  variables { budget_emails = [for one in range(6) : "person-${one}@example.com"] }
  expect_failures = [var.budget_emails]
}

run "a_pipeline_with_a_wildcard_is_not_trusted" {
  command = plan
  variables { oidc_subject = "repo:example/*" }
  expect_failures = [var.oidc_subject]
}

run "another_issuer_needs_its_subject" {
  command = plan
  variables { oidc_issuer = "https://gitlab.com" }
  expect_failures = [var.oidc_subject]
}

run "an_old_kubernetes_is_refused" {
  command = plan
  variables { kubernetes_version = "1.33" }
  expect_failures = [var.kubernetes_version]
}

run "fewer_than_seven_days_of_backups_are_refused" {
  command = plan
  variables { database_backup_days = 3 }
  expect_failures = [var.database_backup_days]
}
