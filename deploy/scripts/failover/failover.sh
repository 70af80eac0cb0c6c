#!/usr/bin/env bash
# Fail over to another PostgreSQL by logical replication: deploy/docs/runbooks/fail-over.md.
#
#   SOURCE   URL of the database that is in use; its role may replicate and owns the tables
#   TARGET   URL of the database to come, migrated to the same version and otherwise unused
#   REACH    how TARGET's server reaches SOURCE, if not by the same URL; files are that server's
#   REACH_BACK  the other way round, for reverse
#   ROLE     the role that the application logs in as, if not the one of SOURCE
#
#   failover.sh prepare   publish, subscribe, copy what is there
#   failover.sh status    tables still being copied, and how many bytes the target is behind
#   failover.sh freeze    make the source read-only: capture goes on into its spool
#   failover.sh cutover   wait for the last byte, set sequences, compare every table, let go
#   failover.sh reverse   after cutover: empty the old one and replicate back to it from the new one
#   failover.sh thaw      give up: let the source write again, drop what prepare made
set -euo pipefail

NAME=leadgen_failover
: "${SOURCE:?set SOURCE to the URL of the database in use}"
: "${TARGET:?set TARGET to the URL of the database to come}"
REACH=${REACH:-$SOURCE}
PATIENCE=${PATIENCE:-3600}
# Both servers must write values in one way, or equal rows would differ.
export PGOPTIONS="-c TimeZone=UTC -c DateStyle=ISO,MDY -c IntervalStyle=postgres \
-c extra_float_digits=1 -c bytea_output=hex -c default_transaction_read_only=off -c role=none"

ask() { psql -XAtq -v ON_ERROR_STOP=1 "$1" -c "$2"; }
say() { printf '%s\n' "$*"; }
fail() {
  printf 'failover: %s\n' "$*" >&2
  exit 1
}

TABLES="FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
  AND c.relname <> 'django_migrations'"

tables() { ask "$1" "SELECT string_agg(c.oid::regclass::text, ', ' ORDER BY c.relname) $TABLES"; }

migrations() { ask "$1" "SELECT app, name FROM django_migrations ORDER BY 1, 2"; }

# A line "table|rows|checksum" for each table; what manage.py move compares, too.
contents() {
  local sql
  sql=$(ask "$1" "
    SELECT string_agg(format('SELECT %L, count(*), coalesce(sum((''x'' || left(md5(ROW(%s)::text),
      15))::bit(60)::bigint), 0) FROM %s', c.relname, (
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attname) FROM pg_attribute
        WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
      ), c.oid::regclass), ' UNION ALL ' ORDER BY c.relname) $TABLES") || return 1
  [ -n "$sql" ] || fail "there are no tables."
  ask "$1" "$sql"
}

occupied() {
  contents "$1" | awk -F'|' '$2 > 0 && $1 !~ /^(auth_permission|django_content_type)$/ {print $1}'
}

check() {
  [ "$(ask "$SOURCE" 'SHOW wal_level')" = logical ] ||
    fail "the source's wal_level is not logical: set it and restart that server."
  [ "$(migrations "$SOURCE")" = "$(migrations "$TARGET")" ] ||
    fail "source and target are not of one version: run manage.py migrate on both."
  local bare
  bare=$(ask "$SOURCE" "SELECT string_agg(c.relname, ', ') $TABLES AND NOT EXISTS
    (SELECT FROM pg_index WHERE indrelid = c.oid AND indisprimary)")
  [ -z "$bare" ] || fail "without a primary key a table cannot be replicated: $bare"
}

subscribe() { # from, to (which is emptied), how 'from' is reached
  if enabled "$2"; then fail "replicating already: failover.sh status"; fi
  # One that is not enabled was begun before and killed: go on with it.
  if ! subscribed "$2"; then
    ask "$1" "DROP PUBLICATION IF EXISTS $NAME"
    ask "$1" "CREATE PUBLICATION $NAME FOR TABLE $(tables "$1")"
    ask "$2" "CREATE SUBSCRIPTION $NAME CONNECTION '${3//\'/\'\'}' PUBLICATION $NAME
      WITH (enabled = false)" || {
      ask "$1" "DROP PUBLICATION $NAME"
      fail "the one to come cannot subscribe to the one in use: see REACH and REACH_BACK."
    }
  fi
  ask "$2" "TRUNCATE $(tables "$2")"
  ask "$2" "ALTER SUBSCRIPTION $NAME ENABLE"
}

