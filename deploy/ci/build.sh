#!/usr/bin/env bash
# Build the image for all platforms into one OCI archive, which is pushed unchanged.
#   RELEASE    its name, by default date and commit    PLATFORMS   by default linux/amd64,linux/arm64
#   BASE       the base image; a tag is replaced by its current digest
. "$(dirname "$0")/lib.sh"

program docker
release=$(release)
git diff --quiet HEAD || fail "the checkout has changes that are in no commit: commit them first."
base=${BASE:-python:3.13-slim-trixie}
case $base in
  *@sha256:*) ;;
  *) base=$base@$(docker buildx imagetools inspect "$base" --format '{{.Manifest.Digest}}') ;;
esac
epoch=$(git log -1 --format=%ct)

if ! docker buildx inspect leadgen >/dev/null 2>&1; then
  daemon=()
  # Buildx takes a daemon's certificates from a context only, which must not have the builder's name.
  if [ -n "${DOCKER_TLS_VERIFY:-}" ]; then
    daemon=(leadgen-tls)
    docker context inspect "${daemon[@]}" >/dev/null 2>&1 || docker context create "${daemon[@]}"
  fi
  docker buildx create --name leadgen --driver docker-container "${daemon[@]}"
fi
say "building $release on $base"
docker buildx build --builder leadgen --platform "$(platforms)" --provenance mode=max \
  --build-arg BASE="$base" --build-arg VERSION="$release" --build-arg REVISION="$(git rev-parse HEAD)" \
  --build-arg CREATED="$(date -u -d "@$epoch" +%Y-%m-%dT%H:%M:%SZ)" --build-arg SOURCE_DATE_EPOCH="$epoch" \
  --output "type=oci,dest=$STATE/image.tar,rewrite-timestamp=true" .
