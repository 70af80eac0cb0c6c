#!/usr/bin/env bash
# Sign the pushed image and attach its SBOMs, signed too.
#   COSIGN_KEY   a key in a KMS, such as awskms:///alias/leadgen, where Sigstore does not accept the
#                pipeline's identity; by default keyless
. "$(dirname "$0")/lib.sh"

tool cosign
image=$(image)
key=()
[ -z "${COSIGN_KEY:-}" ] || key=(--key "$COSIGN_KEY")
cosign sign --yes "${key[@]}" "$image"
for architecture in $(architectures); do
  cosign attest --yes "${key[@]}" --type cyclonedx --predicate "$STATE/sbom-$architecture.json" "$image"
done
