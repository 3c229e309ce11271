import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Clock } from '../../../src/base/clock.ts';
import { silent } from '../../../src/base/logger.ts';
import type { EpochMs } from '../../../src/base/units.ts';
import { evaluate } from '../../../src/core/evaluation/evaluate.ts';
import { fileSource } from '../../../src/evaluator/file-source.ts';
import { RulesetHolder } from '../../../src/rulesets/holder.ts';
import { FakeClock } from '../../support/fake-clock.ts';

let folder: string;
beforeEach(() => {
  const root = mkdtempSync(join(tmpdir(), 'sluice-flags-'));
  folder = join(root, 'flags');
  mkdirSync(folder);
  onTestFinished(() => rmSync(root, { recursive: true }));
});

const write = (text: string, name = 'flags.yaml') => writeFileSync(join(folder, name), text);
const flag = (name: string, serve: 'on' | 'off' = 'off', namespace?: string) => `---
apiVersion: sluice.dev/v1alpha1
kind: FeatureFlag
metadata: { name: ${name}${namespace ? `, namespace: ${namespace}` : ''} }
spec: { type: boolean, variants: { "on": true, "off": false }, offVariant: "off", defaultVariant: "${serve}" }
`;

/** The folder is watched, and looked at when the test says so. */
async function watched() {
  let asleep = Promise.withResolvers<() => void>();
  const clock: Clock = {
    now: () => 0 as EpochMs,
    after: (_ms, run) => {
      asleep.resolve(run);
      return () => {};
    },
  };
  const holder = new RulesetHolder({ clock: new FakeClock(), logger: silent, changesFlagSet: true });
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const options = { paths: [folder], namespace: undefined, watch: true, pollMs: 100 };
  void fileSource(options, { clock, logger: silent }).run((news) => holder.take(news), stop.signal);
  await asleep.promise;
  const look = async () => {
    const wake = await asleep.promise;
    asleep = Promise.withResolvers();
    wake();
    await asleep.promise;
  };
  const served = () => {
    const { flags, flagSetId } = holder.current!.compiled;
    const values = [...flags.keys()].map((key) => {
      const answer = evaluate(holder.current!.compiled, key, {}, 0);
      return `${key}=${answer.kind === 'Served' && answer.variant}`;
    });
    return `${flagSetId} ${values.join(' ')}${holder.stale ? ' stale' : ''}`;
  };
  return { look, served };
}

test('a file that is being written counts once it stands still, though its first part is YAML by itself', async () => {
  write(flag('a') + flag('b'));
  const { look, served } = await watched();
  write(flag('a', 'on'));
  await look();
  expect(served()).toBe('default a=off b=off');
  write(flag('a', 'on') + flag('b', 'on'));
  await look();
  expect(served()).toBe('default a=off b=off');
  await look();
  expect(served()).toBe('default a=on b=on');
});

test('a file that never stands still keeps no other back', async () => {
  write(flag('a'));
  write(flag('b'), 'other.yaml');
  const { look, served } = await watched();
  write(flag('b', 'on'), 'other.yaml');
  for (let n = 0; n < 3; n++) {
    write(`${flag('a', 'on')}${'#'.repeat(n)}`);
    await look();
  }
  expect(served()).toBe('default a=off b=on');
});

test('a file that is away for one look was being saved; one that stays away is gone', async () => {
  write(flag('a'));
  write(flag('b'), 'other.yaml');
  const { look, served } = await watched();
  rmSync(join(folder, 'flags.yaml'));
  await look();
  expect(served()).toBe('default a=off b=off');
  await look();
  expect(served()).toBe('default b=off');
  write(flag('a', 'on'));
  await look();
  await look();
  expect(served()).toBe('default a=on b=off');
});

test('a look that failed makes answers stale until the next one that does not', async () => {
  write(flag('a'));
  const { look, served } = await watched();
  renameSync(folder, `${folder}-away`);
  await look();
  expect(served()).toBe('default a=off stale');
  renameSync(`${folder}-away`, folder);
  await look();
  expect(served()).toBe('default a=off');
});

test('a look that failed does not hide that a file is bad', async () => {
  write(flag('a'));
  const { look, served } = await watched();
  write('a: [');
  await look();
  await look();
  renameSync(folder, `${folder}-away`);
  await look();
  renameSync(`${folder}-away`, folder);
  await look();
  await look();
  expect(served()).toBe('default a=off stale');
});

test.each([
  ['is named for the first time', flag('a'), flag('a', 'on', 'shop'), 'shop a=on'],
  ['becomes another', flag('a', 'off', 'shop'), flag('a', 'on', 'bank'), 'bank a=on'],
  ['is another with the same flags', flag('a', 'on', 'shop'), flag('a', 'on', 'bank'), 'bank a=on'],
  ['goes with the flag that named it', flag('a', 'off', 'shop') + flag('b'), flag('b', 'on'), 'default b=on'],
  ['is named by no flag any more', flag('a', 'off', 'shop'), '# none\n', 'shop '],
  [
    'is not the only one',
    flag('a', 'off', 'shop'),
    flag('a', 'on', 'shop') + flag('b', 'on', 'bank'),
    'shop a=off stale',
  ],
])('an edit is taken in where the namespace %s', async (_, before, after, wanted) => {
  write(before);
  const { look, served } = await watched();
  write(after);
  await look();
  await look();
  expect(served()).toBe(wanted);
});
