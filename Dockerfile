# syntax=docker/dockerfile:1
# One image for every role: the command says which (bot, worker gpu, worker io, migrate).

FROM python:3.11-slim AS build
# EXTRAS=ml adds the libraries of the real models; TORCH_INDEX says for which device torch is built,
# https://download.pytorch.org/whl/cu130 for NVIDIA's.
ARG EXTRAS=
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
WORKDIR /src
RUN python -m venv /opt/vitrina
COPY constraints.txt pyproject.toml README.md vitrina.py ./
COPY bot bot
COPY db db
COPY migrations migrations
COPY pipeline pipeline
COPY playground playground
COPY workers workers
RUN /opt/vitrina/bin/pip install --no-cache-dir --constraint constraints.txt \
    ${EXTRAS:+--extra-index-url "$TORCH_INDEX"} ".${EXTRAS:+[$EXTRAS]}"

FROM python:3.11-slim
RUN useradd --create-home --uid 10001 vitrina && install -d -o vitrina /data/images /data/models
COPY --from=build /opt/vitrina /opt/vitrina
ENV PATH=/opt/vitrina/bin:$PATH PYTHONUNBUFFERED=1 LOG_FORMAT=json \
    IMAGES_URL=/data/images MODELS_DIR=/data/models
USER vitrina
WORKDIR /home/vitrina
VOLUME /data/images
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["vitrina", "health"]
ENTRYPOINT ["vitrina"]
CMD ["--help"]
