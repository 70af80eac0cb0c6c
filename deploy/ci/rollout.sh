#!/usr/bin/env bash
# Apply what migrate.sh or rollback.sh has rendered, and wait until every Deployment runs it.
#   ROLLOUT_TIMEOUT   timeout for each, else 15m
. "$(dirname "$0")/lib.sh"

[ -e "$STATE/manifests.yaml" ] || fail "nothing is rendered: migrate.sh comes first."
kubectl apply --filename "$STATE/manifests.yaml" \
  --selector 'app.kubernetes.io/component notin (migrate, namespace)'
for deployment in $(in_namespace get deployments --selector app.kubernetes.io/name=leadgen --output name); do
  in_namespace rollout status "$deployment" --timeout "${ROLLOUT_TIMEOUT:-15m}"
done
