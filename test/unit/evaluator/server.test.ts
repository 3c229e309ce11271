import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silent } from '../../../src/base/logger.ts';
import type { DurationMs, EpochMs } from '../../../src/base/units.ts';
import { timeBoundaries } from '../../../src/core/evaluation/time-boundaries.ts';
import { EvaluationCounts } from '../../../src/evaluator/evaluation-counts.ts';
import { EventStreams } from '../../../src/evaluator/event-stream.ts';
import { Load } from '../../../src/evaluator/load.ts';
import type { Events } from '../../../src/evaluator/ports.ts';
import { evaluatorServer } from '../../../src/evaluator/server.ts';
import { RulesetHolder } from '../../../src/rulesets/holder.ts';
import { snapshotOf } from '../../../src/rulesets/source.ts';
import { decodeExposureToken, unitHashOf } from '../../../src/wire/exposure.ts';
import type { Flag } from '../../../src/wire/flag.ts';
import { openRuleset, sealRuleset } from '../../../src/wire/sealed-ruleset.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { expectOfrep, type OfrepAnswer, published, validatorOf } from '../../support/ofrep.ts';
import { flagWith, rulesetWith } from '../../support/ruleset.ts';

const FLAGS = '/ofrep/v1/evaluate/flags';
const START = Date.parse('2026-11-21T08:00:00Z') as EpochMs;
const split = {
  unit: 'targetingKey',
  hash: 'murmur3-32/1',
  salt: 's',
  arms: [
    { variant: 'on', end: 5_000 },
    { variant: 'off', end: 10_000 },
  ],
} as const;

const launch = { time: { after: '2026-11-21T09:00:00Z' } };
const flags: Record<string, Flag> = {
  plain: flagWith(),
  launch: flagWith({ rules: [{ id: 'launch', when: launch, serve: { variant: 'on' } }] }),
  ramp: flagWith({ rules: [{ id: 'ramp', serve: { split: { ...split, arms: [...split.arms] } } }] }),
  off: flagWith({ enabled: false }),
  killed: flagWith({ killSwitch: true }),
  'team/nested key%': flagWith({ type: 'number', variants: { on: 1.5, off: 2 }, defaultVariant: 'on' }),
  settings: flagWith({ type: 'object', variants: { on: { a: [1] }, off: {} }, defaultVariant: 'on' }),
  tested: flagWith({
    experiments: [
      {
        key: 'shop/exp',
        phase: 2,
        admission: { unit: 'targetingKey', hash: 'murmur3-32/1', salt: 'a', ranges: [[0, 10_000]] },
        arms: { ...split, arms: [{ name: 'control', variant: 'off', end: 10_000 }] },
      },
    ],
  }),
};

let clock: FakeClock;
let holder: RulesetHolder;
let counts: EvaluationCounts;
let streams: EventStreams;
let exposed: string[];
let app: ReturnType<typeof evaluatorServer>;

const publish = (revision: number, named = flags) => {
  const ruleset = { ...rulesetWith(named), revision, timeBoundaries: timeBoundaries(named) };
  holder.take({ kind: 'Ruleset', snapshot: snapshotOf(sealRuleset(ruleset)), live: true });
};

beforeEach(() => {
  clock = new FakeClock(START);
  holder = new RulesetHolder({ clock, logger: silent });
  counts = new EvaluationCounts();
  streams = new EventStreams(clock, 2);
  exposed = [];
  const events: Events = {
    registerEvents: (to) => void to.post('/exposures', (_request, reply) => reply.code(202).send('{}')),
    exposed: (flag, { arm, unit }) => void exposed.push(`${flag} ${arm} ${unit}`),
  };
  const load = new Load({ requests: 10, bodyBytes: 2 ** 20, largestBodyBytes: 2 ** 20 });
  app = evaluatorServer({ holder, clock, logger: silent, counts, streams, events }, load);
  publish(7);
});

afterEach(async () => {
  await app.close();
  holder.stop();
});

async function raw(url: string, payload: string, headers: Record<string, string> = {}): Promise<OfrepAnswer> {
  const response = await app.inject({
    method: 'POST',
    url,
    payload,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  });
  const answer = {
    status: response.statusCode,
    headers: response.headers as Record<string, string>,
    body: response.body === '' ? undefined : response.json(),
  };
  if (url.startsWith(FLAGS)) expectOfrep(url, answer);
  return answer;
}

