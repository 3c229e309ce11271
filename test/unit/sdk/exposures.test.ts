import { expect, test } from 'vitest';
import { Exposures } from '../../../src/sdk/exposures/exposures.ts';
import { encodeExposureToken } from '../../../src/wire/exposure.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const tokenOf = (unit: number, more: object = {}): string =>
  encodeExposureToken({
    experiment: 'shop/checkout',
    phase: 1,
    arm: 'treatment',
    unitHash: unit.toString(16).padStart(16, '0'),
    revision: 7,
    ...more,
  });

interface Sent {
  readonly at: number;
  readonly url: string;
  readonly init: RequestInit;
  readonly exposures: { token: string; time: string }[];
}

type Answer = Response | Error | Promise<Response>;
const taken = (errors: unknown[] = []): Response =>
  Response.json({ accepted: 1, duplicates: 0, errors }, { status: 202 });

/** Exposures over a network and moments that the test decides about; `hide` is the page being hidden. */
function exposuresWith(answer: (count: number) => Answer = () => taken()) {
  const clock = new FakeClock();
  const sent: Sent[] = [];
  const moments = { hide: () => {}, idle: () => {}, listeners: 0 };
  const listen = (name: 'hide' | 'idle') => (run: () => void) => {
    moments[name] = run;
    moments.listeners++;
    return () => void moments.listeners--;
  };
  const exposures = new Exposures(
    { url: 'http://evaluator/', headers: { 'x-api-key': 'k' } },
    {
      ...{ clock, background: clock, random: () => 0.5 },
      fetch: async (url, init = {}) => {
        sent.push({ at: clock.now(), url: String(url), init, ...JSON.parse(String(init.body)) });
        const given = await Promise.race([answer(sent.length), aborted(init.signal)]);
        if (given instanceof Error) throw given;
        return given;
      },
      moments: { onPageHidden: listen('hide'), onProcessIdle: listen('idle') },
    },
  );
  return { clock, sent, moments, exposures };
}

const aborted = (signal: RequestInit['signal']): Promise<Error> =>
  new Promise((resolve) => signal?.addEventListener('abort', () => resolve(new Error('aborted'))));

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('what is recorded within the time of gathering goes out as one batch, each exposure once', async () => {
  const { clock, sent, exposures } = exposuresWith();
  const start = clock.now();
  exposures.record(tokenOf(1), { country: 'DE' });
  await clock.advance(1_500);
  exposures.record(tokenOf(2));
  exposures.record(tokenOf(1, { revision: 8 })); // the same exposure under a newer ruleset
  await clock.advance(499);
  expect(sent).toEqual([]);
  await clock.advance(1);
  await settled();
  expect(sent).toHaveLength(1);
  expect(sent[0]).toMatchObject({ url: 'http://evaluator/exposures', at: start + 2_000 });
  expect(sent[0]?.init).toMatchObject({
    ...{ method: 'POST', keepalive: true, credentials: 'omit', redirect: 'error' },
    headers: { 'content-type': 'application/json', 'x-api-key': 'k' },
  });
  expect(sent[0]?.exposures).toEqual([
    { token: tokenOf(1), time: new Date(start).toISOString(), dimensions: { country: 'DE' } },
    { token: tokenOf(2), time: new Date(start + 1_500).toISOString() },
  ]);
  expect(exposures.counts).toEqual({ sent: 2, duplicates: 1, rejected: 0, dropped: 0, waiting: 0 });
  exposures.record(tokenOf(2)); // also after it was sent
  await clock.advance(10_000);
  expect(sent).toHaveLength(1);
});

test('another arm, phase, unit or experiment is another exposure, and so is what cannot be read', async () => {
  const { sent, exposures } = exposuresWith();
  const tokens = [
    ...[tokenOf(1), tokenOf(2), tokenOf(1, { arm: 'control' }), tokenOf(1, { phase: 2 })],
    ...[tokenOf(1, { experiment: 'shop/other' }), 'no token', 'bnVsbA', ''],
  ];
  for (const token of [...tokens, ...tokens]) exposures.record(token);
  await exposures.flush();
  expect(sent.flatMap(({ exposures: items }) => items.map(({ token }) => token))).toEqual(tokens);
  expect(exposures.counts).toMatchObject({ sent: 8, duplicates: 8 });
});

