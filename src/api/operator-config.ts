import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { SluiceError } from '../base/errors.ts';
import { keyedList } from './constraint.ts';
import { guardrailSchema, MOST_GUARDRAILS } from './guardrail.ts';
import { prometheusQuerySchema } from './metric.ts';
import { opaque } from './opaque.ts';
import { problemsOf } from './problem.ts';

const MAX_CONFIG_BYTES = 262_144;

const redisSchema = z
  .strictObject({
    url: z
      .string()
      .max(2_048)
      .regex(
        /^rediss?:\/\/([^:@/?#\s]+@)?[^/?#@\s]+(\/[0-9]{1,3})?$/,
        'must be like rediss://user@host:6379/0, without a password',
      )
      .describe('Redis or Valkey, one server or whatever answers as one; rediss:// is TLS.'),
    passwordFile: z.string().min(1).max(4_096).exactOptional().describe('File that holds the password.'),
    caFile: z.string().min(1).max(4_096).exactOptional().describe('Authorities in PEM, instead of the system’s.'),
    keyPrefix: z
      .string()
      .max(128)
      .regex(/^[^\s{}]*$/, 'must have no spaces and braces')
      .prefault('sluice:')
      .describe('What all keys and the channel begin with.'),
  })
  .describe('Lets all replicas serve evaluators.');

/** What a platform team sets once for the whole cluster: the file /etc/sluice/config.yaml, made from the chart's values. */
export const operatorConfigSchema = z.strictObject({
  prometheus: z
    .strictObject({
      address: prometheusQuerySchema.shape.address.describe('Asked for every metric that names no address of its own.'),
    })
    .prefault({}),
  defaultGuardrails: keyedList(
    z.array(guardrailSchema).max(MOST_GUARDRAILS),
    'name',
    'Added to every Rollout that has no guardrail of the same name.',
  ).prefault([]),
  injection: z
    .strictObject({
      image: z
        .string()
        .min(1)
        .max(1024)
        .optional()
        .describe('Image of the evaluators that labelled pods get. Without it none are put into pods.'),
      imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).prefault('IfNotPresent').describe('As in any pod.'),
      resources: opaque(
        z.record(z.string(), z.json()),
        'Resources of their container, as in any pod.',
        'object',
      ).prefault({}),
    })
    .prefault({}),
  api: z
    .strictObject({
      enabled: z.boolean().prefault(false).describe('Whether flags can be read and changed over HTTP.'),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error']).prefault('info').describe('Least that is told.'),
    })
    .prefault({}),
  redis: redisSchema.exactOptional(),
});

export type OperatorConfig = z.output<typeof operatorConfigSchema>;

/** Reads the text of the file; an empty file means all defaults. Throws SLUICE_CONFIG_INVALID with every problem and its field. */
export function parseOperatorConfig(text: string): OperatorConfig {
  if (text.length > MAX_CONFIG_BYTES) throw invalid(`it is larger than ${MAX_CONFIG_BYTES} bytes`);
  const result = operatorConfigSchema.safeParse(yamlIn(text) ?? {}, { reportInput: true });
  if (result.success) return result.data;
  throw invalid(problemsOf(result.error).map(sentence).join('; '));
}

function yamlIn(text: string): unknown {
  try {
    return parseYaml(text, { maxAliasCount: 0 });
  } catch (cause) {
    throw invalid('it is not YAML', cause);
  }
}

const sentence = ({ path, message }: { path: string; message: string }): string =>
  path ? `${path} ${message}` : message;

const invalid = (why: string, cause?: unknown) =>
  new SluiceError('SLUICE_CONFIG_INVALID', `the operator's configuration cannot be used: ${why}`, {}, cause);