const ask = (url: string, body: unknown = {}, headers?: Record<string, string>) =>
  raw(url, JSON.stringify(body), headers);
const user = (context: object = {}) => ({ context: { targetingKey: 'user-1', ...context } });

test('a flag is answered with value, variant, reason and flat metadata', async () => {
  expect(await ask(`${FLAGS}/plain`, user())).toMatchObject({
    status: 200,
    body: {
      key: 'plain',
      value: false,
      variant: 'off',
      reason: 'STATIC',
      metadata: { flagSetId: 'shop', version: '7' },
    },
  });
  expect((await ask(`${FLAGS}/settings`, user())).body.value).toEqual({ a: [1] });
  expect((await ask(`${FLAGS}/ramp`, user())).body).toMatchObject({ reason: 'SPLIT', metadata: { ruleId: 'ramp' } });
});

test('a flag that is not enabled has no value, so that the default in the code counts', async () => {
  const { body } = await ask(`${FLAGS}/off`, user());
  expect(body).toEqual({ key: 'off', reason: 'DISABLED', metadata: expect.anything() });
});

test('a killed flag says offVariant and DISABLED', async () => {
  expect((await ask(`${FLAGS}/killed`, user())).body).toMatchObject({ value: false, reason: 'DISABLED' });
});

test.each([
  ['as it is', 'team/nested key%25'],
  ['encoded', encodeURIComponent('team/nested key%')],
])('a key with slashes is found, sent %s', async (_, path) => {
  expect((await ask(`${FLAGS}/${path.replaceAll(' ', '%20')}`, user())).body).toMatchObject({
    key: 'team/nested key%',
    value: 1.5,
  });
});

test('an unknown key is FLAG_NOT_FOUND with the key, whatever it is', async () => {
  for (const key of ['nobody', '__proto__', 'constructor', 'toString', '', 'a/b', 'k'.repeat(2_000)]) {
    const { status, body } = await ask(`${FLAGS}/${key}`, user());
    expect([status, body.key, body.errorCode]).toEqual([404, key, 'FLAG_NOT_FOUND']);
  }
});

test('a rule that lacks its unit answers TARGETING_KEY_MISSING, with and without a body', async () => {
  for (const answer of [await ask(`${FLAGS}/ramp`, { context: {} }), await raw(`${FLAGS}/ramp`, '')]) {
    expect([answer.status, answer.body.errorCode]).toEqual([400, 'TARGETING_KEY_MISSING']);
    expect(answer.body.metadata.unitMissing).toBe(true);
  }
});

