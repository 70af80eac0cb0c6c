variables {
  name                = "leadgen"
  environment         = "production"
  owner               = "growth-platform"
  cost_centre         = "cc-1234"
  data_classification = "confidential"
}

run "formats_tags_for_every_cloud" {
  command = plan
  assert {
    condition     = output.id == "leadgen-production"
    error_message = "The prefix is the name and the environment."
  }
  assert {
    condition     = output.tags["cost-centre"] == "cc-1234"
    error_message = "Keys are written with a dash, legal in all clouds."
  }
  assert {
    condition     = contains(output.tag_list, "owner:growth-platform")
    error_message = "DigitalOcean's tags are key:value."
  }
  assert {
    condition     = alltrue([for key, value in output.tags : can(regex("^[a-z0-9-]{1,63}$", key)) && can(regex("^[a-z0-9-]{0,63}$", value))])
    error_message = "Google Cloud accepts only lower-case letters, digits and dashes, 63 at most."
  }
}

run "refuses_an_unknown_environment" {
  command = plan
  variables { environment = "prod" }
  expect_failures = [var.environment]
}

run "refuses_a_person_as_owner" {
  command = plan
  variables { owner = "Jane Doe" }
  expect_failures = [var.owner]
}

run "refuses_a_free_text_cost_centre" {
  command = plan
  variables { cost_centre = "marketing" }
  expect_failures = [var.cost_centre]
}

run "refuses_an_unknown_classification" {
  command = plan
  variables { data_classification = "secret" }
  expect_failures = [var.data_classification]
}

run "refuses_leads_that_are_called_public" {
  command = plan
  variables { data_classification = "internal" }
  expect_failures = [var.data_classification]
}
