import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startSidecar, until } from '../../support/sidecar.ts';
import { give, reachNow, sealedWith, TestOperator } from '../../support/stream.ts';

const FLAG = '/ofrep/v1/evaluate/flags/checkout';

let folder: string;
let state: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-follow-'));
  state = join(folder, 'state');
  writeFileSync(join(folder, 'token'), 'good');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The sidecar of the pod `web-1` in `shop`. */
const follow = (address: string, ...more: string[]) =>
  startSidecar([
    ...['--operator', address, '--flag-set', 'shop', '--subscriber', 'web-1'],
    ...['--token-file', join(folder, 'token'), '--state-dir', state, ...more],
  ]);

type Sidecar = Awaited<ReturnType<typeof follow>>;
const metadata = async (sidecar: Sidecar) => (await sidecar.post(FLAG, {})).body.metadata;
const answersBy = (sidecar: Sidecar, revision: number) =>
  until(async () => (await metadata(sidecar))?.version === String(revision));

test('a sidecar follows the stream, says what it runs and was asked for, and answers fresh', async () => {
  const operator = new TestOperator();
  await operator.start();
  const { hub, reach } = reachNow(operator);
  give(hub, sealedWith(1));
  const sidecar = await follow(operator.address);
  await until(() => sidecar.ready());
  expect(await metadata(sidecar)).toEqual({ flagSetId: 'shop', version: '1' });
  give(hub, sealedWith(2));
  await answersBy(sidecar, 2);
  await until(async () => (await reach())?.running[0] === 2);
  expect([...(await reach())!.evaluatedAt.keys()]).toEqual(['checkout']);
  expect(await sidecar.stop()).toBe(0);
  await until(() => hub.subscribers === 0);
});