test.each([
  ['no answer', () => new TypeError('failed')],
  ['429', () => new Response('{}', { status: 429 })],
  ['503', () => new Response('{}', { status: 503 })],
  ['404, as from a proxy', () => new Response('no', { status: 404 })],
])(
  'after %s the same items with the same times are sent again, with pauses that grow to a minute',
  async (_, failure) => {
    const { clock, sent, exposures } = exposuresWith((count) => (count < 12 ? failure() : taken()));
    exposures.record(tokenOf(1));
    await clock.advance(2_000);
    for (let left = 600; left > 0 && sent.length < 12; left--) await clock.advance(1_000);
    expect(sent).toHaveLength(12);
    expect(new Set(sent.map(({ init }) => init.body)).size).toBe(1);
    const pauses = sent.slice(1).map(({ at }, index) => (at - sent[index]!.at) / 1_000);
    expect(pauses).toEqual([0.75, 1.5, 3, 6, 12, 24, 45, 45, 45, 45, 45]);
    expect(exposures.counts).toMatchObject({ sent: 1, dropped: 0, waiting: 0 });
  },
);

test('Retry-After lengthens the pause, up to a minute', async () => {
  const answers = ['20', '86400'].map(
    (after) => () => new Response('{}', { status: 429, headers: { 'retry-after': after } }),
  );
  const { clock, sent, exposures } = exposuresWith((count) => answers[count - 1]?.() ?? taken());
  exposures.record(tokenOf(1));
  await clock.advance(2_000);
  for (let left = 100; left > 0; left--) await clock.advance(1_000);
  expect(sent.map(({ at }) => (at - sent[0]!.at) / 1_000)).toEqual([0, 20, 80]);
});

test.each([400, 413, 422])(
  'a batch that is answered by %i is dropped and counted, and the next one is sent',
  async (status) => {
    const { sent, exposures } = exposuresWith((count) => (count === 1 ? new Response('{}', { status }) : taken()));
    exposures.record(tokenOf(1));
    await exposures.flush();
    exposures.record(tokenOf(2));
    await exposures.flush();
    expect(sent).toHaveLength(2);
    expect(exposures.counts).toMatchObject({ sent: 1, dropped: 1, waiting: 0 });
  },
);

test('items that the evaluator does not take are counted as rejected', async () => {
  const { exposures } = exposuresWith(() => taken([{ index: 1, code: 'SLUICE_EVENT_FOREIGN' }]));
  exposures.record(tokenOf(1));
  exposures.record(tokenOf(2));
  await exposures.flush();
  expect(exposures.counts).toMatchObject({ sent: 1, rejected: 1 });
});

test('an answer without end, or of anything, breaks nothing', async () => {
  const endless = () => new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536)) });
  const bodies = [endless(), 'null', '{"errors":{}}', '{"errors":7}', '<html>'];
  const { exposures } = exposuresWith((count) => new Response(bodies[count - 1], { status: 202 }));
  for (let unit = 0; unit < bodies.length; unit++) {
    exposures.record(tokenOf(unit));
    await exposures.flush();
  }
  expect(exposures.counts).toMatchObject({ sent: bodies.length, waiting: 0 });
});

test('no more than 1,000 wait; what does not fit is counted, and may be recorded once there is room', async () => {
  const { exposures } = exposuresWith((count) => (count === 1 ? new TypeError('failed') : taken()));
  for (let unit = 0; unit < 1_000; unit++) exposures.record(tokenOf(unit));
  await exposures.flush();
  exposures.record(tokenOf(1_000));
  expect(exposures.counts).toMatchObject({ waiting: 1_000, dropped: 1 });
  await exposures.flush();
  exposures.record(tokenOf(1_000));
  await exposures.flush();
  expect(exposures.counts).toMatchObject({ sent: 1_001, duplicates: 0, dropped: 1 });
});

