#!/usr/bin/env bash
# Roll back to the release that migrate.sh recorded. Migrations only add, so the schema is not changed.
#   CLOUD   which overlay     PREVIOUS_IMAGE, PREVIOUS_RELEASE   another release to roll back to
. "$(dirname "$0")/lib.sh"

overlay=$(overlay)
if [ -e "$STATE/previous.env" ]; then
  PREVIOUS_IMAGE=${PREVIOUS_IMAGE:-$(setting image "$STATE/previous.env")}
  PREVIOUS_RELEASE=${PREVIOUS_RELEASE:-$(setting name "$STATE/previous.env")}
fi
[ -n "${PREVIOUS_IMAGE:-}" ] || fail "nothing ran before this release: set PREVIOUS_IMAGE and PREVIOUS_RELEASE."
image=$(IMAGE=$PREVIOUS_IMAGE image) release=$(RELEASE=$PREVIOUS_RELEASE release)
say "going back to $release"
choose "$release" "$image"
kubectl kustomize "$overlay" >"$STATE/manifests.yaml"
deploy/ci/rollout.sh
