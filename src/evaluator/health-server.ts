import fastify, { type FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';

/** Liveness, readiness and metrics of an evaluator, not yet listening. `notReady`: why not, or undefined. */
export function healthServer(notReady: () => string | undefined, registry: Registry): FastifyInstance {
  const app = fastify({ logger: false, bodyLimit: 1024, requestTimeout: 10_000, forceCloseConnections: true });
  app.get('/healthz', async () => 'ok\n');
  app.get('/readyz', async (_request, reply) => {
    const why = notReady();
    return why === undefined ? 'ok\n' : reply.code(503).send(`${why}\n`);
  });
  app.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()));
  return app;
}
