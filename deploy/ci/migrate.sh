#!/usr/bin/env bash
# Render the release, record the running one, apply what the migrations need, then the migrations' Job.
#   CLOUD   which overlay     IMAGE, RELEASE   what to release     MIGRATE_SECONDS   timeout, else 1800
. "$(dirname "$0")/lib.sh"

overlay=$(overlay) image=$(image) release=$(release)
ours=app.kubernetes.io/name job=job/migrate-$release

# await: wait for the Job to end; sets result: missing, complete, failed, or a timeout.
await() {
  local state end=$((SECONDS + ${MIGRATE_SECONDS:-1800}))
  result=""
  while [ -z "$result" ]; do
    state=$(in_namespace get "$job" --ignore-not-found --output jsonpath='{.kind} {.status.conditions[?(@.status=="True")].type}')
    case " $state " in
      "  ") result=missing ;;
      *" Complete "*) result=complete ;;
      *" Failed "*) result=failed ;;
      *) if [ "$SECONDS" -lt "$end" ]; then sleep "${POLL_SECONDS:-5}"; else result="did not end in time"; fi ;;
    esac
  done
}

in_namespace get deployment web --ignore-not-found >"$STATE/previous.env" --output \
  jsonpath='name={.metadata.labels.app\.kubernetes\.io/version}{"\n"}image={.spec.template.spec.containers[0].image}{"\n"}'

choose "$release" "$image"
kubectl kustomize "$overlay" >"$STATE/manifests.yaml"
# Settings, secrets, network and brokers first. The namespace is the administrator's (deploy/README.md).
kubectl apply --filename "$STATE/manifests.yaml" --selector "$ours!=leadgen,app.kubernetes.io/component!=namespace"
# A Job is immutable, and an earlier attempt at this release may have left one of the same name. A Job that has
# ended is replaced; one that still runs is never killed.
await
case $result in
  missing) ;;
  complete | failed) in_namespace delete "$job" --wait ;;
  *) fail "$job of an earlier run $result; wait for it, or look at it." ;;
esac
kubectl apply --filename "$STATE/manifests.yaml" --selector "$ours=leadgen,app.kubernetes.io/component=migrate"

say "waiting for $job"
await
if [ "$result" != complete ]; then
  in_namespace logs "$job" --tail 50 >&2 || true
  fail "$job $result; what runs was not changed."
fi
say "$job is complete"
