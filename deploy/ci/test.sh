#!/usr/bin/env bash
# Every test against real services. Not as root: needs Docker (or RabbitMQ), Chromium, kubectl.
. "$(dirname "$0")/lib.sh"

make test </dev/null
