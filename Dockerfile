# One node. Built from the packages and the lock files alone (.dockerignore); runs as a user without rights.
FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /opt/build && python -m venv /opt/venv
COPY requirements.txt requirements-build.txt ./
RUN /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements-build.txt \
 && /opt/venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
COPY . .
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
 && /opt/venv/bin/pip install --no-cache-dir --no-deps /dist/*.whl

FROM python:3.13-slim
# /data belongs to the user, so that a fresh volume mounted there does too.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin queue \
 && install -d -o queue -g queue /data
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    QUEUE_AUTH=token \
    QUEUE_HOST=0.0.0.0 \
    QUEUE_PORT=8000 \
    QUEUE_DATABASE_URL=sqlite:////data/queue.db
WORKDIR /data
VOLUME /data
USER queue
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['QUEUE_PORT'] + '/healthz', timeout=2)"]
# exec form: the service is process 1 and gets the stop signal itself.
ENTRYPOINT ["queue-service"]
CMD ["serve"]
