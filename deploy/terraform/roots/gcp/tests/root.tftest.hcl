mock_provider "google" {
  mock_data "google_project" {
    defaults = { project_id = "example-project", number = "123456789012", billing_account = "000000-000000-000000" }
  }
  mock_resource "google_sql_database_instance" {
    defaults = { private_ip_address = "10.40.32.3" }
  }
}

mock_provider "google" {
  alias = "budget"
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
  assert {
    condition     = output.db_secret == "leadgen-production-database"
    error_message = "The component takes the same secret."
  }
}

run "what_google_holds_back_does_not_stop_a_destroy" {
  command = plan
  module {
    source = "../../modules/gcp/postgres"
  }
  variables {
    id                  = "leadgen-production"
    region              = "europe-west3"
    private_network     = "network"
    engine_version      = 17
    size                = "db-custom-2-8192"
    storage_gb          = 100
    high_availability   = true
    backup_days         = 7
    deletion_protection = false
    username            = "leadgen"
    password            = "made-up-for-this-test"
    kms_key             = "key"
    labels              = {}
  }
  assert {
    condition     = [google_sql_database.this.deletion_policy, google_sql_user.this.deletion_policy] == ["ABANDON", "ABANDON"]
    error_message = "A user who owns tables cannot be dropped; both go with the server."
  }
}

run "the_connection_to_googles_services_does_not_stop_a_destroy" {
  command = plan
  module {
    source = "../../modules/gcp/network"
  }
  variables {
    id     = "leadgen-production"
    region = "europe-west3"
    cidr   = "10.40.0.0/16"
    labels = {}
  }
  assert {
    condition     = google_service_networking_connection.google.deletion_policy == "REMOVE_PEERING"
    error_message = "Google holds the connection for days after its last server is gone."
  }
}

run "the_longest_name_fits_what_google_allows" {
  command = plan
  module {
    source = "../../modules/gcp/identity"
  }
  variables {
    id             = "leadgenery-development"
    project        = "example-project"
    project_number = "123456789012"
    workload_pool  = "example-project.svc.id.goog"
    region         = "europe-west3"
    bucket         = "data"
    backup_bucket  = "backup"
    registry       = "leadgen"
    oidc_issuer    = "https://token.actions.githubusercontent.com"
    oidc_subject   = "repo:example/leadgen:environment:development"
    generations    = [1]
  }
  assert {
    condition     = length(google_iam_workload_identity_pool.ci.display_name) <= 32
    error_message = "Display names of pools have 32 characters at most."
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

run "while_keys_rotate_the_old_ones_stay_valid_and_the_new_ones_are_handed_out" {
  module {
    source = "../../modules/gcp/identity"
  }
  variables {
    id             = "leadgen-production"
    project        = "example-project"
    project_number = "123456789012"
    workload_pool  = "example-project.svc.id.goog"
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
