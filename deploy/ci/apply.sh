#!/usr/bin/env bash
# Apply the plan that plan.sh made in the same run, and write the overlay's terraform.env.   CLOUD   which root
. "$(dirname "$0")/lib.sh"

outputs=$(overlay)/terraform.env
root=deploy/terraform/roots/$CLOUD
[ -e "$STATE/plan" ] || fail "there is no plan: plan.sh comes first."
tool terraform
terraform -chdir="$root" apply -input=false "$STATE/plan"
rm "$STATE/plan" "$STATE/plan.json"
terraform -chdir="$root" output -raw overlay_env >"$outputs"
git diff --quiet -- "$outputs" || say "$outputs has changed; commit this: $(git diff -- "$outputs")"
terraform -chdir="$root" output manual_steps
