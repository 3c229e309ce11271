import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { snapshotOf } from '../../src/rulesets/source.ts';
import type { Flag } from '../../src/wire/flag.ts';
import { type SigningKey, sealRuleset } from '../../src/wire/sealed-ruleset.ts';
import { type FakeCollector, startCollector } from './fake-collector.ts';
import { flagWith, rulesetWith } from './ruleset.ts';
import { type RunningSidecar, startSidecar, until } from './sidecar.ts';

/** A flag that an experiment decides for everybody, half and half. */
export const experimentFlag: Flag = flagWith({
  experiments: [
    {
      key: 'shop/checkout',
      phase: 1,
      admission: {
        unit: 'targetingKey',
        hash: 'murmur3-32/1',
        salt: 'experiment/shop/checkout',
        ranges: [[0, 10_000]],
      },
      arms: {
        unit: 'targetingKey',
        hash: 'murmur3-32/1',
        salt: 'experiment/shop/checkout#1',
        arms: [
          { name: 'control', variant: 'off', end: 5_000 },
          { name: 'treatment', variant: 'on', end: 10_000 },
        ],
      },
    },
  ],
});

export interface ExperimentSidecar {
  readonly sidecar: RunningSidecar;
  /** Where its events arrive. */
  readonly collector: FakeCollector;
  /** Gives it another ruleset, as the kubelet does. */
  mount(flags: Record<string, Flag>, revision: number): void;
}

/** A sidecar as in a pod, with a mounted ruleset of the namespace `shop` and a collector. */
export async function experimentSidecar(
  flags: Record<string, Flag> = { checkout: experimentFlag },
  key?: SigningKey,
  args: readonly string[] = [],
): Promise<ExperimentSidecar> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-experiment-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const boot = join(folder, 'ruleset.json.gz');
  const mount = (given: Record<string, Flag>, revision: number): void => {
    writeFileSync(boot, snapshotOf(sealRuleset({ ...rulesetWith(given), revision }, key)).bytes);
  };
  mount(flags, 7);
  for (const name of ['state', 'events']) mkdirSync(join(folder, name));
  const collector = await startCollector();
  const sidecar = await startSidecar([
    ...['--boot', boot, '--state-dir', join(folder, 'state')],
    ...['--events-dir', join(folder, 'events'), '--collector', collector.url.href, ...args],
  ]);
  await until(() => sidecar.ready());
  return { sidecar, collector, mount };
}
