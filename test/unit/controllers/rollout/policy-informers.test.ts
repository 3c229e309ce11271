import { setImmediate as settled } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { silent } from '../../../../src/base/logger.ts';
import { seededRandom } from '../../../../src/base/random.ts';
import { PolicyInformers } from '../../../../src/controllers/rollout/policy-informers.ts';
import type { KubeClient } from '../../../../src/kube/client.ts';
import { KubeError } from '../../../../src/kube/kube-error.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

/** In a cluster without Envoy Gateway: how often it is looked for in `minutes`, with these Rollouts that would need it. */
async function looksIn(minutes: number, needing: readonly string[]): Promise<number> {
  let looks = 0;
  const raw = async () => {
    looks += 1;
    throw new KubeError('SLUICE_KUBE_NOT_FOUND', 'no such group', {
      call: 'GET gateway.envoyproxy.io',
      httpStatus: 404,
    });
  };
  const clock = new FakeClock();
  const client = { raw } as unknown as KubeClient;
  const ports = { client, clock, random: seededRandom(1), logger: silent };
  const informers = new PolicyInformers(ports, {
    operatorNamespace: 'sluice-system',
    concerned: () => needing,
    wake: () => {},
    onSecurity: () => {},
    onBreak: () => {},
  });
  onTestFinished(() => informers.stop());
  informers.start();
  for (let halves = 0; halves < 2 * minutes; halves++) {
    await settled(); // the look before
    await clock.advance(30_000);
  }
  expect(informers.sources.isServed()).toBe(false);
  return looks;
}

test('an operator whose Rollouts need no Envoy Gateway looks for it once in ten minutes', async () => {
  expect(await looksIn(9, [])).toBe(1);
  expect(await looksIn(11, [])).toBe(2);
});

test('one with a Rollout that needs it looks twice a minute', async () => {
  expect(await looksIn(9, ['shop/web'])).toBeGreaterThanOrEqual(18);
});
