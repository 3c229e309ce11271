import { describe, expect, test } from 'vitest';
import { presentable } from '../../../src/providers/presentable.ts';
import { readAnswer } from '../../../src/providers/prometheus-answer.ts';
import type { Answer } from '../../../src/providers/provider.ts';

const remarks = { warnings: [], infos: [] };
const asJson = { 'content-type': 'application/json; charset=utf-8' };

const read = (status: number, content: unknown, headers: Record<string, string> = asJson) =>
  readAnswer({ status, headers, body: Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)) });

const success = (resultType: string, result: unknown, more: object = {}) => ({
  status: 'success',
  data: { resultType, result },
  ...more,
});
const one = (value: string) => success('vector', [{ metric: {}, value: [1000.5, value] }]);
const failure = (errorType: string, error = 'text') => ({ status: 'error', errorType, error });

describe('a value', () => {
  test.each([
    ['0', 0],
    ['-0.25', -0.25],
    ['1e-09', 1e-9],
    ['1.7976931348623157e+308', Number.MAX_VALUE],
  ])('is read from %s, in a vector and as a scalar', (text, value) => {
    expect(read(200, one(text))).toEqual({ kind: 'Value', value, at: 1_000_500, remarks });
    expect(read(200, success('scalar', [1000.5, text]))).toEqual({ kind: 'Value', value, at: 1_000_500, remarks });
  });

  test.each(['NaN', '+Inf', '-Inf'])('%s is no number', (text) => {
    expect(read(200, one(text))).toEqual({ kind: 'NotANumber', text, remarks });
  });

  test.each(['', ' ', '0x10', '1,5', 'null', 'Infinity', '1e999', 'nan'])(
    'that is written as "%s" is malformed, never 0',
    (text) => {
      expect(read(200, one(text))).toMatchObject({ kind: 'ProviderDown', cause: 'Malformed' });
    },
  );
});

test.each([
  [true, ['the provider calls its answer partial', 'slow']],
  [false, ['slow']],
])('isPartial %s of VictoriaMetrics is a warning where it is true', (isPartial, warnings) => {
  const answer = read(200, { ...one('1'), isPartial, warnings: ['slow'] });
  expect(answer).toMatchObject({ kind: 'Value', remarks: { warnings } });
});

describe('a result', () => {
  test('without series is empty', () => {
    expect(read(200, success('vector', []))).toEqual({ kind: 'Empty', remarks });
  });

  test('of several series says how many, and which', () => {
    const series = ['a', 'b', 'c'].map((pod) => ({ metric: { pod }, value: [1, '2'] }));
    expect(read(200, success('vector', series))).toEqual({
      kind: 'SeveralSeries',
      count: 3,
      message: '3 series where one is wanted, such as {pod="a"} and {pod="b"}',
      remarks,
    });
  });

  test.each([
    ['a range', success('matrix', [])],
    ['a string', success('string', [1, 'text'])],
    ['a histogram', success('vector', [{ metric: {}, histogram: [1, { count: '5' }] }])],
  ])('that is %s can never be one number', (_, content) => {
    expect(read(200, content)).toMatchObject({ kind: 'BadQuery' });
  });

  test('keeps what the provider remarked', () => {
    const more = { warnings: ['a store is away'], infos: ['not a counter'] };
    expect(read(200, { ...one('1'), ...more })).toMatchObject({ kind: 'Value', remarks: more });
    expect(read(200, { ...one('1'), warnings: null })).toMatchObject({ kind: 'Value', remarks });
  });
});

