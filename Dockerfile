# What `npm run image -- build NAME` makes without Docker, for those who have it (not tried for want of an engine):
#   docker build --build-arg NAME=operator .
ARG NODE=24.21.0
FROM node:${NODE}-bookworm-slim AS build
ARG NAME=operator
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm install --no-save
COPY . .
RUN node hack/image.ts bundle ${NAME} /app

FROM node:${NODE}-bookworm-slim
ARG NAME=operator
COPY --from=build /app /app
# As nodeEnv in hack/image/node-image.ts, which says why.
ENV NODE_ENV=production NODE_OPTIONS=--max-semi-space-size=4 PROGRAM=/app/${NAME}.mjs \
  MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=131072 MALLOC_TRIM_THRESHOLD_=131072
USER 65532:65532
ENTRYPOINT ["sh", "-c", "exec node $PROGRAM \"$@\"", "--"]
