import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { evaluateFlag } from '../../../src/cli/flag-eval.ts';
import { changesBetween, flagTable } from '../../../src/cli/flag-text.ts';
import { change } from '../../../src/cli/flag-write.ts';
import { rolloutDocument } from '../../../src/cli/get.ts';
import { coloursFor } from '../../../src/cli/text.ts';
import type { FlagObject } from '../../../src/flags/flag-object.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { KubeError } from '../../../src/kube/kube-error.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { flagObject } from '../../support/flag-objects.ts';

const flagOf = (...args: Parameters<typeof flagObject>) => flagObject(...args) as FlagObject;
const signal = AbortSignal.timeout(10_000);
const conflict = new KubeError('SLUICE_KUBE_CONFLICT', 'changed', { call: 'PUT', httpStatus: 409 });

/** A cluster whose flag is at these generations, one after the other, each time it is written; all but the last write conflict. */
function flagAt(...generations: number[]) {
  const written: FlagObject[] = [];
  const accepted = { conditions: [], history: [] };
  const flag = () => {
    const metadata = { generation: generations[0], resourceVersion: `${generations.length}` };
    return { ...flagOf('a', {}, { metadata }), status: accepted };
  };
  const client = {
    get: async () => flag(),
    raw: async () => ({ metadata: {}, items: [flag()] }),
    list: async () => ({ items: [flag()] }),
    replace: async (_: unknown, object: FlagObject) => {
      if (generations.length === 1) return written.push(object);
      generations.shift();
      throw conflict;
    },
  };
  return { to: { client: client as unknown as KubeClient, namespace: 'shop', user: undefined }, written };
}

test('a flag of which only the status changed meanwhile is written again', async () => {
  const { to, written } = flagAt(3, 3, 3);
  await change(to, 'a', { defaultVariant: 'on' }, signal);
  expect(written).toMatchObject([{ metadata: { resourceVersion: '1' }, spec: { defaultVariant: 'on' } }]);
});

test('a flag whose spec somebody else changed meanwhile is not overwritten', async () => {
  const { to, written } = flagAt(3, 4);
  await expect(change(to, 'a', { defaultVariant: 'on' }, signal)).rejects.toBe(conflict);
  expect(written).toEqual([]);
});

test('eval takes the name of a flag for its key, unless it is another’s key', async () => {
  const ask = async (key: string, ...items: FlagObject[]) => {
    const client = { list: async () => ({ items }) } as unknown as KubeClient;
    const to = { client, namespace: 'shop', user: undefined };
    return evaluateFlag(to, { key, context: {}, now: new FakeClock().now() }, signal);
  };
  const page = flagOf('page', { key: 'one/page', defaultVariant: 'on' });
  expect(await ask('page', page)).toMatchObject({ key: 'one/page', answer: { variant: 'on' } });
  expect(await ask('page', page, flagOf('other', { key: 'page' }))).toMatchObject({
    key: 'page',
    answer: { variant: 'off' },
  });
  expect(await ask('none', page)).toMatchObject({ key: 'none', answer: { errorCode: 'FLAG_NOT_FOUND' } });
});

test('what others wrote into a flag cannot steer the terminal', () => {
  const evil = 'team\u001b[2J\u009b31m';
  const flag = flagOf('a', { owner: evil, defaultVariant: evil });
  const view = { colours: coloursFor(false), now: new FakeClock().now(), allNamespaces: false };
  const revision = (description: string) => ({
    revision: 1,
    at: 0,
    accepted: true,
    spec: JSON.stringify({ description }),
  });
  const texts = [
    flagTable([flag], view),
    changesBetween(revision('x') as never, revision(evil) as never),
    rolloutDocument([flag], true, 'json'),
    rolloutDocument([flag], true, 'yaml'),
  ];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
  for (const text of texts) expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  expect(JSON.parse(texts[2] ?? '').spec.owner).toBe(evil);
  expect(parse(texts[3] ?? '').spec.owner).toBe(evil);
});

test('what get prints as YAML can be applied as it is', () => {
  const flag = flagOf('a', { description: 'no', salt: '0777' });
  const text = rolloutDocument([flag], true, 'yaml');
  expect(parse(text, { version: '1.1' }).spec).toEqual(flag.spec);
  expect(text).toContain('"on": true');
});
