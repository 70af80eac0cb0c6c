#!/usr/bin/env bash
# List the packages of the built image, Debian's and Python's: one CycloneDX file for each platform.
. "$(dirname "$0")/lib.sh"

program skopeo
tool syft
[ -e "$STATE/image.tar" ] || fail "there is no image: build.sh comes first."
for architecture in $(architectures); do
  rm -f "$STATE/one.tar"
  skopeo copy --quiet --override-os linux --override-arch "$architecture" \
    "oci-archive:$STATE/image.tar" "oci-archive:$STATE/one.tar"
  syft scan --quiet "oci-archive:$STATE/one.tar" --output "cyclonedx-json=$STATE/sbom-$architecture.json"
  rm "$STATE/one.tar"
  say "sbom-$architecture.json"
done