describe('what is no answer of this protocol is malformed', () => {
  test.each([
    ['a page', '<html>', { 'content-type': 'text/html' }],
    ['no type', JSON.stringify(one('1')), {}],
    ['an encoded body', JSON.stringify(one('1')), { ...asJson, 'content-encoding': 'gzip' }],
    ['nothing', '', asJson],
    ['other JSON', '[]', asJson],
    ['a failure with status 200', JSON.stringify(failure('bad_data')), asJson],
    ['an unknown type', JSON.stringify(success('tensor', [])), asJson],
    ['a vector that is none', JSON.stringify(success('vector', { length: 1 })), asJson],
    ['a series that is none', JSON.stringify(success('vector', ['x'])), asJson],
    ['a sample that is none', JSON.stringify(success('scalar', [1, 2])), asJson],
    ['a series without sample', JSON.stringify(success('vector', [{ metric: {} }])), asJson],
    ['deep nesting', '['.repeat(500_000), asJson],
  ])('%s', (_, body, headers) => {
    expect(read(200, body, headers as Record<string, string>)).toMatchObject({
      kind: 'ProviderDown',
      cause: 'Malformed',
    });
  });

  test('bytes that are no UTF-8', () => {
    const body = Buffer.concat([Buffer.from('{"status":"'), Buffer.from([0xff]), Buffer.from('"}')]);
    expect(readAnswer({ status: 200, headers: asJson, body })).toMatchObject({ cause: 'Malformed' });
  });
});

describe('a status', () => {
  test('400 bad_data is a mistake in the query', () => {
    expect(read(400, failure('bad_data', 'parse error'))).toEqual({ kind: 'BadQuery', message: 'parse error' });
  });

  test.each([
    ['400 of a proxy says nothing about the query', 400, 'Bad Request', 'Http4xx'],
    ['400 of another kind neither', 400, failure('execution'), 'Http4xx'],
    ['401', 401, 'Unauthorized', 'Unauthorized'],
    ['403', 403, failure('forbidden'), 'Unauthorized'],
    ['404', 404, '404 page not found', 'NotFound'],
    ['405', 405, '', 'Http4xx'],
    ['422', 422, failure('execution', 'many-to-many'), 'Http422'],
    ['429', 429, failure('too_many_requests'), 'RateLimited'],
    ['500', 500, failure('internal'), 'Http5xx'],
    ['503 while it stops', 503, failure('canceled'), 'Http5xx'],
    ['503 at its own deadline', 503, failure('timeout'), 'Timeout'],
    ['503 of a balancer', 503, '<html>no backend</html>', 'Http5xx'],
    ['204', 204, '', 'Malformed'],
    ['304', 304, '', 'Redirect'],
  ])('%s', (_, status, content, cause) => {
    expect(read(status, content)).toMatchObject({ kind: 'ProviderDown', cause });
  });

  test('of something that is no Prometheus brings none of its text', () => {
    const answer = read(500, '{"token":"abc"}');
    expect(answer).toEqual({ kind: 'ProviderDown', cause: 'Http5xx', message: 'HTTP 500' });
  });
});

describe('what others may read', () => {
  const bad = (message: string): Answer => ({ kind: 'BadQuery', message });

  test('holds no credential, also where shortening would cut it', () => {
    const secret = 'hush-hush-hush';
    expect(presentable(bad(`${'x'.repeat(295)}${secret}`), [secret])).toEqual(bad(`${'x'.repeat(295)}[red…`));
    const several: Answer = {
      kind: 'SeveralSeries',
      count: 2,
      message: secret,
      remarks: { warnings: [secret], infos: [`a ${secret} b`] },
    };
    expect(JSON.stringify(presentable(several, [secret]))).not.toContain('hush');
  });

  test('is short, and on one line', () => {
    expect(presentable(bad('a\nb\u0000\u202ec'), [])).toEqual(bad('a b  c'));
    const answer: Answer = { kind: 'Empty', remarks: { warnings: new Array(100).fill('w'.repeat(1000)), infos: [] } };
    const shown = presentable(answer, []);
    expect(shown.kind === 'Empty' && shown.remarks.warnings.map(({ length }) => length)).toEqual([
      300, 300, 300, 300, 300,
    ]);
  });
});
