# syntax=docker/dockerfile:1

# Three images of one build: `migrate` brings a database up to date and ends, `simulator` plays the platform, and the last
# one, built by default, is the service.

FROM node:24-bookworm-slim AS base
WORKDIR /app
ENV CHECKPOINT_DISABLE=1 \
    NO_UPDATE_NOTIFIER=1 \
    PRISMA_HIDE_UPDATE_MESSAGE=1 \
    SCARF_ANALYTICS=false

# Everything, to compile and to migrate with. Prisma looks for OpenSSL when it picks its schema engine, which the install
# step of npm downloads; where that does not happen, the engine inside the npm packages does the same.
FROM base AS build
# The base image's release decides on the version: older ones leave the mirrors.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends openssl \
    && rm -rf /var/lib/apt/lists/*
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build

FROM build AS migrate
USER 1000:1000
CMD ["node", "node_modules/prisma/build/index.js", "migrate", "deploy"]

# What the service needs when it runs. Prisma's command line and TypeScript are peers of @prisma/client that only
# development needs: npm keeps them unless all three kinds are left out.
FROM base AS packages
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --omit=peer --ignore-scripts --no-audit --no-fund

FROM base AS runtime
ENV NODE_ENV=production
COPY --from=packages /app/node_modules ./node_modules
COPY package.json ./
COPY --from=build /app/dist ./dist
# A volume that is mounted here belongs to the service then.
RUN install -d -o 1000 -g 1000 -m 700 /spool
USER 1000:1000

FROM runtime AS simulator
COPY simulator ./simulator
ENV SIMULATOR_HOST=0.0.0.0 \
    SIMULATOR_DATA_DIR=/tmp/simulator
EXPOSE 5671 5672 1883 8883
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["node", "-e", "require('node:net').connect(process.env.SIMULATOR_PORT || 5672, '127.0.0.1').on('connect', () => process.exit(0)).on('error', () => process.exit(1))"]
CMD ["node", "dist/simulator/main.js"]

FROM runtime AS service
# The service compares these with the database's and does not run while some are pending.
COPY prisma/migrations ./prisma/migrations
EXPOSE 3000
# Alive, not ready: a database or platform that is away is no reason to start the service anew.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.HTTP_PORT || 3000}/health/live`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/main.js"]
