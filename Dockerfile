# The image of the sample application: a static program, and nothing else that could be attacked or would have to be updated.
# docs/image.md says how it is built and pushed. Base images are pinned by version, not by digest: nobody here could verify one.

# The version of `rust-toolchain.toml`, which a test compares. Alpine's target is musl, whose programs are static.
FROM rust:1.95.0-alpine AS build
WORKDIR /source
COPY . .
# What cargo fetches and builds stays with the builder, so that the next image takes seconds; the program is moved out of there.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/source/target \
    cargo build --locked --release --package sample-app --features tls \
    && cp target/release/sample-app /sample-app

FROM scratch
# With them `PGSSLMODE=verify-full` verifies databases whose certificates are signed by a public authority.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /sample-app /sample-app
ENV HOST=0.0.0.0 PORT=8080
EXPOSE 8080
# By number, since nothing here gives numbers names; Kubernetes takes no name for proof that it is not root.
USER 65532:65532
# No HEALTHCHECK: it would need a program that asks. Load balancers, kubelet and Nomad ask `/readyz` from outside.
ENTRYPOINT ["/sample-app"]
