#!/usr/bin/env bash
# Make Terraform's plan, and check it by deploy/policy.   CLOUD   which root
. "$(dirname "$0")/lib.sh"

need CLOUD "aws, gcp or digitalocean"
root=deploy/terraform/roots/$CLOUD
[ -d "$root" ] || fail "CLOUD is $CLOUD: there is no $root."
for file in backend.tf terraform.tfvars; do
  [ -e "$root/$file" ] || fail "$root/$file is missing: copy it from $file.example and commit it."
done
tool terraform
terraform -chdir="$root" init -input=false
terraform -chdir="$root" validate
terraform -chdir="$root" plan -input=false -lock-timeout=5m -out="$STATE/plan"
terraform -chdir="$root" show -json "$STATE/plan" >"$STATE/plan.json"
python3 -c '
import sys
from deploy.policy import exceptions, plans, terraform
register = exceptions.register(exceptions.REGISTER.read_text(encoding="utf-8"))
found = terraform.findings(plans.load(open(sys.argv[1]).read()))
sys.exit("\n".join(exceptions.unexcused(found, register)) or 0)
' "$STATE/plan.json" || fail "the plan breaks deploy/policy/terraform.py; deploy/docs/exceptions.md has no row for it."
