import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { INJECT_ENABLED, INJECT_LABEL } from '../../src/api/names.ts';
import { repositoryDir } from '../cluster/paths.ts';

/** Objects as they stand in the examples. */
interface Manifest {
  readonly metadata: { readonly name: string; labels?: Record<string, string>; namespace?: string };
  // biome-ignore lint/suspicious/noExplicitAny: a Deployment of our own example
  readonly spec: any;
}

const example = (path: string): string => readFileSync(join(repositoryDir, 'examples', path), 'utf8');

/** The example shop with an evaluator beside each pod, for flags alone: no Rollout holds it, no route leads to it. */
export function flagShop(namespace: string, image: string, replicas: number): object {
  const shop: Manifest = parse(example('shop/manifests/deployment.yaml'));
  const { template } = shop.spec;
  const [app] = template.spec.containers;
  const env = app.env.filter(({ name }: { name: string }) => name !== 'READY_AFTER_MS' && name !== 'DRAIN_MS');
  Object.assign(app, { image, env: [...env, { name: 'DRAIN_MS', value: '500' }] });
  template.metadata.labels[INJECT_LABEL] = INJECT_ENABLED;
  return { ...shop, metadata: { name: 'shop', namespace }, spec: { ...shop.spec, replicas } };
}

/** All example flags, in one namespace. */
export function exampleFlags(namespace: string): object[] {
  const files = readdirSync(join(repositoryDir, 'examples/flags')).filter((file) => file.endsWith('.yaml'));
  const documents = files.flatMap((file) => parseAllDocuments(example(`flags/${file}`)));
  const flags = documents.map((document) => document.toJS() as Manifest);
  return flags.map((flag) => ({ ...flag, metadata: { ...flag.metadata, namespace } }));
}
