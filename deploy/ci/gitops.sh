#!/usr/bin/env bash
# Release to a cluster that pulls: one commit on the branch that it watches.
#   IMAGE, RELEASE   what to release         GITOPS_BRANCH   the branch, by default deployed
#   GITOPS_TOKEN     to push by HTTPS, with GITOPS_USER where the server needs one; by default git's own configuration
. "$(dirname "$0")/lib.sh"

branch=${GITOPS_BRANCH:-deployed} image=$(image) release=$(release)
choose "$release" "$image"
git add deploy/kubernetes/release/release.env
login=() origin=origin
if [ -n "${GITOPS_TOKEN:-}" ]; then
  # The token only: no credentials of the address (GitLab's has some) or of git's configuration.
  origin=$(git remote get-url origin | sed -E 's,^(https?://)[^/@]*@,\1,')
  # shellcheck disable=SC2016  # git's own shell reads the variable: no argument shows the token
  login=(-c credential.helper=
    -c 'credential.helper=!f() { echo "username=${GITOPS_USER:-x-access-token}"; echo "password=$GITOPS_TOKEN"; }; f')
fi
# A merge, so that the push is always a fast-forward. ls-remote ends with 2 where there is no branch yet.
parents=(-p HEAD) missing=0
git "${login[@]}" ls-remote --exit-code "$origin" "refs/heads/$branch" >/dev/null || missing=$?
case $missing in
  0)
    git "${login[@]}" fetch --quiet "$origin" "refs/heads/$branch"
    parents=(-p FETCH_HEAD -p HEAD)
    ;;
  2) ;;
  *) fail "origin cannot be read: set GITOPS_TOKEN, or set git up for it." ;;
esac
commit=$(git -c user.name=pipeline -c user.email=pipeline@example.com \
  commit-tree "$(git write-tree)" "${parents[@]}" -m "Release $release")
git "${login[@]}" push --quiet "$origin" "$commit:refs/heads/$branch"
say "$branch asks for $release; the cluster pulls it"
