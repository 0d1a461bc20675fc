# The bridge and its command line in a small image:
#   docker build -t rowcast .
#   docker run -p 8080:8080 -e DATABASE_URL=... -v ./bridge.yaml:/etc/rowcast/bridge.yaml:ro rowcast
# where bridge.yaml has `server: {listen: 0.0.0.0:8080}`: the default is the container's own loopback.
FROM debian:12 AS build
WORKDIR /rowcast
COPY scripts/setup scripts/build scripts/
RUN scripts/setup build
COPY . .
RUN scripts/build --no-setup && strip --strip-unneeded build/release/rowcast

FROM debian:12-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates curl libboost-url1.81.0 libpqxx-6.4 libprometheus-cpp-core1.0 librhonabwy1.1 libspdlog1.10 libssl3 libsystemd0 libyaml-cpp0.7 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin rowcast
COPY --from=build /rowcast/build/release/rowcast /usr/local/bin/rowcast
USER rowcast
EXPOSE 8080
# Alive, not ready: a bridge that waits for its database must not be restarted for it.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["curl", "--fail", "--silent", "--output", "/dev/null", "http://127.0.0.1:8080/healthz"]
ENTRYPOINT ["rowcast"]
CMD ["serve", "--config", "/etc/rowcast/bridge.yaml"]
