#!/usr/bin/env bash
# Release to one deployment: signature, migrations, roll-out, smoke test; roll back if one fails.
#   CLOUD, IMAGE, RELEASE   and the variables of the steps below
#   DELIVERY                apply, or gitops where the cluster pulls; by default gitops on digitalocean, else apply
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
