#!/usr/bin/env bash
# Hand the release over to the cluster that pulls: one commit on the branch that it watches.
#   IMAGE, RELEASE   what to release         GITOPS_BRANCH   the branch, else deployed
#   GITOPS_TOKEN     to push by HTTPS, with GITOPS_USER where the server asks for one; else as git is set up
. "$(dirname "$0")/lib.sh"

branch=${GITOPS_BRANCH:-deployed} image=$(image) release=$(release)
choose "$release" "$image"
git add deploy/kubernetes/release/release.env
# A merge, so that the branch only ever goes forward.
parents=(-p HEAD)
if git fetch --quiet origin "refs/heads/$branch"; then parents=(-p FETCH_HEAD "${parents[@]}"); fi
commit=$(git -c user.name=pipeline -c user.email=pipeline@example.com \
  commit-tree "$(git write-tree)" "${parents[@]}" -m "Release $release")
login=()
# shellcheck disable=SC2016  # git's own shell reads the variable: no argument shows the token
[ -z "${GITOPS_TOKEN:-}" ] || login=(-c 'credential.helper=!f() { echo "username=${GITOPS_USER:-x-access-token}"; echo "password=$GITOPS_TOKEN"; }; f')
git "${login[@]}" push --quiet origin "$commit:refs/heads/$branch"
say "$branch asks for $release; the cluster pulls it"
