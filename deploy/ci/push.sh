#!/usr/bin/env bash
# Push the scanned archive unchanged; later steps name the image by its digest.
#   IMAGE_REPOSITORY   the target, such as ghcr.io/example/leadgen      RELEASE   as for build.sh
. "$(dirname "$0")/lib.sh"

need IMAGE_REPOSITORY "the repository to push to, such as ghcr.io/example/leadgen"
program skopeo
[ -e "$STATE/image.tar" ] || fail "there is no image: build.sh comes first."
release=$(release)
target=docker://$IMAGE_REPOSITORY:$release
! skopeo inspect --raw "$target" >/dev/null 2>&1 ||
  fail "$IMAGE_REPOSITORY has $release already, and a name is used once: set RELEASE to a new one."
skopeo copy --all --preserve-digests --retry-times 3 --digestfile "$STATE/digest" \
  "oci-archive:$STATE/image.tar" "$target"
echo "$IMAGE_REPOSITORY@$(cat "$STATE/digest")" >"$STATE/image"
say "$(image)"
if [ -n "${GITHUB_OUTPUT:-}" ]; then
  printf 'image=%s\nrelease=%s\n' "$(image)" "$release" >>"$GITHUB_OUTPUT"
fi
