#!/usr/bin/env bash
# Exchange the pipeline's identity token for the cloud's credentials, without a stored key. They are valid for an
# hour; on Google Cloud as long as the token, and on GitHub as long as the job, because gcloud renews them.
#   CLOUD               aws, gcp; digitalocean and local need no exchange
#   IDENTITY            terraform output identity_ci
#   IDENTITY_PROVIDER   terraform output identity_ci_provider (gcp)
#   ID_TOKEN            the token, or ID_TOKEN_FILE; GitHub is asked for it
. "$(dirname "$0")/lib.sh"

overlay >/dev/null
token=$STATE/id-token

on_github() { [ -n "${ACTIONS_ID_TOKEN_REQUEST_URL:-}" ]; }

fetch_token() {
  if [ -n "${ID_TOKEN_FILE:-}" ]; then
    cat "$ID_TOKEN_FILE"
  elif [ -n "${ID_TOKEN:-}" ]; then
    printf '%s' "$ID_TOKEN"
  elif on_github; then
    # By standard input, because other processes can read arguments.
    printf 'header = "Authorization: bearer %s"\n' "$ACTIONS_ID_TOKEN_REQUEST_TOKEN" |
      curl -fsS --retry 3 --config - "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=$1" |
      python3 -c 'import json, sys; print(json.load(sys.stdin)["value"], end="")'
  else
    fail "there is no identity token: set ID_TOKEN or ID_TOKEN_FILE; on GitHub the job needs id-token: write."
  fi >"$token"
}

aws_login() {
  local id secret session
  program aws
  need IDENTITY "the role, from terraform output identity_ci"
  fetch_token sts.amazonaws.com
  read -r id secret session < <(aws sts assume-role-with-web-identity --role-arn "$IDENTITY" \
    --role-session-name leadgen-pipeline --web-identity-token "file://$token" --output text \
    --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]') || fail "AWS refuses the token."
  printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\n' \
    "$id" "$secret" "$session" >"$STATE/aws"
  printf 'export AWS_SHARED_CREDENTIALS_FILE=%q AWS_REGION=%q\n' \
    "$STATE/aws" "$(setting kube_region "$(overlay)/terraform.env")" >"$STATE/env"
}

gcp_login() {
  local source
  program gcloud
  need IDENTITY_PROVIDER "the federation, from terraform output identity_ci_provider"
  if on_github; then
    # GitHub's tokens are valid for five minutes, and so are the credentials: each exchange uses a new token.
    source=$(printf '{"url": "%s", "headers": {"Authorization": "Bearer %s"},
 "format": {"type": "json", "subject_token_field_name": "value"}}' \
      "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=$IDENTITY_PROVIDER" "$ACTIONS_ID_TOKEN_REQUEST_TOKEN")
  else
    fetch_token "$IDENTITY_PROVIDER"
    source=$(printf '{"file": "%s"}' "$token")
  fi
  printf '{"type": "external_account", "audience": "%s", "credential_source": %s,
 "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
 "token_url": "https://sts.googleapis.com/v1/token"}\n' "$IDENTITY_PROVIDER" "$source" >"$STATE/gcp.json"
  printf 'export GOOGLE_APPLICATION_CREDENTIALS=%q CLOUDSDK_CONFIG=%q GOOGLE_PROJECT=%q\n' "$STATE/gcp.json" \
    "$STATE/gcloud" "$(setting registry_url "$(overlay)/terraform.env" | cut -d/ -f2)" >"$STATE/env"
  # shellcheck disable=SC1091
  . "$STATE/env"
  gcloud auth login --quiet --cred-file "$STATE/gcp.json"
}

rm -f "$STATE/env"
case $CLOUD in
  aws) aws_login ;;
  gcp) gcp_login ;;
  *) say "$CLOUD federates no identities: nothing to do (deploy/docs/continuous-delivery.md)" ;;
esac
