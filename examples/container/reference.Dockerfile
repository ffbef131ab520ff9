# The reference server with its model in a container, for processors. From the root of this repository:
#   docker build -f examples/container/reference.Dockerfile -t local-dream-reference --build-arg TORCH_INDEX=ADDRESS .
# ADDRESS is that of PyTorch's builds for processors (docs/install.md); without it pip may take one for graphics cards.
#   docker run --rm --read-only --cap-drop ALL --tmpfs /tmp -p 127.0.0.1:8081:8081 local-dream-reference
# Options of `local-dream serve` follow the name of the image. /tmp holds what OpenVINO compiles, some 100 MB.
FROM python:3.12-slim
ARG TORCH_INDEX=
RUN python -m pip install --no-cache-dir --disable-pip-version-check torch==2.13.0 ${TORCH_INDEX:+--index-url "$TORCH_INDEX"}
COPY pyproject.toml README.md LICENSE /source/
COPY spec /source/spec
COPY conformance /source/conformance
COPY mockserver /source/mockserver
COPY reference_engine /source/reference_engine
RUN python -m pip install --no-cache-dir --disable-pip-version-check "/source[reference]" /source/reference_engine/models
USER nobody
ENV HOME=/tmp PYTHONDONTWRITEBYTECODE=1 HF_HUB_OFFLINE=1
EXPOSE 8081
ENTRYPOINT ["local-dream", "serve", "--host", "0.0.0.0"]
