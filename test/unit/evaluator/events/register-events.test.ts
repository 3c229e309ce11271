import fastify from 'fastify';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SluiceError } from '../../../../src/base/errors.ts';
import type { EventRuleset } from '../../../../src/evaluator/events/evaluator-ruleset.ts';
import { EventIntake } from '../../../../src/evaluator/events/event-intake.ts';
import type { QueuedEvent } from '../../../../src/evaluator/events/queued-event.ts';
import { registerEvents } from '../../../../src/evaluator/events/register-events.ts';
import { encodeExposureToken, exposureSchema, unitHashOf } from '../../../../src/wire/exposure.ts';
import { metricEventSchema } from '../../../../src/wire/metric-event.ts';
import { CountedEvents } from '../../../support/event-fixtures.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const token = { experiment: 'shop/one-page', phase: 2, arm: 'treatment', unitHash: '0123456789abcdef', revision: 6 };
const order = { id: 'order-1', event: 'order-completed', unit: 'user-1' };

interface Changes {
  ruleset?: EventRuleset | undefined;
  append?: (events: readonly QueuedEvent[]) => Promise<void>;
}

function startWith(changes: Changes = {}) {
  const counters = new CountedEvents();
  const clock = new FakeClock(Date.parse('2026-11-21T08:00:00Z'));
  const written: QueuedEvent[] = [];
  const append = changes.append ?? (async (events) => void written.push(...events));
  const ruleset = 'ruleset' in changes ? changes.ruleset : { flagSetId: 'shop', revision: 7, unitHashSalt: 'salt' };
  const app = fastify();
  onTestFinished(() => app.close());
  const ports = { intake: new EventIntake({ append, counters }), clock, counters, ruleset: () => ruleset };
  registerEvents(app, ports, ['exposure', 'metric']);
  const post = async (url: string, payload: unknown, contentType = 'application/json') => {
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
    const answer = await app.inject({ method: 'POST', url, payload: text, headers: { 'content-type': contentType } });
    return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
  };
  return { post, written, counters, clock, app };
}

describe('POST /exposures', () => {
  test('takes tokens, once each', async () => {
    const { post, written } = startWith();
    const batch = { exposures: [{ token: encodeExposureToken(token), dimensions: { country: 'DE' } }] };
    expect(await post('/exposures', batch)).toMatchObject({
      status: 202,
      body: { accepted: 1, duplicates: 0, errors: [] },
    });
    // Another revision of the ruleset is no other exposure.
    const again = { exposures: [{ token: encodeExposureToken({ ...token, revision: 9 }) }] };
    expect(await post('/exposures', again)).toMatchObject({ status: 202, body: { accepted: 0, duplicates: 1 } });
    expect(written).toHaveLength(1);
    expect(exposureSchema.parse(written[0]!.event)).toEqual(written[0]!.event);
    expect(written[0]!.event).toMatchObject({ ...token, flagSetId: 'shop', time: '2026-11-21T08:00:00.000Z' });
  });

  test.each([
    ['no token of ours', 'bm8', 'SLUICE_EVENT_TOKEN'],
    ['beyond Unicode', encodeExposureToken({ ...token, arm: 'lone \ud800' }), 'SLUICE_EVENT_TOKEN'],
    ['of another namespace', encodeExposureToken({ ...token, experiment: 'bank/x' }), 'SLUICE_EVENT_FOREIGN'],
    ['too long', 'a'.repeat(2_049), 'SLUICE_EVENT_INVALID'],
  ])('refuses a token that is %s', async (_, bad, code) => {
    const { post, counters } = startWith();
    const { status, body } = await post('/exposures', { exposures: [{ token: bad }] });
    expect(status).toBe(202);
    expect(body).toMatchObject({ accepted: 0, errors: [{ index: 0, code, path: 'token' }] });
    expect(counters.rejectedCodes).toEqual([code]);
  });
});

