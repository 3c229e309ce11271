import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { isMatch } from './entity-tag.ts';
import { heldBy } from './evaluate-all.ts';
import type { EvaluatorPorts } from './ports.ts';
import { Refusal } from './refusal.ts';

const unzip = promisify(gunzip);

/**
 * `GET /config-bundle`: the sealed ruleset, signed as it came, for evaluators in applications. `GET /config-bundle/public-key`: the
 * keys in PEM with which this evaluator checks it.
 */
export function registerConfigBundle(app: FastifyInstance, ports: EvaluatorPorts): void {
  app.get('/config-bundle', async (request, reply) => {
    const { digest, bytes } = heldBy(ports);
    const tag = `"${digest}"`;
    reply.headers({ etag: tag, vary: 'accept-encoding', 'cache-control': 'no-cache' });
    // Also beside a 304: whether there may be a newer one says nothing about this one.
    if (ports.holder.stale) reply.header('sluice-stale', 'true');
    if (isMatch(request.headers['if-none-match'], tag)) return reply.code(304).send();
    reply.header('content-type', 'application/json; charset=utf-8');
    if (!acceptsGzip(request.headers['accept-encoding'])) return reply.send(await unzip(bytes));
    return reply.header('content-encoding', 'gzip').send(Buffer.from(bytes));
  });
  app.get('/config-bundle/public-key', async (_request, reply) => {
    const keys = [...(ports.publicKeys?.().values() ?? [])];
    if (keys.length === 0) throw noKey();
    const pem = keys.map((key) => key.export({ type: 'spki', format: 'pem' })).join('');
    return reply.headers({ 'cache-control': 'no-cache', 'content-type': 'application/x-pem-file' }).send(pem);
  });
}

function acceptsGzip(header: string | string[] | undefined): boolean {
  // Each run of spaces is for one part of the pattern alone: two would try each way to share it.
  return /(^|,)\s*gzip(\s*;\s*q=(1|0\.[0-9]*[1-9]))?\s*(,|$)/.test(String(header ?? ''));
}

const noKey = (): Refusal =>
  new Refusal('SLUICE_REQUEST_INVALID', 'this evaluator has no public key, or not yet', {
    status: 404,
    errorCode: 'GENERAL',
  });