test('batches stay below what a browser lets outlive a page, in the order of recording', async () => {
  const { sent, exposures } = exposuresWith();
  for (let unit = 0; unit < 500; unit++) exposures.record(tokenOf(unit), { city: 'Ærøskøbing' });
  exposures.record(tokenOf(999), { text: 'x'.repeat(20_000) }); // no batch could take it
  await exposures.flush();
  expect(sent.length).toBeGreaterThan(3);
  for (const { init } of sent) expect(Buffer.byteLength(String(init.body))).toBeLessThanOrEqual(32 * 1024);
  const tokens = sent.flatMap(({ exposures: items }) => items.map(({ token }) => token));
  expect(tokens).toEqual(Array.from({ length: 500 }, (_, unit) => tokenOf(unit)));
  expect(exposures.counts).toMatchObject({ sent: 500, dropped: 1 });
});

test('when the page is hidden, what waits goes out at once, beside a batch that is under way', async () => {
  let answer = (_: Response) => {};
  const first = new Promise<Response>((resolve) => {
    answer = resolve;
  });
  const { clock, sent, moments, exposures } = exposuresWith((count) => (count === 1 ? first : taken()));
  exposures.record(tokenOf(1));
  moments.hide();
  exposures.record(tokenOf(2));
  moments.hide();
  moments.hide(); // pagehide follows visibilitychange
  expect(sent.map(({ at }) => at)).toEqual([clock.now(), clock.now()]);
  answer(taken());
  await settled();
  expect(exposures.counts).toMatchObject({ sent: 2, waiting: 0 });
});

test('when the page is hidden it does not wait for the end of a pause, and what failed then is sent later', async () => {
  const { clock, sent, moments, exposures } = exposuresWith((count) =>
    count < 3 ? new TypeError('offline') : taken(),
  );
  exposures.record(tokenOf(1));
  await exposures.flush();
  moments.hide();
  await settled();
  expect(sent).toHaveLength(2);
  await clock.advance(5_000);
  expect(exposures.counts).toMatchObject({ sent: 1, waiting: 0 });
});

test('close sends what waits, listens to nothing any more, and takes nothing more', async () => {
  const { clock, sent, moments, exposures } = exposuresWith((count) => (count < 3 ? new TypeError('failed') : taken()));
  expect(moments.listeners).toBe(2);
  exposures.record(tokenOf(1));
  const closed = exposures.close();
  expect(exposures.close()).toBe(closed);
  for (let left = 20; left > 0; left--) await clock.advance(100);
  await closed;
  expect([sent.length, moments.listeners]).toEqual([3, 0]);
  exposures.record(tokenOf(2));
  await clock.advance(60_000);
  expect(exposures.counts).toEqual({ sent: 1, duplicates: 0, rejected: 0, dropped: 1, waiting: 0 });
});

test('close gives up after 3 s, and counts what is lost', async () => {
  const { clock, exposures } = exposuresWith(() => new Promise(() => {}));
  exposures.record(tokenOf(1));
  let isClosed = false;
  const closed = exposures.close().then(() => {
    isClosed = true;
  });
  await clock.advance(2_999);
  expect(isClosed).toBe(false);
  await clock.advance(300);
  await Promise.race([closed, clock.advance(1_000).then(() => settled())]);
  expect([isClosed, exposures.counts]).toEqual([true, { sent: 0, duplicates: 0, rejected: 0, dropped: 1, waiting: 0 }]);
});

test('the hook records the token of an answer, and nothing for answers without one', async () => {
  const { sent, exposures } = exposuresWith();
  exposures.hook.after({}, { flagMetadata: { exposureToken: tokenOf(1) } });
  exposures.hook.after({}, { flagMetadata: { version: '7' } });
  exposures.hook.after({}, { flagMetadata: { exposureToken: 7 } });
  exposures.hook.after({}, {});
  await exposures.flush();
  expect(sent.flatMap(({ exposures: items }) => items.map(({ token }) => token))).toEqual([tokenOf(1)]);
});
