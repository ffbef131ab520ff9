# The mock server in a container. From the root of this repository:
#   docker build -f examples/container/mock.Dockerfile -t local-dream-mock .
#   docker run --rm --read-only --cap-drop ALL --tmpfs /tmp -p 127.0.0.1:8081:8081 local-dream-mock
# Options of `local-dream mock` follow the name of the image: --fault terminal-missing, --control, ...
FROM python:3.12-slim
COPY pyproject.toml README.md LICENSE /source/
COPY spec /source/spec
COPY conformance /source/conformance
COPY mockserver /source/mockserver
COPY reference_engine/local_dream_reference /source/reference_engine/local_dream_reference
RUN python -m pip install --no-cache-dir --disable-pip-version-check /source
USER nobody
ENV HOME=/tmp PYTHONDONTWRITEBYTECODE=1
EXPOSE 8081
ENTRYPOINT ["local-dream", "mock", "--host", "0.0.0.0"]
