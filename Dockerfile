# Stayhook as an image: the program and nothing else. How to use it: docs/docker.md

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
# What the program is made of; .dockerignore keeps everything else away.
COPY . .
RUN cargo build --release --locked --bin stayhook
# The folder for settings and database, so that a new volume belongs to the user below.
RUN mkdir /data

# The C library, certificates of the world and no shell. Bookworm, as above: the same C library.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /src/target/release/stayhook /usr/local/bin/stayhook
COPY --from=build --chown=65532:65532 /data /data
# A number, so that whoever runs it can see that it is not root.
USER 65532:65532
WORKDIR /data
VOLUME /data
# Inside the container the loopback address reaches nobody. The admin listener stays on it: only `docker exec` gets there.
ENV STAYHOOK_LISTEN=0.0.0.0:8080
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["/usr/local/bin/stayhook", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/stayhook"]
CMD ["serve"]
