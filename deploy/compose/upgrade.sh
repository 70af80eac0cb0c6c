#!/bin/sh
# Upgrade a Compose deployment while it answers: run this in the new checkout.
#
# Builds the image (or pulls it, where LEADGEN_IMAGE names one of a registry), migrates, starts a new
# web container beside the old one, stops the old one once the new one is healthy, and then replaces
# the rest. When the new web does not become healthy, the old one stays and the new one is removed.
# What holds data and the balancer are started when they are not there, and otherwise left alone.
set -eu
cd "$(dirname "$0")/../.."
kept="balancer postgres rabbitmq seaweedfs"

if [ "${1:-}" = --pull ]; then
  docker compose pull web
else
  docker compose build web
fi
# `run` with dependencies, and `up` without --no-recreate, would replace what holds data wherever its
# definition has changed, and stop web for that.
docker compose run --rm --no-deps prepare
docker compose up --detach --no-recreate --wait postgres rabbitmq seaweedfs
docker compose run --rm --no-deps migrate

# A web that has stopped or is unhealthy answers no visitor, and would keep `--wait` from succeeding.
for container in $(docker compose ps --all --quiet web); do
  case $(docker inspect --format '{{.State.Status}} {{.State.Health.Status}}' "$container") in
    "running healthy" | "running starting") ;;
    *) docker rm --force "$container" >/dev/null ;;
  esac
done
old=$(docker compose ps --quiet web)
count=$(($(echo "$old" | wc -w) + 1))
# Without --no-deps: Compose 2.26 counts dependencies as configuration, and a later `up` would replace
# web once more.
if ! docker compose up --detach --no-recreate --wait --scale web="$count" web; then
  echo "The new web container is not healthy; the old one goes on. Its last lines:" >&2
  for container in $(docker compose ps --all --quiet web); do
    case " $(echo $old) " in *" $container "*) continue ;; esac
    docker logs --tail 20 "$container" >&2
    docker rm --force "$container" >/dev/null
  done
  exit 1
fi

# A deployment from before the balancer: web owns the port, so the balancer can start only after it.
if [ -n "$old" ] && [ -n "$(docker port $(echo "$old" | head -n 1))" ]; then
  echo "The old web owns the port. Until it has stopped, at most 30 s, connections are refused; once only."
fi
docker compose create --no-recreate balancer
[ -z "$old" ] || docker stop $old >/dev/null
if ! docker compose up --detach --no-recreate --wait balancer; then
  [ -z "$old" ] || docker start $old >/dev/null
  echo "The balancer does not start (is PORT used by another program?); the old web goes on." >&2
  exit 1
fi
[ -z "$old" ] || docker rm $old >/dev/null

changed=""
for service in $kept; do
  container=$(docker compose ps --quiet "$service")
  hash=$(docker inspect --format '{{index .Config.Labels "com.docker.compose.config-hash"}}' "$container")
  [ "$(docker compose config --hash "$service")" = "$service $hash" ] || changed="$changed $service"
done
if [ -z "$changed" ]; then
  docker compose up --detach --wait
  exit
fi
docker compose rm --stop --force $(docker compose config --services | grep -vx -e web $(printf -- ' -e %s' $kept))
docker compose up --detach --no-recreate --wait
echo "This version defines anew, and this script left as they were:$changed."
echo "Replace them at a quiet hour; visitors wait meanwhile: docker compose up --detach --wait"
