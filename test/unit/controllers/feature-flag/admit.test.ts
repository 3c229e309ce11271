import { expect, test } from 'vitest';
import { admitFlag } from '../../../../src/controllers/feature-flag/admit.ts';
import { AUTHOR_ANNOTATION, authorOf } from '../../../../src/controllers/feature-flag/author.ts';
import type { FlagObject } from '../../../../src/controllers/feature-flag/sources.ts';
import { specTextOf } from '../../../../src/core/flags/flag-source.ts';
import type { AdmissionRequest } from '../../../../src/kube/webhook-server.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { flagObject } from '../../../support/flag-objects.ts';

const clock = new FakeClock(Date.parse('2026-02-03T04:05:06Z'));
const wrong = { offVariant: 'of' };

function admit(object: FlagObject, oldObject?: FlagObject, others: readonly FlagObject[] = []) {
  const flags = { byIndex: () => others } as never;
  const request: AdmissionRequest = {
    uid: 'u',
    operation: oldObject ? 'UPDATE' : 'CREATE',
    kind: { group: 'sluice.dev', version: 'v1alpha1', kind: 'FeatureFlag' },
    resource: { group: 'sluice.dev', version: 'v1alpha1', resource: 'featureflags' },
    name: object.metadata.name,
    namespace: 'shop',
    userInfo: { username: 'ann@example.com', groups: [] },
    object,
    oldObject,
    dryRun: false,
  };
  return admitFlag(
    { flags, rollouts: undefined as never, home: 'sluice-system', snapshots: {} as never },
    clock,
  )(request);
}

/** The object as it is stored after the patch. */
async function stored(object: FlagObject, oldObject?: FlagObject): Promise<FlagObject> {
  const answer = await admit(object, oldObject);
  if (!answer.allowed) throw new Error(answer.message);
  const annotations: Record<string, string> = { ...object.metadata.annotations };
  for (const step of answer.patch ?? []) {
    if (step.op === 'remove') delete annotations[AUTHOR_ANNOTATION];
    else if (step.path === '/metadata/annotations') Object.assign(annotations, (step as { value: object }).value);
    else annotations[AUTHOR_ANNOTATION] = String((step as { value: unknown }).value);
  }
  return { ...object, metadata: { ...object.metadata, annotations } };
}

const author = (object: FlagObject) => authorOf(object, specTextOf(object) ?? '');

test('who writes a spec is stamped on it, with the time', async () => {
  expect(author(await stored(flagObject('a')))).toEqual({ by: 'ann@example.com', at: clock.now() });
});

test('a write that leaves the spec alone leaves the stamp alone, forged or removed as it may be', async () => {
  const first = await stored(flagObject('a'));
  const forged = { ...first, metadata: { ...first.metadata, annotations: { [AUTHOR_ANNOTATION]: '{"by":"bob"}' } } };
  const removed = flagObject('a');
  for (const next of [forged, removed, first]) expect(author(await stored(next, first))).toEqual(author(first));
});

test('a stamp that came without the webhook vouches for nothing once the spec is another', async () => {
  const first = await stored(flagObject('a'));
  const edited = { ...first, spec: { ...(first.spec as object), killSwitch: true } };
  expect(author(edited)).toBeUndefined();
  const unstamped = flagObject('a');
  const claimed = { ...unstamped, metadata: { ...unstamped.metadata, annotations: first.metadata.annotations ?? {} } };
  expect((await stored(claimed, unstamped)).metadata.annotations).toEqual({});
});

test('what the compiler would not accept is refused, with its path', async () => {
  expect(await admit(flagObject('a', wrong))).toEqual({
    allowed: false,
    message: 'spec.offVariant "of" is not one of variants',
    code: 422,
  });
  const cyclic = flagObject('a', { prerequisites: [{ flag: 'a', variants: ['on'] }] });
  expect(await admit(cyclic)).toMatchObject({ allowed: false, message: expect.stringContaining('circle') });
});

test('a flag that is not accepted as it stands can be written, so that it can be killed', async () => {
  const killed = flagObject('a', { ...wrong, killSwitch: true });
  expect(await admit(killed, flagObject('a', wrong))).toMatchObject({
    allowed: true,
    warnings: [expect.stringContaining('not accepted: spec.offVariant')],
  });
});

test('what other flags can mend is a warning', async () => {
  const needing = flagObject('a', { prerequisites: [{ flag: 'b', variants: ['on'] }] });
  expect(await admit(needing)).toMatchObject({ allowed: true, warnings: [expect.stringContaining('no flag b')] });
  const taken = flagObject('a', { key: 'b' }, { metadata: { creationTimestamp: undefined } });
  const other = flagObject('b');
  expect(await admit(taken, undefined, [other])).toMatchObject({
    allowed: true,
    warnings: [expect.stringContaining('the older FeatureFlag b has the key b')],
  });
});
