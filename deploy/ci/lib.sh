# shellcheck shell=bash
# Sourced by every step: checkout, requirements, and files that steps pass to later steps.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
umask 077

# GitHub empties RUNNER_TEMP at the end of a job.
STATE=${CI_STATE:-${RUNNER_TEMP:-$PWD/var}/ci}
STEP=$(basename "$0" .sh)
mkdir -p "$STATE/bin"
PATH=$PATH:$STATE/bin
# Variables that login.sh and connect.sh wrote.
# shellcheck disable=SC1091
[ ! -e "$STATE/env" ] || . "$STATE/env"

say() { printf '%s: %s\n' "$STEP" "$*"; }
fail() {
  printf '%s: %s\n' "$STEP" "$*" >&2
  exit 1
}

# need NAME MEANING: fail without the variable.
need() { [ -n "${!1:-}" ] || fail "set $1: $2"; }

# program NAME: fail without it.
program() { command -v "$1" >/dev/null || fail "$1 is not installed on this runner."; }

# tool NAME: use the installed program, or download the one that tools.txt pins by checksum.
tool() {
  local name version sum address
  ! command -v "$1" >/dev/null || return 0
  read -r name version sum address < <(grep "^$1 " deploy/ci/tools.txt) || fail "tools.txt has no $1."
  [ "$(uname -sm)" = "Linux x86_64" ] || fail "install $name $version: tools.txt pins it for Linux on x86_64 only."
  say "fetching $name $version"
  curl -fsSL --proto '=https' --retry 3 -o "$STATE/download" "$address"
  echo "$sum  $STATE/download" | sha256sum --check --status || fail "$address is not what tools.txt pins."
  case $address in
    *.tar.gz) tar -xzf "$STATE/download" -C "$STATE/bin" "$name" ;;
    *.zip) python3 -m zipfile -e "$STATE/download" "$STATE/bin" ;;
    *) cp "$STATE/download" "$STATE/bin/$name" ;;
  esac
  chmod 755 "$STATE/bin/$name"
  rm "$STATE/download"
}

# The release's name: a tag, a label, and the end of a Job's name.
release() {
  local name=${RELEASE:-$(TZ=UTC git log -1 --date=format-local:%Y%m%d-%H%M%S --format=%cd-%h)}
  [[ $name =~ ^[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?$ ]] ||
    fail "RELEASE is $name: use at most 50 of a-z, 0-9 and -, neither first nor last a dash."
  printf '%s\n' "$name"
}

# The image by digest: IMAGE, or the one that push.sh pushed in this run.
image() {
  local name=${IMAGE:-}
  if [ -z "$name" ] && [ -e "$STATE/image" ]; then name=$(cat "$STATE/image"); fi
  [[ $name =~ ^[a-z0-9][a-z0-9./:_-]*@sha256:[0-9a-f]{64}$ ]] ||
    fail "set IMAGE to an image by digest, repository@sha256:…; it is \"$name\"."
  printf '%s\n' "$name"
}

platforms() { printf '%s\n' "${PLATFORMS:-linux/amd64,linux/arm64}"; }
architectures() { platforms | tr , '\n' | sed 's,^linux/,,'; }

overlay() {
  need CLOUD "aws, gcp, digitalocean or local"
  [ -e "deploy/kubernetes/overlays/$CLOUD/kustomization.yaml" ] ||
    fail "CLOUD is $CLOUD: there is no such overlay."
  printf 'deploy/kubernetes/overlays/%s\n' "$CLOUD"
}

# setting NAME FILE: the value of NAME in a file of NAME=value lines.
setting() { sed -n "s/^$1=//p" "$2"; }

# choose RELEASE IMAGE: write release.env, which every overlay reads.
choose() {
  printf '# Written by %s.\nname=%s\nimage=%s\n' "deploy/ci/$STEP.sh" "$1" "$2" \
    >deploy/kubernetes/release/release.env
}

in_namespace() { kubectl --namespace "${NAMESPACE:-leadgen}" "$@"; }
