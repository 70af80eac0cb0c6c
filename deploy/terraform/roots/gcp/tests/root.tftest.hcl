mock_provider "google" {
  mock_data "google_project" {
    defaults = { project_id = "example-project", number = "123456789012", billing_account = "000000-000000-000000" }
  }
  mock_resource "google_sql_database_instance" {
    defaults = { private_ip_address = "10.40.32.3" }
  }
}

variables {
  environment         = "production"
  owner               = "growth-platform"
  cost_centre         = "cc-1234"
  data_classification = "confidential"
  region              = "europe-west3"
  allowed_admin_cidrs = ["203.0.113.0/24"]
  node_size           = "e2-standard-2"
  database_size       = "db-custom-2-8192"
  budget_amount       = 1000
  budget_emails       = ["platform@example.com"]
  oidc_repository     = "example/leadgen"
}

run "the_pipeline_is_trusted_by_its_exact_subject" {
  command = plan
  assert {
    condition     = output.identity_secrets == "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/example-project.svc.id.goog/subject/ns/external-secrets/sa/external-secrets"
    error_message = "External Secrets is a direct principal."
  }
  assert {
    condition     = output.db_secret == "leadgen-production-database" && output.bucket_endpoint == "https://storage.googleapis.com"
    error_message = "Secrets are named, and the bucket is reached by S3."
  }
}

run "postgresql_can_be_run_in_the_cluster" {
  command = plan
  variables { database_managed = false }
  assert {
    condition     = output.db_host == "" && output.db_port == 5432
    error_message = "An empty host means the component in the cluster."
  }
}

run "a_managed_broker_is_refused_where_there_is_none" {
  command = plan
  module {
    source = "../../modules/gcp/broker"
  }
  variables {
    size = "mq.m7g.large"
  }
  expect_failures = [var.size]
}

run "the_cluster_is_not_opened_to_the_internet" {
  command = plan
  variables { allowed_admin_cidrs = ["0.0.0.0/0"] }
  expect_failures = [var.allowed_admin_cidrs]
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
  variables { kubernetes_version = "1.32" }
  expect_failures = [var.kubernetes_version]
}

run "fewer_than_seven_days_of_backups_are_refused" {
  command = plan
  variables { database_backup_days = 3 }
  expect_failures = [var.database_backup_days]
}

run "while_keys_rotate_the_old_ones_stay_valid_and_the_new_ones_are_handed_out" {
  module {
    source = "../../modules/gcp/identity"
  }
  variables {
    id             = "leadgen-production"
    project        = "example-project"
    project_number = "123456789012"
    region         = "europe-west3"
    bucket         = "data"
    backup_bucket  = "backup"
    registry       = "leadgen"
    oidc_issuer    = "https://token.actions.githubusercontent.com"
    oidc_subject   = "repo:example/leadgen:environment:production"
    generations    = [1, 2]
  }
  assert {
    condition     = toset(keys(google_storage_hmac_key.this)) == toset(["storage-1", "storage-2", "backup-1", "backup-2"])
    error_message = "Both generations exist."
  }
  assert {
    condition     = nonsensitive(output.storage_keys["storage"].access_key_id) == google_storage_hmac_key.this["storage-2"].access_id
    error_message = "The newest is in use."
  }
}
