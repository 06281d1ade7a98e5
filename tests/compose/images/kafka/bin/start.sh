#!/bin/bash
# KAFKA_* to server.properties by the official image's rule: ___ is -, __ is _, _ is a dot.
set -euo pipefail
config=/tmp/server.properties
: >"$config"
while IFS='=' read -r -d '' name value; do
  case $name in
    KAFKA_HEAP_OPTS | KAFKA_OPTS) continue ;;
    KAFKA_*) ;;
    *) continue ;;
  esac
  key=$(sed 's/^KAFKA_//; s/___/\x01/g; s/__/\x02/g; s/_/./g; s/\x02/_/g; s/\x01/-/g' <<<"$name")
  printf '%s=%s\n' "${key,,}" "$value" >>"$config"
done < <(env -0)

java=(java ${KAFKA_HEAP_OPTS:--Xmx512m} ${KAFKA_OPTS:-} -XX:+UseSerialGC -XX:TieredStopAtLevel=1
  -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp '/opt/kafka/libs/*')
"${java[@]}" kafka.tools.StorageTool format --ignore-formatted -t "$CLUSTER_ID" -c "$config"
exec "${java[@]}" kafka.Kafka "$config"
