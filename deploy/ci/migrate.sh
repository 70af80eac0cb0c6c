#!/usr/bin/env bash
# Render the release, note what runs now, and apply what the migrations need, then they themselves.
#   CLOUD   which overlay     IMAGE, RELEASE   what to release     MIGRATE_SECONDS   patience, else 1800
. "$(dirname "$0")/lib.sh"

overlay=$(overlay) image=$(image) release=$(release)
ours=app.kubernetes.io/name

in_namespace get deployment web --ignore-not-found >"$STATE/previous.env" --output \
  jsonpath='name={.metadata.labels.app\.kubernetes\.io/version}{"\n"}image={.spec.template.spec.containers[0].image}{"\n"}'

choose "$release" "$image"
kubectl kustomize "$overlay" >"$STATE/manifests.yaml"
# Settings, secrets, network and brokers first: all that is not a role of the image.
kubectl apply --filename "$STATE/manifests.yaml" --selector "$ours!=leadgen"
kubectl apply --filename "$STATE/manifests.yaml" --selector "$ours=leadgen,app.kubernetes.io/component=migrate"

job=job/migrate-$release
end=$((SECONDS + ${MIGRATE_SECONDS:-1800}))
say "waiting for $job"
while :; do
  state=" $(in_namespace get "$job" --output jsonpath='{.status.conditions[?(@.status=="True")].type}') "
  case $state in
    *" Complete "*) break ;;
    *" Failed "*) result=failed ;;
    *) [ "$SECONDS" -ge "$end" ] && result="did not end in time" ;;
  esac
  if [ -n "${result:-}" ]; then
    in_namespace logs "$job" --tail 50 >&2 || true
    fail "$job $result; what runs was not changed."
  fi
  sleep "${POLL_SECONDS:-5}"
done
say "$job is complete"
