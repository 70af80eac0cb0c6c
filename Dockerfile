# One image for every role; the command chooses the role (README.md, "Configuration").
# Built by tag here; a release names the base by digest: --build-arg BASE=python:3.13-slim-trixie@sha256:…
ARG BASE=python:3.13-slim-trixie

FROM ${BASE} AS packages
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0
COPY requirements/runtime.txt /tmp/
RUN python3 -m venv --without-pip /opt/venv \
 && python3 -m pip --python /opt/venv/bin/python install \
      --no-cache-dir --no-compile --require-hashes \
      --only-binary :all: -r /tmp/runtime.txt
# What nobody reads goes: models of other clouds' services, cities of telephone numbers, countries
# in other languages; that is a third. Byte code that is never compared with its source holds no
# dates, and equal dates make equal layers: a release that changes no package sends none.
RUN cd /opt/venv/lib/python3.13/site-packages \
 && find botocore/data -mindepth 1 -maxdepth 1 -type d ! -name s3 ! -name sts ! -name 'sso*' \
      -exec rm -r {} + \
 && rm -r phonenumbers/geodata pycountry/locales \
 && /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib \
 && mkdir -p /layer/opt && cp -r /opt/venv /layer/opt/ \
 && find /layer -exec touch -h -d @0 {} +


FROM packages AS application
ARG SOURCE_DATE_EPOCH=0
WORKDIR /app
COPY manage.py CHANGELOG.md ./
COPY leadgen leadgen
# Collecting asks no backend, so placeholders do.
RUN SECRET_KEY=only-while-static-files-are-collected ALLOWED_HOSTS=localhost \
    PUBLIC_URL=http://localhost DATABASE_URL=postgresql:// BROKER_URL=memory:// \
    STORAGE_URL=file:///tmp /opt/venv/bin/python manage.py collectstatic -v0 --no-input \
 && /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /app \
 && rm -r /layer && mkdir -p /layer && cp -r /app /layer/ \
 && find /layer -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +


FROM ${BASE}
# The virtual environment has no pip; the base's goes as well.
RUN rm -rf $(python3 -Bc 'import ensurepip, pip; print(*ensurepip.__path__, pip.__path__[0] + "*")') \
      $(which -a pip pip3) /usr/local/bin/pip3.* ~/.cache
COPY --from=packages /layer /
COPY --from=application /layer /

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
  CMD ["python", "-m", "leadgen.processes.heartbeat", "web"]
CMD ["gunicorn", "-c", "python:leadgen.processes.gunicorn_config", "leadgen.asgi:application"]

ARG REVISION=unknown
ARG VERSION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="Leadgen" \
      org.opencontainers.image.description="Captures leads and never loses one." \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.created="${CREATED}"