describe('POST /metrics', () => {
  test('keeps the unit to itself and writes what the collector takes', async () => {
    const { post, written } = startWith();
    const batch = {
      metrics: [order, { event: 'refund', unit: 'user-2', value: -2.5, time: '2026-11-21T09:30:00+01:00' }],
    };
    expect(await post('/metrics', batch)).toMatchObject({ status: 202, body: { accepted: 2, duplicates: 0 } });
    for (const { event } of written) expect(metricEventSchema.parse(event)).toEqual(event);
    expect(written[0]!.event).toMatchObject({ id: 'order-1', value: 1, unitHash: unitHashOf('salt', 'user-1') });
    expect(written[1]!.event).toMatchObject({ value: -2.5, time: '2026-11-21T08:30:00.000Z' });
    expect(JSON.stringify(written)).not.toContain('user-');
  });

  test('counts an event with an id once, and events without one each', async () => {
    const { post } = startWith();
    const { id: _, ...nameless } = order;
    expect((await post('/metrics', { metrics: [order, order, nameless, nameless] })).body).toEqual({
      accepted: 3,
      duplicates: 1,
      errors: [],
    });
    expect((await post('/metrics', { metrics: [order] })).body).toEqual({ accepted: 0, duplicates: 1, errors: [] });
  });

  test('says of each bad item what is wrong, and takes the others', async () => {
    const { post, written } = startWith();
    const bad = [
      null,
      7,
      {},
      { ...order, surplus: 1 },
      { ...order, value: 'NaN' },
      { ...order, unit: '' },
      { ...order, unit: 'lone \ud800' },
      { ...order, time: 'yesterday' },
      { ...order, dimensions: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`d${n}`, n])) },
    ];
    const { body } = await post('/metrics', { metrics: [...bad, order] });
    expect(body.accepted).toBe(1);
    expect(body.errors.map(({ index }: { index: number }) => index)).toEqual(bad.map((_, index) => index));
    expect(new Set(body.errors.map(({ code }: { code: string }) => code))).toEqual(new Set(['SLUICE_EVENT_INVALID']));
    expect(written).toHaveLength(1);
  });

  test.each([
    ['2026-08-23T07:59:59Z', 1],
    ['2026-08-23T08:00:00Z', 0],
    ['2026-11-22T08:00:00Z', 0],
    ['2026-11-22T08:00:01Z', 1],
    ['0000-01-01T00:00:00Z', 1],
    ['9999-12-31T23:59:59Z', 1],
  ])('with the time %s has %i errors', async (time, errors) => {
    const { body } = await startWith().post('/metrics', { metrics: [{ ...order, time }] });
    expect(body.errors.map(({ code }: { code: string }) => code)).toEqual(Array(errors).fill('SLUICE_EVENT_TIME'));
  });

  test('survives names that mean something to JavaScript', async () => {
    const { post } = startWith();
    const item = (text: string) => `{"event":"e","unit":"u","dimensions":{${text}}}`;
    const { body } = await post('/metrics', `{"metrics":[${item('"__proto__":1')},${item('"constructor":1')}]}`);
    expect(body).toMatchObject({ accepted: 1, errors: [{ index: 0, code: 'SLUICE_EVENT_INVALID' }] });
    expect(({} as Record<string, unknown>)['1']).toBeUndefined();
  });

  test('refuses an item that is 10,000 levels deep', async () => {
    const deep = '['.repeat(10_000) + ']'.repeat(10_000);
    const { status, body } = await startWith().post('/metrics', `{"metrics":[${deep}]}`);
    expect(status).toBe(202);
    expect(body.errors).toMatchObject([{ code: 'SLUICE_EVENT_INVALID' }]);
  });
});

describe('a body that is no batch', () => {
  test.each([
    ['broken', '{"metrics":['],
    ['empty', ''],
    ['a list', '[]'],
    ['null', 'null'],
    ['of the other kind', '{"exposures":[]}'],
    ['of both kinds', '{"metrics":[],"exposures":[]}'],
    ['with __proto__', '{"metrics":[],"__proto__":{}}'],
    ['of 1,001 items', JSON.stringify({ metrics: Array(1_001).fill(order) })],
  ])('is refused whole: %s', async (_, text) => {
    const { post, written } = startWith();
    expect(await post('/metrics', text)).toMatchObject({ status: 400, body: { code: 'SLUICE_EVENTS_BODY' } });
    expect(written).toEqual([]);
  });

  test('is refused when it is no JSON by its type', async () => {
    expect(await startWith().post('/metrics', '{"metrics":[]}', 'text/plain')).toMatchObject({
      status: 415,
      body: {
        errorCode: 'PARSE_ERROR',
        errorDetails: expect.stringContaining('application/json'),
        code: 'SLUICE_EVENTS_BODY',
      },
    });
  });

  test('is refused above 1 MiB', async () => {
    const { post } = startWith();
    const text = JSON.stringify({ metrics: [{ ...order, id: 'x'.repeat(1_048_576) }] });
    expect(await post('/metrics', text)).toMatchObject({ status: 413, body: { code: 'SLUICE_EVENTS_TOO_LARGE' } });
  });
});

