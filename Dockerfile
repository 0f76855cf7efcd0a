# Three stages: the bundle, the packages it needs at run time, and the image that holds only those two.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY packages ./packages
RUN npm ci
COPY tsconfig.json nest-cli.json rspack.config.mjs ./
COPY scripts ./scripts
COPY libs ./libs
COPY apps ./apps
RUN npm run build

FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY packages ./packages
RUN npm ci --omit=dev && npm cache clean --force

FROM node:24-slim
ENV NODE_ENV=production \
    NODE_COMPILE_CACHE=/tmp/node-compile-cache \
    DATA_DIR=/data \
    HOST=0.0.0.0 \
    PORT=3000
WORKDIR /app
# Postgres will not run as root and neither should a server; the user comes with the image.
RUN mkdir /data && chown node:node /data && chmod 700 /data
# The operator's tool: `docker compose exec parley parley doctor`.
RUN printf '#!/bin/sh\nexec node --enable-source-maps /app/dist/apps/cli/main.js "$@"\n' > /usr/local/bin/parley \
  && chmod 755 /usr/local/bin/parley
COPY package.json LICENSE ./
COPY --from=packages /app/node_modules ./node_modules
COPY --from=packages /app/packages ./packages
COPY --from=build /app/dist ./dist
USER node
VOLUME /data
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/live`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Without npm or a shell in between, the server itself gets the signal to stop.
CMD ["node", "--enable-source-maps", "--max-semi-space-size=64", "dist/apps/standalone/main.js"]
