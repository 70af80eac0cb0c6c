#!/usr/bin/env bash
# Switch on the services that Terraform's root uses in a new project, and have Google make the accounts
# of those that encrypt: a key is granted to an account that exists.   GOOGLE_PROJECT   which project
set -euo pipefail

project=${GOOGLE_PROJECT:?say which project}

services=(artifactregistry billingbudgets binaryauthorization certificatemanager cloudkms cloudresourcemanager
  compute container iam iamcredentials monitoring secretmanager servicenetworking sqladmin storage sts)
gcloud services enable --project "$project" "${services[@]/%/.googleapis.com}"
for service in artifactregistry container secretmanager sqladmin; do
  gcloud beta services identity create --project "$project" --service "$service.googleapis.com"
done
gcloud storage service-agent --project "$project"