describe('an evaluator that cannot take events', () => {
  test('without a ruleset asks to come again', async () => {
    expect(await startWith({ ruleset: undefined }).post('/metrics', { metrics: [order] })).toMatchObject({
      status: 503,
      headers: { 'retry-after': '5' },
      body: { code: 'SLUICE_EVENTS_NO_RULESET' },
    });
  });

  test.each([
    ['SLUICE_EVENTS_OVERLOADED', 429, '1'],
    ['SLUICE_EVENTS_STORE', 503, '5'],
  ] as const)(
    'for %s answers %i with Retry-After, and takes the same batch later',
    async (code, status, retryAfter) => {
      let fails = true;
      const append = async () => {
        if (fails) throw new SluiceError(code, 'not now');
      };
      const { post } = startWith({ append });
      expect(await post('/metrics', { metrics: [order] })).toMatchObject({
        status,
        headers: { 'retry-after': retryAfter },
        body: { code },
      });
      fails = false;
      expect(await post('/metrics', { metrics: [order] })).toMatchObject({ status: 202, body: { accepted: 1 } });
    },
  );

  test('waits 5 seconds for a disk that hangs, and answers 429 to the 17th batch meanwhile', async () => {
    let appends = 0;
    const append = () => {
      appends += 1;
      return new Promise<void>(() => {});
    };
    const { post, clock } = startWith({ append });
    const items = (n: number) => ({ metrics: [{ ...order, id: `order-${n}` }] });
    const first = Array.from({ length: 16 }, (_, n) => post('/metrics', items(n)));
    await expect.poll(() => appends).toBe(16);
    expect(await post('/metrics', items(16))).toMatchObject({ status: 429, headers: { 'retry-after': '1' } });
    await clock.advance(5_000);
    for (const answer of await Promise.all(first))
      expect(answer).toMatchObject({ status: 503, body: { code: 'SLUICE_EVENTS_STORE' } });
    const late = post('/metrics', items(17)); // there is room again
    await expect.poll(() => appends).toBe(17);
    await clock.advance(5_000);
    expect(await late).toMatchObject({ status: 503 });
  });

  test('tells nothing about its inside when it has a bug', async () => {
    const { post } = startWith({ append: () => Promise.reject(new Error('/secret/path')) });
    const { status, body } = await post('/metrics', { metrics: [order] });
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain('secret');
  });
});

test('other routes of the same server keep their own ways', async () => {
  const { app } = startWith();
  app.post('/other', async (request) => request.body);
  const answer = await app.inject({ method: 'POST', url: '/other', payload: { a: 1 } });
  expect(answer.json()).toEqual({ a: 1 });
});

test('the server around it may refuse a batch in its own way, and has parsers of its own', async () => {
  class Refusal extends SluiceError {
    readonly status = 429;
    readonly retryAfterSeconds = 7;
  }
  const { app, post, written } = startWith();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(/^application\/json\b/, { parseAs: 'string' }, async () => 'parsed by the server');
  expect(await post('/metrics', { metrics: [order] })).toMatchObject({ status: 202, body: { accepted: 1 } });
  expect(written).toHaveLength(1);

  const { app: busy, post: postBusy } = startWith();
  busy.addHook('onRequest', async () => {
    throw new Refusal('SLUICE_EVENTS_REFUSED', 'too much is under way');
  });
  expect(await postBusy('/metrics', { metrics: [order] })).toMatchObject({
    status: 429,
    headers: { 'retry-after': '7' },
    body: { code: 'SLUICE_EVENTS_REFUSED', errorCode: 'GENERAL' },
  });
});
