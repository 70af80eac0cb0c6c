#!/usr/bin/env bash
# Every test against real services. As root on Debian it installs what is missing; else the runner has
# Docker (or RabbitMQ), Chromium, kubectl, promtool; without Firefox ESR and WebKitGTK their tests are skipped.
. "$(dirname "$0")/lib.sh"

make test </dev/null
