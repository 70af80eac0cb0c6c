#!/usr/bin/env bash
# Compare the images of images.txt with their registries, and warn of old ones. Neither fails the step: a tag that
# moved or a version that is old is a task for a person, not a reason to stop a release.
#   WRITE       1: write the digests into images.txt, docker-compose.yml and the components; commit the result
#   WARN_DAYS   age of a version from which on a warning is printed, else 180
. "$(dirname "$0")/lib.sh"

# The digest of an image's index, or nothing where no registry answers.
digest() {
  command -v docker >/dev/null || return 0
  timeout 60 docker buildx imagetools inspect "$1" --format '{{.Manifest.Digest}}' 2>/dev/null || true
}

rm -f "$STATE/pins"
while read -r image known _; do
  found=$(digest "$image")
  echo "$image ${found:--}" >>"$STATE/pins"
  if [ -z "$found" ]; then
    say "$image: no registry answered, so its digest was not compared"
  elif [ "$known" != - ] && [ "$known" != "$found" ]; then
    say "warning: $image is $found at its registry, and $known here"
  fi
done < <(grep -v '^#' deploy/ci/images.txt)
[ "${WRITE:-}" != 1 ] || python3 -m deploy.policy.pins write "$STATE/pins"
python3 -m deploy.policy.pins warn "${WARN_DAYS:-180}"
