#!/usr/bin/env bash
# Search the packages of the SBOMs for known vulnerabilities; grype.yaml defines which of them stop a release.
. "$(dirname "$0")/lib.sh"

tool grype
for architecture in $(architectures); do
  [ -e "$STATE/sbom-$architecture.json" ] || fail "there is no SBOM for $architecture: sbom.sh comes first."
  grype "sbom:$STATE/sbom-$architecture.json" --config deploy/ci/grype.yaml
done