subscribed() { # there, and whether only an enabled one counts
  [ "$(ask "$1" "SELECT count(*) FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
    WHERE d.datname = current_database() AND s.subname = '$NAME' AND (s.subenabled OR ${2:-true})")" = 1 ]
}

enabled() { subscribed "$1" false; }

published() { # there
  [ "$(ask "$1" "SELECT count(*) FROM pg_publication WHERE pubname = '$NAME'")" = 1 ]
}

prepare() {
  check
  local found
  found=$(occupied "$TARGET" | tr '\n' ' ')
  [ -z "$found" ] || fail "the target is not empty: $found"
  # What migrate put there comes over again.
  subscribe "$SOURCE" "$TARGET" "$REACH"
  say "Replicating. Watch it with: failover.sh status"
}

copying() { ask "$TARGET" "SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r'"; }

behind() { # how many bytes before the given place of the source's log; now, if none is given
  ask "$SOURCE" "SELECT greatest(0, pg_wal_lsn_diff(${1:-pg_current_wal_lsn()},
    confirmed_flush_lsn))::bigint FROM pg_replication_slots WHERE slot_name = '$NAME'"
}

status() {
  enabled "$TARGET" || fail "nothing is replicated: failover.sh prepare (or reverse) first."
  local behind
  behind=$(behind)
  [ -n "$behind" ] || fail "the source has no replication slot $NAME: failover.sh thaw, empty the target, then prepare."
  say "$(copying) tables are still being copied, $behind bytes behind"
}

sessions() {
  printf "FROM pg_stat_activity WHERE datname = current_database() AND usename = '%s' %s" "$1" \
    "AND coalesce(backend_type, 'client backend') = 'client backend' AND pid <> pg_backend_pid()"
}

# Who else may write, but superusers, who are the provider's.
strangers() {
  local found
  found=$(ask "$SOURCE" "SELECT string_agg(DISTINCT usename, ' ') FROM pg_stat_activity
    JOIN pg_roles ON pg_roles.oid = usesysid WHERE datname = current_database()
    AND usename <> '$(role)' AND pid <> pg_backend_pid() AND NOT rolsuper
    AND coalesce(backend_type, 'client backend') = 'client backend'
    AND has_table_privilege(usesysid, 'capture_submission', 'INSERT')") || return 1
  [ -z "$found" ] || fail "others who may write are connected, end them or set ROLE: $found"
  [ "$(ask "$SOURCE" "SELECT has_table_privilege('$(role)', 'capture_submission', 'INSERT')")" = t ] ||
    fail "ROLE $(role) may not write here: it is not the one that the application logs in as."
}

role() { say "${ROLE:-$(ask "$SOURCE" 'SELECT session_user')}"; }

database() { ask "$1" 'SELECT quote_ident(current_database())'; }

freeze() {
  local role since
  strangers
  role=$(role)
  ask "$SOURCE" "ALTER ROLE \"$role\" IN DATABASE $(database "$SOURCE")
    SET default_transaction_read_only = on"
  since=$(ask "$SOURCE" 'SELECT clock_timestamp()')
  while [ "$(ask "$SOURCE" "SELECT count(pg_terminate_backend(pid)) $(sessions "$role")
    AND coalesce(backend_start, '-infinity') <= '$since'")" != 0 ]; do sleep 0.1; done
  say "The source is read-only for $role; submissions go to the spool. Next: failover.sh cutover"
}

unfreeze() {
  local role
  role=$(role)
  ask "$SOURCE" "ALTER ROLE \"$role\" IN DATABASE $(database "$SOURCE")
    RESET default_transaction_read_only"
  ask "$SOURCE" "SELECT count(pg_terminate_backend(pid)) $(sessions "$role")" >/dev/null
}

frozen() {
  ask "$SOURCE" "SELECT EXISTS (SELECT FROM pg_db_role_setting s
    JOIN pg_database d ON d.oid = s.setdatabase JOIN pg_roles r ON r.oid = s.setrole
    WHERE d.datname = current_database() AND r.rolname = '$(role)'
    AND 'default_transaction_read_only=on' = ANY (s.setconfig))"
}

