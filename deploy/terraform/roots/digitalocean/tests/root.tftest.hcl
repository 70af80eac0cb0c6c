mock_provider "digitalocean" {
  mock_data "digitalocean_account" {
    defaults = { uuid = "00000000-0000-0000-0000-000000000000" }
  }
  mock_data "digitalocean_kubernetes_versions" {
    defaults = { latest_version = "1.35.1-do.0" }
  }
}

variables {
  environment         = "production"
  owner               = "growth-platform"
  cost_centre         = "cc-1234"
  data_classification = "confidential"
  region              = "fra1"
  allowed_admin_cidrs = ["203.0.113.0/24"]
  node_size           = "s-2vcpu-8gb-amd"
  database_size       = "db-s-2vcpu-4gb"
  budget_amount       = 1000
  budget_emails       = ["platform@example.com"]
  oidc_repository     = "example/leadgen"
}

run "secrets_are_named_as_the_manifest_names_them" {
  command = plan
  assert {
    condition     = output.db_secret == "leadgen-production-database" && output.secret_store == "kubernetes"
    error_message = "The cloud has no store: Kubernetes Secrets stand in."
  }
  assert {
    condition     = strcontains(output.manual_steps[0], "1000 USD for platform@example.com")
    error_message = "The budget alarm, which has no API, is told as a step."
  }
}

run "the_manifest_holds_the_secrets_and_who_may_read_them" {
  module {
    source = "../../modules/digitalocean/secrets"
  }
  variables {
    id               = "leadgen-production"
    reader_namespace = "leadgen"
    database         = { username = "doadmin", password = "made-up-for-this-test" }
    storage_keys = {
      storage = { access_key_id = "made-up", secret_access_key = "made-up" }
      backup  = { access_key_id = "made-up", secret_access_key = "made-up" }
    }
  }
  assert {
    condition     = [for item in jsondecode(nonsensitive(output.manifest)).items : item.kind] == ["Namespace", "Role", "RoleBinding", "Secret", "Secret", "Secret", "Secret", "Secret"]
    error_message = "A namespace, a role, its binding and five secrets."
  }
  assert {
    condition     = jsondecode(nonsensitive(output.manifest)).items[2].subjects[0].namespace == "leadgen"
    error_message = "Only the service account `secrets` of the application's namespace reads them."
  }
}

run "without_a_managed_database_its_secret_is_made_all_the_same" {
  module {
    source = "../../modules/digitalocean/secrets"
  }
  variables {
    id               = "leadgen-production"
    reader_namespace = "leadgen"
    database         = null
    storage_keys = {
      storage = { access_key_id = "made-up", secret_access_key = "made-up" }
      backup  = { access_key_id = "made-up", secret_access_key = "made-up" }
    }
  }
  assert {
    condition     = { for item in jsondecode(nonsensitive(output.manifest)).items : item.metadata.name => keys(item.stringData) if item.kind == "Secret" }["leadgen-production-database"] == ["password", "username"]
    error_message = "A user name and a password, of Terraform's own making."
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

run "the_teams_only_registry_can_be_another_deployments" {
  command = plan
  variables { registry_managed = false }
  assert {
    condition     = output.registry_url == ""
    error_message = "There is no registry, and the cluster is not joined to one."
  }
}

run "a_registry_has_a_name_that_no_other_customer_has" {
  command = plan
  module {
    source = "../../modules/digitalocean/registry"
  }
  variables {
    managed = true
    id      = "leadgen-production"
    region  = "fra1"
    suffix  = "0123abcd"
  }
  assert {
    condition     = digitalocean_container_registry.this[0].name == "leadgen-production-0123abcd"
    error_message = "Names of registries are shared by all customers."
  }
}

run "a_managed_broker_is_refused_where_there_is_none" {
  command = plan
  module {
    source = "../../modules/digitalocean/broker"
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
    source = "../../modules/digitalocean/identity"
  }
  variables {
    id            = "leadgen-production"
    bucket        = "data"
    backup_bucket = "backup"
    generations   = [1, 2]
  }
  assert {
    condition     = toset(keys(digitalocean_spaces_key.this)) == toset(["storage-1", "storage-2", "backup-1", "backup-2"])
    error_message = "Both generations exist."
  }
  assert {
    condition     = nonsensitive(output.storage_keys["storage"].access_key_id) == digitalocean_spaces_key.this["storage-2"].access_key
    error_message = "The newest is in use."
  }
}
