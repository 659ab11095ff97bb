# syntax=docker/dockerfile:1
# One image for every role: the command says which (bot, worker gpu, worker io, migrate).

FROM python:3.11-slim AS build
WORKDIR /src
RUN python -m venv /opt/vitrina
COPY constraints.txt pyproject.toml README.md vitrina.py ./
COPY bot bot
COPY db db
COPY migrations migrations
COPY pipeline pipeline
COPY playground playground
COPY workers workers
RUN /opt/vitrina/bin/pip install --no-cache-dir --constraint constraints.txt .

FROM python:3.11-slim
RUN useradd --create-home --uid 10001 vitrina && install -d -o vitrina /data/images
COPY --from=build /opt/vitrina /opt/vitrina
ENV PATH=/opt/vitrina/bin:$PATH PYTHONUNBUFFERED=1 LOG_FORMAT=json IMAGES_URL=/data/images
USER vitrina
WORKDIR /home/vitrina
VOLUME /data/images
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["vitrina", "health"]
ENTRYPOINT ["vitrina"]
CMD ["--help"]
