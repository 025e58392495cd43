# Imprint in a container: on the CPU, or with `--build-arg TORCH_BACKEND=auto` (or cu130, …) for NVIDIA GPUs.
FROM python:3.12-slim

# A C compiler speeds training up: its kernels are compiled on first use.
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*

WORKDIR /src
COPY . .
# uv chooses the build of torch; the default one for Linux would bring gigabytes of CUDA.
ARG TORCH_BACKEND=cpu
RUN pip install --no-cache-dir uv \
    && uv pip install --system --no-cache --torch-backend "$TORCH_BACKEND" --constraint constraints.txt '.[app]' \
    && imprint setup && rm -rf /src/*

RUN useradd --create-home imprint && install --directory --owner imprint --mode 700 /home/imprint/data
USER imprint
# It listens for other machines, and so needs a token: docker run -e IMPRINT_TOKEN=… -p 127.0.0.1:8501:8501 imprint
# (at least 16 characters, for example from `openssl rand -hex 16`; without one it ends with a sentence about it).
WORKDIR /home/imprint
ENV IMPRINT_HOME=/home/imprint/data IMPRINT_HOST=0.0.0.0
VOLUME /home/imprint/data
EXPOSE 8501
CMD ["imprint", "app"]
