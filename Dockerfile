# One image for the four services and the operator's command line; docker-compose.yml says which it is to be.
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS packages
WORKDIR /build
COPY requirements/operator.txt .
# Wheels only, each by its hash. What only the packages' own tests and compilers need stays behind.
RUN python -m venv --without-pip /opt/careroute \
 && python -m pip --python /opt/careroute/bin/python install --quiet --no-cache-dir --disable-pip-version-check \
    --root-user-action=ignore --require-hashes --only-binary :all: -r operator.txt \
 && find /opt/careroute -depth -type d \( -name tests -o -name include \) -path '*/site-packages/*' \
    -exec rm -rf {} +
COPY shared /app/shared
COPY services /app/services
COPY careroute /app/careroute
COPY examples /app/examples
RUN python -m compileall -q /app

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="careroute" \
      org.opencontainers.image.description="Mental-health referrals, seen through to a person"
# Volumes mounted here take over their owner, so that no container has to start as root.
RUN groupadd --gid 10001 careroute && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin careroute \
 && install -d -o careroute -g careroute -m 0755 /run/secrets /keys /keys/operator /keys/postgres /keys/kafka \
    /keys/intake /keys/triage /keys/matching /keys/notify
COPY --from=packages /opt/careroute /opt/careroute
COPY --from=packages /app /app
ENV PATH=/opt/careroute/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/app
WORKDIR /app
USER 10001:10001
EXPOSE 8000
# Ready says that Postgres and Kafka are there and the work is handed out, not only that a process lives.
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=6 CMD ["python", "-IS", "-c", "\
import socket; s = socket.create_connection(('127.0.0.1', 8000), 4); s.settimeout(4); \
s.sendall(b'GET /health/ready HTTP/1.0\\r\\n\\r\\n'); raise SystemExit(b' 200 ' not in s.recv(64))"]
ENTRYPOINT ["python", "-m"]
CMD ["careroute", "--help"]
