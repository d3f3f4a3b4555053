# The version is the one of rust-toolchain.toml: with another, rustup would fetch it during the build.
FROM rust:1.95.0-bookworm AS build
WORKDIR /build
COPY . .
# Downloads and dependencies survive in caches, so only what changed is compiled again; the binary leaves the cache.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --locked --profile dist --bin secretaria \
    && install -D target/dist/secretaria /out/secretaria

FROM debian:bookworm-slim
# Root certificates for the providers. Their version follows the base image: an old list is worse than an unpinned one.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin secretaria
COPY --from=build /out/secretaria /usr/local/bin/secretaria
# Writes no file of its own: runs with a read-only root and no capability.
USER 10001:10001
WORKDIR /
STOPSIGNAL SIGTERM
EXPOSE 8080
# No HEALTHCHECK here: the roles listen on different ports. docker-compose.yml has one for each.
ENTRYPOINT ["secretaria"]
CMD ["--help"]
