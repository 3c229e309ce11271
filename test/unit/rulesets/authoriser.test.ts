import { expect, test } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import type { EpochMs } from '../../../src/base/units.ts';
import { Authoriser, type Identity, type Reviewer } from '../../../src/rulesets/authoriser.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const HOUR_MS = 3_600_000;

function make(overrides: Partial<Reviewer> = {}) {
  const clock = new FakeClock();
  const asked: string[] = [];
  const identity: Identity = {
    ...{ user: 'system:serviceaccount:shop:web', uid: undefined, groups: [], extra: {}, home: 'shop', pod: undefined },
    expiresAt: (clock.now() + HOUR_MS / 2) as EpochMs,
  };
  const authoriser = new Authoriser(
    {
      identify: async (token) => {
        asked.push(token.reveal());
        return token.reveal() === 'good' ? identity : undefined;
      },
      mayRead: async (_identity, flagSetId) => {
        asked.push(flagSetId);
        return flagSetId === 'bank';
      },
      ...overrides,
    },
    clock,
  );
  return { clock, asked, identity, authoriser };
}

const good = new Secret('good');

test('a token is reviewed once until it expires, also when many come with it at once', async () => {
  const { clock, asked, identity, authoriser } = make();
  const answers = await Promise.all(Array.from({ length: 100 }, () => authoriser.identify(good)));
  expect(answers.every((one) => one === identity)).toBe(true);
  await clock.advance(HOUR_MS / 2 - 1);
  await authoriser.identify(good);
  expect(asked).toEqual(['good']);
  await clock.advance(1);
  await authoriser.identify(good);
  expect(asked).toEqual(['good', 'good']);
});

test('a token that is no good is asked about again after 10 s', async () => {
  const { clock, asked, authoriser } = make();
  const bad = new Secret('bad');
  expect(await authoriser.identify(bad)).toBeUndefined();
  await clock.advance(9_999);
  await authoriser.identify(bad);
  expect(asked).toEqual(['bad']);
  await clock.advance(1);
  await authoriser.identify(bad);
  expect(asked).toEqual(['bad', 'bad']);
});

test('nobody is known for longer than an hour', async () => {
  const { clock, identity, authoriser } = make({
    identify: async () => ({ ...identity, expiresAt: (clock.now() + 24 * HOUR_MS) as EpochMs }),
  });
  expect((await authoriser.identify(good))?.expiresAt).toBe(clock.now() + HOUR_MS);
});

test('an account reads its own namespace without being asked about, and others once it may', async () => {
  const { asked, identity, authoriser } = make();
  const read = (flagSetId: string) => authoriser.mayRead(identity, flagSetId);
  expect([await read('shop'), await read('bank'), await read('bank'), await read('other')]).toEqual([
    true,
    true,
    true,
    false,
  ]);
  expect(asked).toEqual(['bank', 'other']);
});

test('rights of one account are not those of another', async () => {
  const { asked, identity, authoriser } = make();
  await authoriser.mayRead(identity, 'bank');
  await authoriser.mayRead({ ...identity, user: 'system:serviceaccount:shop:other' }, 'bank');
  expect(asked).toEqual(['bank', 'bank']);
});

test('an API server that is away is asked again the next time', async () => {
  let isAway = true;
  const { identity, authoriser } = make({
    identify: async () => {
      if (isAway) throw new Error('away');
      return identity;
    },
  });
  await expect(authoriser.identify(good)).rejects.toThrow('away');
  isAway = false;
  expect(await authoriser.identify(good)).toBe(identity);
});

test('sixteen reviews are under way at most; too many that wait are refused', async () => {
  const finish: (() => void)[] = [];
  const { authoriser } = make({
    identify: () => new Promise((resolve) => finish.push(() => resolve(undefined))),
  });
  const asked = Array.from({ length: 5_000 }, (_, index) => authoriser.identify(new Secret(`token-${index}`)));
  const settled = Promise.allSettled(asked);
  await new Promise((resolve) => setImmediate(resolve));
  expect(finish).toHaveLength(16);
  for (let done = 0; done < 16 + 4_096; done++) {
    finish[done]?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const refused = (await settled).filter(({ status }) => status === 'rejected');
  expect(refused).toHaveLength(5_000 - 16 - 4_096);
  expect(refused[0]).toMatchObject({ reason: { code: 'SLUICE_STREAM_OVERLOADED' } });
});
