#!/usr/bin/env bash
# Format, lint, types, imports, migrations, locks.
. "$(dirname "$0")/lib.sh"

make check </dev/null
