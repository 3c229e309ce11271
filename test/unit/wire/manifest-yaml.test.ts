import { expect, test } from 'vitest';
import { parse, parseAllDocuments, parseDocument, stringify } from 'yaml';
import { plainOf, READ_AS_KUBECTL, WRITE_FOR_KUBECTL } from '../../../src/wire/manifest-yaml.ts';
import { SCALARS_AS_KUBECTL } from '../../support/kubectl-scalars.ts';

const read = (text: string) => plainOf(parseDocument(text, READ_AS_KUBECTL));

test.each(SCALARS_AS_KUBECTL)('%s is read as kubectl reads it', (text, value) => {
  expect(read(`a: ${text}`)).toEqual({ a: value });
});

test('keys become text, merge keys merge, and a directive changes nothing', () => {
  expect(read('on: 1\n2: 3')).toEqual({ true: 1, 2: 3 });
  expect(read('a: &a { x: 1, y1: 2 }\nb: { <<: *a, x: 3 }')).toMatchObject({ b: { x: 3, y1: 2 } });
  expect(read('%YAML 1.2\n---\na: off')).toEqual({ a: false });
});

test.each([
  ['an alias without anchor', 'a: *nowhere'],
  ['more aliases than a person writes', `a: &a [1]\nb: &b [${'*a,'.repeat(60)}]\nc: [${'*b,'.repeat(60)}]`],
  ['a key twice', 'a: 1\na: 2'],
])('%s is refused', (_, text) => {
  expect(() => read(text)).toThrow();
});

test('what is written is read as it was, by readers of YAML 1.1 and 1.2', () => {
  const texts = SCALARS_AS_KUBECTL.map(([text]) => text);
  const value = { ...Object.fromEntries(texts.map((text) => [text, text])), list: [true, 1, 1.5, null, '', '1:30'] };
  const written = stringify(value, WRITE_FOR_KUBECTL);
  expect(read(written)).toEqual(value);
  expect(parse(written)).toEqual(value);
  expect(parseAllDocuments(written, { version: '1.1' }).map((one) => one.toJS())).toEqual([value]);
});
