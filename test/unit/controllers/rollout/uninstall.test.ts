import { beforeEach, expect, test } from 'vitest';
import { silent } from '../../../../src/base/logger.ts';
import type { DurationMs } from '../../../../src/base/units.ts';
import { uninstall } from '../../../../src/controllers/rollout/uninstall.ts';
import type { KubeClient } from '../../../../src/kube/client.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

interface Listed {
  readonly metadata: { readonly namespace: string; readonly name: string; deletionTimestamp?: string };
}

const signal = AbortSignal.timeout(60_000);
let clock: FakeClock;
let rollouts: Listed[];
let deleted: string[];
let lines: object[];
beforeEach(() => {
  clock = new FakeClock();
  rollouts = [];
  deleted = [];
  lines = [];
});

/** Rollouts that are deleted stay, as those whose finalizer nobody removes. */
function begin(timeoutMs: number): Promise<void> {
  const client = {
    list: async () => ({ items: rollouts.map((one) => structuredClone(one)), resourceVersion: '' }),
    delete: async ({ plural }: { plural: string }, { name }: { name: string }) => {
      deleted.push(`${plural} ${name}`);
      for (const { metadata } of rollouts) if (metadata.name === name) metadata.deletionTimestamp = 'now';
      return true;
    },
  } as unknown as KubeClient;
  const logger = { ...silent, info: (facts: object) => void lines.push(facts) };
  return uninstall({ client, clock, logger, gate: 'sluice-gate' }, timeoutMs as DurationMs, signal);
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('when time is up it fails and names the first Rollouts that are left, and the gate stays', async () => {
  rollouts = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ metadata: { namespace: 'shop', name } }));
  const failed = expect(begin(255_000)).rejects.toMatchObject({
    code: 'SLUICE_UNINSTALL_TIMEOUT',
    message: expect.stringMatching(/: 5 Rollouts .*: shop\/a, shop\/b, shop\/c and 2 more$/),
  });
  await turn();
  await clock.advance(254_000);
  expect(lines.length).toBeGreaterThan(200);
  expect(lines.at(-1)).toEqual({ left: 5, rollouts: ['shop/a', 'shop/b', 'shop/c'] });
  await clock.advance(3_000);
  await failed;
  expect(deleted).toEqual(['a', 'b', 'c', 'd', 'e'].map((name) => `rollouts ${name}`));
});

test('the gate goes once no Rollout is left', async () => {
  rollouts = [{ metadata: { namespace: 'shop', name: 'web' } }];
  const done = begin(255_000);
  await turn();
  await clock.advance(5_000);
  expect(deleted).toEqual(['rollouts web']);
  rollouts = [];
  await clock.advance(1_000);
  await done;
  expect(deleted).toEqual(['rollouts web', 'mutatingwebhookconfigurations sluice-gate']);
});
