#!/usr/bin/env bash
# One release to one deployment: signature, schema, roll-out, smoke test; back again if it fails.
#   CLOUD, IMAGE, RELEASE   and what the steps below ask for
#   DELIVERY                apply, or gitops where the cluster pulls (else so on digitalocean)
. "$(dirname "$0")/lib.sh"

overlay >/dev/null
delivery=${DELIVERY:-$([ "$CLOUD" = digitalocean ] && echo gitops || echo apply)}
deploy/ci/verify.sh
case $delivery in
  gitops) exec deploy/ci/gitops.sh ;;
  apply) ;;
  *) fail "DELIVERY is $delivery: use apply or gitops." ;;
esac
deploy/ci/migrate.sh
if ! { deploy/ci/rollout.sh && deploy/ci/smoke.sh; }; then
  deploy/ci/rollback.sh
  fail "the release failed and the one before it runs again."
fi