catch_up() {
  local place start=$SECONDS
  [ -n "$(behind)" ] || fail "the source has no replication slot $NAME: failover.sh thaw, empty the target, then prepare."
  place=$(ask "$SOURCE" 'SELECT pg_current_wal_lsn()')
  until [ "$(copying)" = 0 ] && [ "$(behind "'$place'")" = 0 ]; do
    [ $((SECONDS - start)) -lt "$PATIENCE" ] || fail "the target does not catch up: failover.sh status"
    sleep 0.2
  done
}

# Logical replication does not carry them before PostgreSQL 19.
sequences() {
  local sql
  sql=$(ask "$SOURCE" "SELECT string_agg(format('SELECT setval(%L, %s, %L)',
    format('%I.%I', schemaname, sequencename), coalesce(last_value, start_value),
    last_value IS NOT NULL), '; ' ORDER BY sequencename)
    FROM pg_sequences WHERE schemaname = 'public'")
  [ -n "$sql" ] || fail "the source's sequences cannot be read."
  ask "$TARGET" "$sql" >/dev/null
}

compare() {
  local here there
  here=$(contents "$SOURCE")
  there=$(contents "$TARGET")
  if [ "$here" != "$there" ]; then
    diff <(say "$here") <(say "$there") >&2 || true
    fail "the tables above differ; the source is still whole: failover.sh thaw"
  fi
  say "$here" | awk -F'|' '{printf "%12d  %s, the same on both ends\n", $2, $1}'
}

# What tells reverse that these two were cut over, and nothing else does.
mark() {
  ask "$SOURCE" "COMMENT ON TABLE capture_submission IS '$1'"
  ask "$TARGET" "COMMENT ON TABLE capture_submission IS '$1'"
}

marked() { ask "$1" "SELECT obj_description('capture_submission'::regclass, 'pg_class')"; }

let_go() {
  subscribed "$TARGET" || return 0
  if [ -z "$(behind)" ]; then # its slot is gone, and would be looked for
    ask "$TARGET" "ALTER SUBSCRIPTION $NAME DISABLE"
    ask "$TARGET" "ALTER SUBSCRIPTION $NAME SET (slot_name = NONE)"
  fi
  ask "$TARGET" "DROP SUBSCRIPTION $NAME"
}

cutover() {
  [ "$(frozen)" = t ] || fail "the source can still be written: failover.sh freeze first."
  published "$SOURCE" || fail "nothing is replicated: failover.sh prepare first."
  # A cutover that was killed may have let go of one end already.
  if subscribed "$TARGET"; then catch_up; fi
  compare
  strangers
  sequences
  mark "cut over $(date -u +%FT%TZ) $RANDOM"
  let_go
  ask "$SOURCE" "DROP PUBLICATION $NAME"
  say "Nothing is missing. Next: manage.py rebase_events on the target, then start everything there."
}

reverse() {
  # The old one is emptied: only when it has been given up, and all of it is in the new one.
  if [ "$(frozen)" != t ] || published "$SOURCE" || subscribed "$TARGET"; then
    fail "the old one is still in use: failover.sh cutover first."
  fi
  local mark
  mark=$(marked "$SOURCE")
  [ -n "$mark" ] && [ "$mark" = "$(marked "$TARGET")" ] ||
    fail "these two have not been cut over: failover.sh cutover first."
  [ "$(migrations "$SOURCE")" = "$(migrations "$TARGET")" ] ||
    fail "the two are not of one version: run manage.py migrate on the old one."
  [ "$(ask "$TARGET" 'SHOW wal_level')" = logical ] || fail "the target's wal_level is not logical."
  # Its own processes must be stopped by now: only the replication may write there.
  [ "$(ask "$SOURCE" "SELECT count(*) $(sessions "$(role)")")" = 0 ] ||
    fail "the old deployment is still connected: stop it first."
  subscribe "$TARGET" "$SOURCE" "${REACH_BACK:-$TARGET}"
  mark ''
  unfreeze
  say "Replicating back. From now on give SOURCE and TARGET exchanged: status; to return freeze, cutover."
}

thaw() {
  if subscribed "$SOURCE"; then fail "the source follows another: it is not the one in use."; fi
  unfreeze
  let_go
  mark ''
  ask "$SOURCE" "DROP PUBLICATION IF EXISTS $NAME"
  say "The source can be written again; the target is of no use any more."
}

case "${1:-}" in
prepare | status | freeze | cutover | reverse | thaw) "$1" ;;
*) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" && exit 2 ;;
esac
