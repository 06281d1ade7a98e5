#!/usr/bin/env bash
# Puts back what backup.sh has kept: ops/compose/restore.sh FOLDER --replace
# Everything that is on the host now is removed. Kafka begins empty, and is told again from Postgres what was
# said: nobody does anything twice. Ends with the account of `careroute reconcile`.
set -euo pipefail
compose=${COMPOSE:-docker compose}
folder=${1:?usage: ops/compose/restore.sh FOLDER --replace}
if [ "${2:-}" != --replace ]; then
  echo "restore: this removes all data of the host. Say --replace if that is meant." >&2
  exit 1
fi
gzip --test "$folder/postgres.tar.gz"
tar --list --file "$folder/keys.tar" | grep keys/signing-key.json >/dev/null

$compose --profile '*' down --volumes
$compose run --rm --no-deps -T --entrypoint tar keys -C /keys/operator -x <"$folder/keys.tar"
$compose run --rm --no-deps -T keys </dev/null
$compose run --rm --no-deps -T --user root --entrypoint bash postgres -ec \
  'mkdir -p "$PGDATA"; chmod 700 "$PGDATA"; tar -xz -C "$PGDATA"' <"$folder/postgres.tar.gz"
$compose up --wait --no-build
$compose run --rm --no-deps -T careroute replay --since "${OUTBOX_RETENTION_DAYS:-14}d" </dev/null
$compose run --rm --no-deps -T careroute reconcile --grace 0 </dev/null
