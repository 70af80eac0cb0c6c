#!/usr/bin/env bash
# Render the release, note what runs now, and apply what the migrations need, then they themselves.
#   CLOUD   which overlay     IMAGE, RELEASE   what to release     MIGRATE_SECONDS   patience, else 1800
. "$(dirname "$0")/lib.sh"

overlay=$(overlay) image=$(image) release=$(release)
ours=app.kubernetes.io/name job=job/migrate-$release

# await: wait for the Job to end; leaves how it did, or that there is none.
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
# Settings, secrets, network and brokers first: all that is not a role of the image.
kubectl apply --filename "$STATE/manifests.yaml" --selector "$ours!=leadgen"
# A Job cannot be changed, and its name may have had its turn: a release that failed, or one to go back to. A Job
# that has ended makes room; one that still runs is never killed.
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
