#!/usr/bin/env bash
# Backs up the host while it works: ops/compose/backup.sh FOLDER
#   postgres.tar.gz  all four databases as they were at one moment, which four dumps would not be
#   keys.tar         keys and passwords; without them nobody can read who the clients are. Keep it elsewhere.
# Kafka is not backed up: it is the road, Postgres is the record. COMPOSE may say how to call compose.
set -euo pipefail
compose=${COMPOSE:-docker compose}
folder=${1:?usage: ops/compose/backup.sh FOLDER}
umask 077
mkdir -p "$folder"
if [ -e "$folder/postgres.tar.gz" ]; then
  echo "backup: $folder holds a backup already; choose a new folder." >&2
  exit 1
fi

$compose exec -T postgres bash -c 'PGPASSWORD=$(cat "$POSTGRES_PASSWORD_FILE") pg_basebackup --host=127.0.0.1 \
  --username=postgres --pgdata=- --format=tar --wal-method=fetch --gzip --checkpoint=fast' \
  </dev/null >"$folder/postgres.tar.gz.part"
gzip --test "$folder/postgres.tar.gz.part"
$compose run --rm --no-deps -T --entrypoint tar careroute -C /run/secrets -c . </dev/null >"$folder/keys.tar"
tar --list --file "$folder/keys.tar" | grep keys/signing-key.json >/dev/null
mv "$folder/postgres.tar.gz.part" "$folder/postgres.tar.gz"
echo "backup: $(du -sh "$folder" | cut -f1) in $folder"
