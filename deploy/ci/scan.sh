#!/usr/bin/env bash
# Look for known vulnerabilities in what the SBOMs list; grype.yaml says what stops a release.
. "$(dirname "$0")/lib.sh"

tool grype
for architecture in $(architectures); do
  [ -e "$STATE/sbom-$architecture.json" ] || fail "there is no SBOM for $architecture: sbom.sh comes first."
  grype "sbom:$STATE/sbom-$architecture.json" --config deploy/ci/grype.yaml
done
