import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { ensureBinary } from '../../hack/cluster/binaries.ts';
import { output } from '../../hack/cluster/command.ts';
import { versions } from '../../hack/cluster/versions.ts';
import type { Manifest } from './manifests.ts';

export const CHART = 'charts/sluice';

/** Runs the real Helm and answers what it said; rejects with its last lines when it fails. */
export async function helm(args: readonly string[], signal: AbortSignal, input = ''): Promise<string> {
  return output(join(await ensureBinary('helm', signal), 'helm'), args, { signal, input });
}

/** The chart's objects with these values (YAML), hooks included. `more`: other arguments of `helm template`. */
export async function render(values: string, signal: AbortSignal, ...more: readonly string[]): Promise<Manifest[]> {
  const place = ['--namespace', 'sluice-system', '--kube-version', versions.kubernetes];
  return objectsIn(await helm(['template', 'sluice', CHART, ...place, ...more, '--values', '-'], signal, values));
}

/** Every object of a YAML stream. */
function objectsIn(text: string): Manifest[] {
  return parseAllDocuments(text).flatMap((document) => document.toJS() ?? []);
}

/** The only object of a kind and name; throws when there is none. */
export function find(objects: readonly Manifest[], kind: string, name: string): Manifest {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined) throw new Error(`no ${kind} ${name}`);
  return found;
}
