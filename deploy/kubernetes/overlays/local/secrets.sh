#!/bin/sh
# Makes the Secrets of the local overlay with random values, once: sh secrets.sh
set -eu
namespace=${1:-leadgen}

secret() {
  name=$1
  shift
  kubectl --namespace "$namespace" create secret generic "$name" "$@"
}

if kubectl --namespace "$namespace" get secret leadgen >/dev/null 2>&1; then
  echo "The Secret leadgen is there already; nothing was changed." >&2
  exit 1
fi
kubectl get namespace "$namespace" >/dev/null 2>&1 || kubectl create namespace "$namespace"

database=$(openssl rand -hex 24)
broker=$(openssl rand -hex 24)
key=$(openssl rand -hex 10)
storage=$(openssl rand -hex 24)

secret postgres --from-literal=password="$database"
secret rabbitmq --from-literal=erlang_cookie="$(openssl rand -hex 32)" \
  --from-literal=user.conf="$(printf 'default_user = leadgen\ndefault_pass = %s' "$broker")"
secret seaweedfs --from-literal=s3.json="$(printf '{"identities": [{"name": "leadgen",
  "credentials": [{"accessKey": "%s", "secretKey": "%s"}],
  "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}' "$key" "$storage")"
secret storage --from-literal=credentials="$(printf '[default]
aws_access_key_id = %s
aws_secret_access_key = %s' "$key" "$storage")"
secret leadgen --from-literal=SECRET_KEY="$(openssl rand -hex 32)" \
  --from-literal=METRICS_TOKEN="$(openssl rand -hex 24)" \
  --from-literal=DATABASE_URL="postgresql://leadgen:$database@postgres:5432/leadgen" \
  --from-literal=BROKER_URL="amqp://leadgen:$broker@rabbitmq:5672//"