test.each([
  ['malformed JSON', '{"context": ', 'PARSE_ERROR'],
  ['NaN', '{"context":{"a":NaN}}', 'PARSE_ERROR'],
  ['a list', '[]', 'PARSE_ERROR'],
  ['a text as context', '{"context":"x"}', 'INVALID_CONTEXT'],
  ['a list as context', '{"context":[]}', 'INVALID_CONTEXT'],
  ['10,000 levels', `{"context":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, 'INVALID_CONTEXT'],
  ['65 levels', `${'{"a":'.repeat(65)}1${'}'.repeat(65)}`, 'INVALID_CONTEXT'],
  ['more than 1 MiB', `{"context":{"a":"${'x'.repeat(2 ** 20)}"}}`, 'INVALID_CONTEXT'],
])('bad input is a 400 that clients understand: %s', async (_, payload, errorCode) => {
  for (const url of [FLAGS, `${FLAGS}/plain`]) {
    const { status, body } = await raw(url, payload);
    expect([status, body.errorCode]).toEqual([400, errorCode]);
    expect(body.errorDetails).toContain(body.code);
  }
});

test('another content type is refused, so that no web page can ask without a preflight', async () => {
  const { status, body } = await raw(`${FLAGS}/plain`, '{}', { 'content-type': 'text/plain' });
  expect([status, body.errorCode]).toEqual([400, 'PARSE_ERROR']);
});

test('a path that is not well encoded is a 400 with the key as it was sent', async () => {
  const { status, body } = await raw(`${FLAGS}/a%zz`, '{}');
  expect([status, body.key]).toEqual([400, 'a%zz']);
});

test.each(['{"__proto__":{"admin":true}}', '{"constructor":1}', '{"a":"\\ud800"}', '{"targetingKey":"\\udfff"}'])(
  'names and texts of a context are data: %s',
  async (context) => {
    const answer = await raw(FLAGS, `{"context":${context}}`);
    expect(answer.status).toBe(200);
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
  },
);

test('bulk answers every flag once, by one ruleset, with failures inside', async () => {
  const { body } = await ask(FLAGS, { context: {} });
  const { flags: items, metadata, eventStreams } = body;
  expect(items.map(({ key }: { key: string }) => key)).toEqual(Object.keys(flags));
  expect(items.find(({ key }: { key: string }) => key === 'ramp').errorCode).toBe('TARGETING_KEY_MISSING');
  expect(metadata).toEqual({ flagSetId: 'shop', version: '7' });
  expect(eventStreams).toEqual([{ type: 'sse', endpoint: { requestUri: '/ofrep/v1/events' } }]);
});

async function tagOf(context: object): Promise<string> {
  return (await ask(FLAGS, { context })).headers.etag as string;
}

test('the ETag holds as long as ruleset and context do, and answers 304 without a body', async () => {
  const tag = await tagOf({ targetingKey: 'u', plan: 'free' });
  expect(tag).toMatch(/^"[\w-]{22}"$/);
  expect(await tagOf({ plan: 'free', targetingKey: 'u' })).toBe(tag);
  const again = await ask(
    FLAGS,
    { context: { targetingKey: 'u', plan: 'free' } },
    { 'if-none-match': `W/"x", ${tag}` },
  );
  expect([again.status, again.body, again.headers.etag]).toEqual([304, undefined, tag]);
});

test('another context under the same targeting key, another revision, and a time boundary each give another ETag', async () => {
  const seen = [await tagOf({ targetingKey: 'u', plan: 'free' }), await tagOf({ targetingKey: 'u', plan: 'pro' })];
  await clock.advance(3_599_999);
  expect(await tagOf({ targetingKey: 'u', plan: 'free' })).toBe(seen[0]);
  await clock.advance(1);
  seen.push(await tagOf({ targetingKey: 'u', plan: 'free' }));
  publish(8);
  seen.push(await tagOf({ targetingKey: 'u', plan: 'free' }));
  holder.take({ kind: 'Refused', code: 'SLUICE_RULESET_INVALID', message: 'x' });
  seen.push(await tagOf({ targetingKey: 'u', plan: 'free' }));
  expect(new Set(seen).size).toBe(seen.length);
});

test('a client that was told of another configuration gets an answer in full, whatever tag it holds', async () => {
  const etag = await tagOf({});
  const told = await ask(`${FLAGS}?flagConfigEtag=other`, { context: {} }, { 'if-none-match': etag });
  expect(told.status).toBe(200);
});

test('a context without canonical form has no ETag', async () => {
  expect((await raw(FLAGS, '{"context":{"a":"\\ud800"}}')).headers.etag).toBeUndefined();
});

test('answers say stale while there may be a newer ruleset, and no longer', async () => {
  holder.take({ kind: 'Refused', code: 'SLUICE_RULESET_NEWER', message: 'x' });
  expect((await ask(`${FLAGS}/plain`, user())).body.metadata.stale).toBe(true);
  expect((await ask(FLAGS, user())).body.metadata.stale).toBe(true);
  holder.take({ kind: 'Confirmed' });
  expect((await ask(`${FLAGS}/plain`, user())).body.metadata).toEqual({ flagSetId: 'shop', version: '7' });
});

test('a single evaluation by an experiment is an exposure, unless the caller says no', async () => {
  await ask(`${FLAGS}/tested`, user());
  await ask(`${FLAGS}/tested`, user(), { 'sluice-exposure': 'none' });
  await ask(`${FLAGS}/ramp`, user());
  await ask(FLAGS, user());
  expect(exposed).toEqual(['tested control user-1']);
});

test('in bulk, an experiment’s answer carries a token that names arm, phase and the hash of the unit', async () => {
  const { body } = await ask(FLAGS, user());
  const tokens = body.flags.filter((item: { metadata: object }) => 'exposureToken' in item.metadata);
  expect(tokens.map(({ key }: { key: string }) => key)).toEqual(['tested']);
  expect(decodeExposureToken(tokens[0].metadata.exposureToken)).toEqual({
    experiment: 'shop/exp',
    phase: 2,
    arm: 'control',
    unitHash: unitHashOf('installation', 'user-1'),
    revision: 7,
  });
});

test('POST /evaluate answers the keys that are asked for, units before attributes', async () => {
  const body = { units: { targetingKey: 'u' }, attributes: { targetingKey: 'x' }, keys: ['ramp', '__proto__'] };
  const { body: answer } = await ask('/evaluate', body);
  const single = await ask(`${FLAGS}/ramp`, { context: { targetingKey: 'u' } });
  expect(answer).toMatchObject({ flagSetId: 'shop', revision: 7, flags: [single.body, { key: '__proto__' }] });
  expect(answer.flags[1].errorCode).toBe('FLAG_NOT_FOUND');
  expect((await ask('/evaluate', {})).body.flags).toHaveLength(Object.keys(flags).length);
});

test.each([
  ['1,001 keys', { keys: Array(1_001).fill('plain') }, 413],
  ['a text as keys', { keys: 'plain' }, 400],
  ['a number as key', { keys: [1] }, 400],
  ['a list as units', { units: [] }, 400],
  ['a text as attributes', { attributes: 'x' }, 400],
])('POST /evaluate refuses what is no question, by a code: %s', async (_, body, status) => {
  expect(await ask('/evaluate', body)).toMatchObject({
    status,
    body: { code: expect.stringMatching(/^SLUICE_REQUEST_/) },
  });
});

test('GET /config-bundle gives the sealed ruleset, zipped for those who can, with an ETag', async () => {
  const plain = await app.inject({ method: 'GET', url: '/config-bundle' });
  expect(openRuleset(plain.json())).toMatchObject({ ok: true, digest: holder.current?.digest });
  const headers = { 'accept-encoding': 'br, gzip;q=0.8' };
  const zipped = await app.inject({ method: 'GET', url: '/config-bundle', headers });
  expect(gunzipSync(zipped.rawPayload).toString()).toBe(plain.body);
  const { etag } = plain.headers;
  const again = await app.inject({ method: 'GET', url: '/config-bundle', headers: { 'if-none-match': String(etag) } });
  expect([etag, again.statusCode, again.body]).toEqual([`"${holder.current?.digest}"`, 304, '']);
});

test('GET /config-bundle says in a header that there may be a newer one, beside a 304 too', async () => {
  const staleness = async (tag = '') => {
    const headers = { 'if-none-match': tag };
    const answer = await app.inject({ method: 'GET', url: '/config-bundle', headers });
    return [answer.statusCode, answer.headers['sluice-stale']];
  };
  expect(await staleness()).toEqual([200, undefined]);
  holder.take({ kind: 'Refused', code: 'SLUICE_RULESET_NEWER', message: 'x' });
  expect(await staleness()).toEqual([200, 'true']);
  expect(await staleness(`"${holder.current?.digest}"`)).toEqual([304, 'true']);
});

test('a header that asks for gzip is read in one pass, however long', async () => {
  const encodingOf = async (header: string) => {
    const answer = await app.inject({ method: 'GET', url: '/config-bundle', headers: { 'accept-encoding': header } });
    return answer.headers['content-encoding'];
  };
  for (const header of ['gzip', 'br , gzip ; q=0.5 , x', 'gzip;q=1']) expect(await encodingOf(header)).toBe('gzip');
  for (const header of ['', 'gzip;q=0', 'gzipped', 'x-gzip']) expect(await encodingOf(header)).toBeUndefined();
  // In the square of its length this takes half a minute.
  expect(await encodingOf(`gzip${' '.repeat(100_000)}x`)).toBeUndefined();
});

test('HEAD is no way to a stream', async () => {
  const { statusCode, headers } = await app.inject({ method: 'HEAD', url: '/ofrep/v1/events' });
  expect([statusCode, headers.allow, streams.size]).toEqual([405, 'GET', 0]);
});

test('before there is a ruleset, clients get an error that they pass on', async () => {
  const empty = new RulesetHolder({ clock, logger: silent });
  const load = new Load({ requests: 10, bodyBytes: 2 ** 20, largestBodyBytes: 2 ** 20 });
  const early = evaluatorServer({ holder: empty, clock, logger: silent, counts, streams, events: undefined }, load);
  for (const url of [FLAGS, `${FLAGS}/plain`]) {
    const { statusCode, headers, ...response } = await early.inject({ method: 'POST', url });
    const body = response.json();
    expectOfrep(url, { status: statusCode, headers: headers as Record<string, string>, body });
    expect([statusCode, body.code]).toEqual([500, 'SLUICE_EVALUATOR_NOT_READY']);
  }
  await early.close();
});

test('told to fail closed, it refuses every evaluation once the operator was not heard for so long', async () => {
  const closing = new RulesetHolder({ clock, logger: silent, expiresAfterMs: 60_000 as DurationMs });
  const load = new Load({ requests: 10, bodyBytes: 2 ** 20, largestBodyBytes: 2 ** 20 });
  const late = evaluatorServer({ holder: closing, clock, logger: silent, counts, streams, events: undefined }, load);
  closing.take({ kind: 'Ruleset', snapshot: snapshotOf(sealRuleset(rulesetWith(flags))), live: true });
  const statuses = async () => {
    const posts = [FLAGS, `${FLAGS}/plain`, '/evaluate'].map((url) =>
      late.inject({ method: 'POST', url, payload: {} }),
    );
    const all = await Promise.all([...posts, late.inject({ method: 'GET', url: '/config-bundle' })]);
    return all.map((one) => `${one.statusCode} ${one.json().code ?? ''}`);
  };
  expect(await statuses()).toEqual(['200 ', '200 ', '200 ', '200 ']);
  await clock.advance(60_001);
  expect(await statuses()).toEqual(Array(4).fill('500 SLUICE_EVALUATOR_FAIL_CLOSED'));
  closing.take({ kind: 'Confirmed' });
  expect(await statuses()).toEqual(['200 ', '200 ', '200 ', '200 ']);
  closing.stop();
  await late.close();
});

test('what is counted names flags of the ruleset only, and forgets those that are gone', async () => {
  await ask(`${FLAGS}/plain`, user());
  await ask(`${FLAGS}/plain`, user());
  await ask(`${FLAGS}/invented`, user());
  await ask(`${FLAGS}/ramp`, {});
  expect([...counts.entries()]).toEqual([
    { flag: 'plain', variant: 'off', reason: 'STATIC', count: 2 },
    { flag: '', variant: '', reason: 'FLAG_NOT_FOUND', count: 1 },
    { flag: 'ramp', variant: '', reason: 'TARGETING_KEY_MISSING', count: 1 },
  ]);
  publish(8, { plain: flagWith() });
  expect([...counts.entries()].map(({ flag }) => flag)).toEqual(['plain', '']);
});

test('an unknown endpoint says so in the same form', async () => {
  const { statusCode, ...response } = await app.inject({ method: 'GET', url: '/nothing' });
  expect([statusCode, response.json().code]).toEqual([404, 'SLUICE_REQUEST_INVALID']);
});

test('the events’ endpoints come in by registerEvents', async () => {
  expect((await ask('/exposures', {})).status).toBe(202);
});

// When this fails, the document was mended: test/support/ofrep.ts and the README beside it can lose a reading.
test('taken by its letter, OFREP’s document refuses every answer with a value', () => {
  const byLetter = validatorOf(published);
  expect(byLetter(`${FLAGS}/{key}`, 200, { key: 'k', value: true, reason: 'STATIC' })).not.toEqual([]);
  expect(byLetter(`${FLAGS}/{key}`, 200, { key: 'k', reason: 'DEFAULT' })).not.toEqual([]);
});

test('the document names what is served, and methods that a path does not have are told which it has', async () => {
  const document = await app.inject({ url: '/openapi.json' });
  expect(document.headers['content-type']).toMatch(/^application\/json/);
  for (const path of Object.keys(document.json().paths)) {
    const url = path.replace('{key}', 'team%2Fnested');
    const { statusCode, headers, body } = await app.inject({ method: 'DELETE', url });
    expect([url, statusCode, headers.allow]).toEqual([url, 405, expect.stringMatching(/^(GET|GET, HEAD|POST)$/)]);
    expect(JSON.parse(body)).toMatchObject({ errorCode: 'GENERAL', code: 'SLUICE_REQUEST_INVALID' });
  }
  const { body } = await app.inject({ method: 'GET', url: `${FLAGS}/team%2Fnested` });
  expect(JSON.parse(body).key).toBe('team/nested');
});

test('an evaluator that takes no events has none in its document', async () => {
  const load = new Load({ requests: 10, bodyBytes: 2 ** 20, largestBodyBytes: 2 ** 20 });
  const parts = { holder, clock, logger: silent, counts, streams, events: undefined };
  const other = evaluatorServer(parts, load);
  const paths = (await other.inject({ url: '/openapi.json' })).json().paths;
  expect(Object.keys(paths)).not.toContain('/exposures');
  expect((await other.inject({ method: 'DELETE', url: '/exposures' })).statusCode).toBe(404);
  await other.close();
});
