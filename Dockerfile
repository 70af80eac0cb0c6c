# One image for every role; the command chooses the role (README.md, "Configuration").
# Built by tag here; a release names the base by digest: --build-arg BASE=python:3.13-slim-trixie@sha256:…
ARG BASE=python:3.13-slim-trixie

FROM ${BASE} AS build
ARG SOURCE_DATE_EPOCH=0
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0
WORKDIR /app

COPY requirements/runtime.txt /tmp/
# What nobody reads goes: models of other clouds' services, cities of telephone numbers, countries
# in other languages. That is a third of the image.
RUN python3 -m venv --without-pip /opt/venv \
 && python3 -m pip --python /opt/venv/bin/python install \
      --no-cache-dir --no-compile --require-hashes --only-binary :all: -r /tmp/runtime.txt \
 && cd /opt/venv/lib/python3.13/site-packages \
 && find botocore/data -mindepth 1 -maxdepth 1 -type d ! -name s3 ! -name sts ! -name 'sso*' \
      -exec rm -r {} + \
 && rm -r phonenumbers/geodata pycountry/locales

COPY manage.py CHANGELOG.md ./
COPY leadgen leadgen
# Collecting asks no backend, so placeholders do. Byte code that is never compared with its source
# holds no dates, and equal dates make equal layers.
RUN SECRET_KEY=only-while-static-files-are-collected ALLOWED_HOSTS=localhost \
    PUBLIC_URL=http://localhost DATABASE_URL=postgresql:// BROKER_URL=memory:// \
    STORAGE_URL=file:///tmp /opt/venv/bin/python manage.py collectstatic -v0 --no-input \
 && /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib /app \
 && find /app /opt/venv -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +


FROM ${BASE}
ARG REVISION=unknown
ARG VERSION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="Leadgen" \
      org.opencontainers.image.description="Captures leads and never loses one." \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.created="${CREATED}"

# The venv has no pip; the base's goes as well.
RUN rm -rf /usr/local/lib/python3.13/site-packages/pip* /usr/local/lib/python3.13/ensurepip \
      /usr/local/bin/pip* /root/.cache
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    HEARTBEAT_DIR=/tmp \
    HOST=0.0.0.0 \
    PORT=8000
WORKDIR /app
# Any other id works too: nothing is written but in /tmp and /dev/shm, all else is readable by all.
USER 10001:0
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["python", "-m", "leadgen.heartbeat", "web"]
CMD ["gunicorn", "-c", "python:leadgen.server", "leadgen.asgi:application"]
