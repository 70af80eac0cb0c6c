#!/usr/bin/env bash
# Send requests as a visitor does: the deployment answers, hides what is internal, and stores a submission.
#   CLOUD or PUBLIC_URL   where it is
#   CANARY_FORM           public id of a form made for this; without it nothing is submitted
#   CANARY_FIELDS         its answers, else {"email": "canary@example.com"}
#   SMOKE_SECONDS         timeout, else 120
. "$(dirname "$0")/lib.sh"

url=${PUBLIC_URL:-$(setting PUBLIC_URL "$(overlay)/settings.env")}
key=smoke-$(release)-$(date +%s)
end=$((SECONDS + ${SMOKE_SECONDS:-120}))
fields=${CANARY_FIELDS:-'{"email": "canary@example.com"}'}

# until_answers STATUS… -- CURL ARGUMENTS…: repeat the request until it is answered with one of the statuses;
# sets status, and writes the body to the file answer.
until_answers() {
  local wanted=" "
  while [ "$1" != -- ]; do wanted+="$1 " && shift; done
  shift
  until
    status=$(curl -sS --max-time 10 --output "$STATE/answer" --write-out '%{http_code}' "$@") || true
    [[ $wanted == *" $status "* ]]
  do
    [ "$SECONDS" -lt "$end" ] || fail "$url: ${*: -1} answers $status, not$wanted: $(head -c 500 "$STATE/answer")"
    sleep "${POLL_SECONDS:-5}"
  done
}

# With 202 the submission is stored too, but in the spool: the database is unavailable.
submit() {
  until_answers "$@" -- --header 'Content-Type: application/json' --header "Idempotency-Key: $key" \
    --data "{\"fields\": $fields}" "$url/api/v1/public/forms/$CANARY_FORM/submissions"
  receipt=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["receipt"])' <"$STATE/answer")
}

touch "$STATE/answer"
until_answers 200 -- "$url/health/live"
# Readiness and metrics are for the cluster. A redirect is the gateway's answer, 404 that of web.
until_answers 404 302 -- "$url/health/ready"
until_answers 404 302 -- "$url/%6detrics"
[ -n "${CANARY_FORM:-}" ] || { say "alive; set CANARY_FORM to send a submission too" && exit 0; }
submit 201 200
first=$receipt
submit 200
[ "$first" = "$receipt" ] || fail "the same submission has two receipts, $first and $receipt."
say "alive, and $receipt is in the ledger"
