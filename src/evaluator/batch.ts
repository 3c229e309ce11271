import type { FastifyInstance } from 'fastify';
import { LIMITS } from '../wire/limits.ts';
import { AnswerTexts, asciiJson } from './answer-texts.ts';
import { evaluateAll, heldBy } from './evaluate-all.ts';
import { isObject, objectBody } from './json-body.ts';
import type { EvaluatorPorts } from './ports.ts';
import { invalid, Refusal } from './refusal.ts';

/**
 * `POST /evaluate { units, attributes, keys? }`: many flags at once. Units and attributes are one context; of two of one name
 * the unit counts. Without keys: all flags.
 */
export function registerBatch(app: FastifyInstance, ports: EvaluatorPorts): void {
  const texts = new AnswerTexts();
  app.post('/evaluate', (request, reply) => {
    const held = heldBy(ports);
    ports.tracing?.answeredBy(request, held.compiled);
    const body = objectBody(request.body);
    const keys = keysOf(body.keys) ?? held.compiled.flags.keys();
    const context = { ...mapOf(body, 'attributes'), ...mapOf(body, 'units') };
    const flags = evaluateAll(ports, held, texts, { keys, context, nowMs: ports.clock.now() });
    const { flagSetId, revision } = held.compiled;
    const { stale } = ports.holder;
    const about = asciiJson({ flagSetId, revision, ...(stale && { stale }) }).slice(0, -1);
    return reply.header('content-type', 'application/json; charset=utf-8').send(`${about},"flags":${flags}}`);
  });
}

function mapOf(body: Readonly<Record<string, unknown>>, name: 'attributes' | 'units') {
  const map = body[name] ?? {};
  if (!isObject(map)) throw invalid(`${name} must be an object`, 'INVALID_CONTEXT');
  return map;
}

function keysOf(keys: unknown): readonly string[] | undefined {
  if (keys === undefined) return undefined;
  if (!Array.isArray(keys)) throw invalid('keys must be a list of texts');
  if (keys.length > LIMITS.batch) {
    const how = { status: 413, errorCode: 'GENERAL' } as const;
    throw new Refusal('SLUICE_REQUEST_TOO_LARGE', `keys must be at most ${LIMITS.batch}`, how);
  }
  if (!keys.every((key) => typeof key === 'string')) throw invalid('keys must be a list of texts');
  return keys;
}
