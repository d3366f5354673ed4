# syntax=docker/dockerfile:1
FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Not `npm ci`: it refuses a lock file that lacks other platforms' native parts.
RUN --mount=type=cache,target=/root/.npm npm install --no-save --include=dev --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json vite.config.ts ./
COPY scripts scripts
COPY src src
# Temporal's native part comes for five platforms, 148 MB: one is needed.
RUN node scripts/build.mjs \
  && npm prune --omit=dev --no-audit --no-fund \
  && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 \
    ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -rf {} +

FROM node:22-bookworm-slim
# Certificates for Temporal Cloud and for http steps; bash is in the image. What your procedures call besides goes into an
# image of your own that begins with this one.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates curl \
  && rm -rf /var/lib/apt/lists/*
COPY --from=build /app/package.json /app/package.json
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/dist /app/dist
COPY sops /sops
RUN ln -s /app/dist/cli/main.js /usr/local/bin/sop \
  && install --directory --owner=node --group=node --mode=0700 /data
ENV NODE_ENV=production SOP_DATA_DIR=/data SOP_DIR=/sops
USER node
WORKDIR /home/node
VOLUME /data
EXPOSE 7780
ENTRYPOINT ["sop"]
CMD ["serve"]
