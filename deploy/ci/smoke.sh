#!/usr/bin/env bash
# Ask the deployment as a visitor would: is it alive and ready, and does it keep a submission?
#   CLOUD or PUBLIC_URL   where it is
#   CANARY_FORM           public id of a form made for this; without it nothing is submitted
#   CANARY_FIELDS         its answers, else {"email": "canary@example.com"}
#   SMOKE_SECONDS         patience, else 120
. "$(dirname "$0")/lib.sh"

url=${PUBLIC_URL:-$(setting PUBLIC_URL "$(overlay)/settings.env")}
key=smoke-$(release)-$(date +%s)
end=$((SECONDS + ${SMOKE_SECONDS:-120}))
fields=${CANARY_FIELDS:-'{"email": "canary@example.com"}'}

# until_answers STATUS… -- CURL ARGUMENTS…: ask until one of the statuses comes; leaves it and the body.
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

# A 202 is kept too, but by the storage: the database is away.
submit() {
  until_answers "$@" -- --header 'Content-Type: application/json' --header "Idempotency-Key: $key" \
    --data "{\"fields\": $fields}" "$url/api/v1/public/forms/$CANARY_FORM/submissions"
  receipt=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["receipt"])' <"$STATE/answer")
}

touch "$STATE/answer"
until_answers 200 -- "$url/health/live"
until_answers 200 -- "$url/health/ready"
[ -n "${CANARY_FORM:-}" ] || { say "alive and ready; set CANARY_FORM to send a submission too" && exit 0; }
submit 201 200
first=$receipt
submit 200
[ "$first" = "$receipt" ] || fail "the same submission has two receipts, $first and $receipt."
say "alive, ready, and $receipt is in the ledger"
