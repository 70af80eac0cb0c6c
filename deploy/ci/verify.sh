#!/usr/bin/env bash
# Fail for an image without the signature of our own pipeline.
#   SIGNER, SIGNER_ISSUER   the signer: identity and issuer of the certificate
#   COSIGN_KEY              the key, instead of both
. "$(dirname "$0")/lib.sh"

tool cosign
image=$(image)
if [ -n "${COSIGN_KEY:-}" ]; then
  by=(--key "$COSIGN_KEY")
else
  need SIGNER "the identity that signs, such as https://github.com/example/leadgen/.github/workflows/release.yml@refs/heads/main"
  need SIGNER_ISSUER "who vouches for SIGNER, such as https://token.actions.githubusercontent.com"
  by=(--certificate-identity "$SIGNER" --certificate-oidc-issuer "$SIGNER_ISSUER")
fi
cosign verify --output text "${by[@]}" "$image"
