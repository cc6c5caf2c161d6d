# The daemon in a container. Data live in a volume:
#   docker build -t crypto-lakehouse .
#   docker run -d --name lakehouse --stop-timeout 90 -v lakehouse-data:/lakehouse/data crypto-lakehouse
#   docker exec lakehouse lakehouse status
#   docker kill --signal HUP lakehouse        # read settings and definitions again
FROM node:24-bookworm-slim AS build
WORKDIR /lakehouse
COPY . .
# Builds as well (`prepare`); then what only building needs goes.
RUN npm ci && npm prune --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
ENV NODE_ENV=production PATH=/lakehouse/bin:$PATH
WORKDIR /lakehouse
COPY --from=build --chown=node:node /lakehouse /lakehouse
RUN ln -s lakehouse.js bin/lakehouse && mkdir data && chown node:node data
USER node
VOLUME /lakehouse/data
# SIGTERM lets what is running finish.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "bin/lakehouse.js"]
CMD ["daemon"]
