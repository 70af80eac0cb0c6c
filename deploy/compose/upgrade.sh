#!/bin/sh
# Upgrade a Compose deployment while it answers: run this in the new checkout.
#
# Builds the image (or pulls it, where LEADGEN_IMAGE names one of a registry), migrates, starts a new
# web container beside the old one, stops the old one once the new one is healthy, and then replaces
# the rest. When the new web does not become healthy, the old one stays and the new one is removed.
set -eu
cd "$(dirname "$0")/../.."

if [ "${1:-}" = --pull ]; then
  docker compose pull web
else
  docker compose build web
fi
# What holds data is started if it is not there, and otherwise left alone.
docker compose up --detach --no-recreate --wait balancer postgres rabbitmq seaweedfs
docker compose run --rm migrate

old=$(docker compose ps --quiet web)
count=$(($(echo "$old" | wc -w) + 1))
# Without --no-deps: Compose 2.26 counts dependencies as configuration, and the last step would replace
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
for container in $old; do
  docker stop "$container" >/dev/null
  docker rm "$container" >/dev/null
done

docker compose up --detach --wait
