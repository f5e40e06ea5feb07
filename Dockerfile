# The service in one image: `payroll serve`, `worker`, `migrate`, and the simulators. Runs as a user without rights; data in /data, the master key in /keys.
# For a build that repeats to the byte, replace the tag by its digest: docker buildx imagetools inspect python:3.13.9-slim-bookworm

FROM python:3.13.9-slim-bookworm AS build
WORKDIR /srv
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
RUN python -m venv /srv/.venv
COPY requirements.lock ./
RUN .venv/bin/pip install --require-hashes --only-binary :all: --no-deps -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY importers importers
COPY reconciliation reconciliation
COPY connectors connectors
COPY payroll_api payroll_api
RUN .venv/bin/pip install --no-deps --no-index --no-build-isolation .

FROM python:3.13.9-slim-bookworm
RUN groupadd --gid 10001 payroll \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin payroll \
    && install -d -o payroll -g payroll -m 0700 /data /keys
COPY --from=build --chown=root:root /srv/.venv /srv/.venv
ENV PATH=/srv/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PAYROLL_DATA_DIR=/data
USER 10001:10001
WORKDIR /data
VOLUME ["/data", "/keys"]
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["payroll"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000", "--no-worker"]
