# The gateway's image. `gateway` is the gateway alone; `demo`, the last stage, knows the demo's teams as well.
FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements/core.lock requirements/build.lock requirements/
RUN python -m venv /opt/portico \
    && /opt/portico/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/core.lock \
    && pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore --require-hashes -r requirements/build.lock
COPY pyproject.toml README.md LICENSE ./
COPY fragments fragments
COPY gateway gateway
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /src/wheels . \
    && /opt/portico/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps /src/wheels/*.whl \
    && /opt/portico/bin/portico --help >/dev/null

FROM python:3.13-slim AS gateway
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/portico portico && mkdir -p /etc/portico/teams
COPY --from=build /opt/portico /opt/portico
ENV PATH=/opt/portico/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PORTICO_LISTEN=0.0.0.0:8080 \
    PORTICO_ADMIN=0.0.0.0:8081 \
    PORTICO_STATE=/var/lib/portico \
    PORTICO_MANIFESTS=/etc/portico/teams/*.yaml
WORKDIR /var/lib/portico
USER portico
EXPOSE 8080 8081
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s CMD ["portico", "healthcheck"]
CMD ["portico", "serve"]

FROM gateway AS demo
COPY demo_teams/shell/manifest.yaml /etc/portico/teams/shell.yaml
COPY demo_teams/hotels/manifest.yaml /etc/portico/teams/hotels.yaml
COPY demo_teams/pets/manifest.yaml /etc/portico/teams/pets.yaml
COPY demo_teams/cars/manifest.yaml /etc/portico/teams/cars.yaml
