import { z } from 'zod';
import { operatorConfigSchema } from '../src/api/operator-config.ts';

type JsonSchema = Readonly<Record<string, unknown>>;

const text: JsonSchema = { type: 'string' };
const name: JsonSchema = { type: 'string', minLength: 1 };
const flag: JsonSchema = { type: 'boolean' };
const seconds = (minimum: number, maximum: number): JsonSchema => ({ type: 'integer', minimum, maximum });
const texts: JsonSchema = { type: 'object', additionalProperties: text };
/** Parts of a pod that the API server judges. */
const anyObject: JsonSchema = { type: 'object' };
const anyObjects: JsonSchema = { type: 'array', items: anyObject };

/** An object with these fields only, all of which values.yaml sets. */
function fields(properties: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return { type: 'object', additionalProperties: false, required: Object.keys(properties), properties };
}

/** The schema of the chart's values. Configuration of the operator comes from the schema by which the operator reads it. */
export function chartSchema(): JsonSchema {
  const { redis = {}, ...config } = operatorConfig();
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the chart sluice',
    ...fields({
      image: fields({
        repository: name,
        tag: text,
        pullPolicy: { enum: ['Always', 'IfNotPresent', 'Never'] },
      }),
      imagePullSecrets: { type: 'array', items: fields({ name }) },
      replicas: { type: 'integer', minimum: 1, maximum: 10 },
      crds: fields({ upgrade: flag }),
      ...config,
      redis: redisValues(redis),
      presets: fields({ install: flag }),
      metrics: fields({
        readSecrets: flag,
        annotations: flag,
        podMonitor: fields({
          enabled: flag,
          labels: texts,
          interval: { type: 'string', pattern: '^[0-9]+(ms|s|m|h)$' },
        }),
      }),
      gate: fields({ timeoutSeconds: seconds(1, 30), excludedNamespaces: { type: 'array', items: name } }),
      injection: fields({ resources: anyObject }), // the image is the operator's own
      evaluator: fields({
        enabled: flag,
        replicas: { type: 'integer', minimum: 1, maximum: 100 },
        flagSet: { type: 'string', maxLength: 63, pattern: '^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$' },
        clients: fields({ keysSecret: text, keysKey: name, origins: { type: 'array', items: text } }),
        env: anyObjects,
        resources: anyObject,
      }),
      uninstall: fields({ deleteRollouts: flag, deleteRulesets: flag, timeoutSeconds: seconds(30, 86_400) }),
      rbac: fields({ aggregate: flag }),
      flowControl: fields({ enabled: flag, priorityLevel: name }),
      resources: anyObject,
      podAnnotations: texts,
      podLabels: texts,
      nodeSelector: texts,
      tolerations: anyObjects,
      affinity: anyObject,
      priorityClassName: text,
      global: anyObject, // Helm hands it to every chart
    }),
    required: ['image', 'replicas', 'prometheus', 'defaultGuardrails', 'log', 'gate', 'metrics'],
  };
}

/** The operator has files where the chart has keys of a Secret. */
function redisValues({ properties }: JsonSchema): JsonSchema {
  const { url, keyPrefix } = properties as Record<'url' | 'keyPrefix', JsonSchema>;
  const none: JsonSchema = { const: '' };
  return fields({ url: { anyOf: [none, url] }, existingSecret: text, passwordKey: text, caKey: text, keyPrefix });
}

function operatorConfig(): Record<string, JsonSchema> {
  const schema = z.toJSONSchema(operatorConfigSchema, { target: 'draft-7', io: 'input', unrepresentable: 'any' });
  return schema.properties as Record<string, JsonSchema>;
}
