import fastify, { type FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';

export interface ProbePorts {
  /** Why this replica cannot serve yet; undefined when it can. */
  notReady(): string | undefined;
  readonly registry: Registry;
}

/** Health and readiness on one port, metrics on another, so that a NetworkPolicy can tell them apart. */
export async function startProbeServers(
  { notReady, registry }: ProbePorts,
  ports: { readonly healthPort: number; readonly metricsPort: number },
): Promise<{ stop(): Promise<void> }> {
  const health = server();
  health.get('/healthz', async () => 'ok\n');
  health.get('/readyz', async (_request, reply) => {
    const why = notReady();
    return why === undefined ? 'ok\n' : reply.code(503).send(`${why}\n`);
  });
  const metrics = server();
  metrics.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()));
  await health.listen({ host: '0.0.0.0', port: ports.healthPort });
  await metrics.listen({ host: '0.0.0.0', port: ports.metricsPort });
  return { stop: async () => void (await Promise.all([health.close(), metrics.close()])) };
}

const server = (): FastifyInstance =>
  fastify({ logger: false, bodyLimit: 1024, requestTimeout: 10_000, forceCloseConnections: true });
