import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ClientKeys, ticketOf } from '../../../src/evaluator/client-keys.ts';

const FIRST = 'first-key-0123456789';
const SECOND = 'second-key-0123456789';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-keys-'));
  file = join(folder, 'keys');
});

afterEach(() => rmSync(folder, { recursive: true }));

test('each line is a key; comments and empty lines are none', async () => {
  writeFileSync(file, `# web\n${FIRST}\n\r\n ${SECOND} \n`);
  const keys = await ClientKeys.read(file);
  expect([FIRST, SECOND, '# web', '', FIRST.slice(1), `${FIRST} `].map((key) => keys.knows(key))).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});

test('a ticket opens what a ticket opens, and no key is one', async () => {
  writeFileSync(file, FIRST);
  const keys = await ClientKeys.read(file);
  expect([keys.knowsTicket(ticketOf(FIRST)), keys.knowsTicket(FIRST), keys.knows(ticketOf(FIRST))]).toEqual([
    true,
    false,
    false,
  ]);
  expect(keys.knowsTicket(ticketOf(SECOND))).toBe(false);
});

test.each([
  ['is not there', undefined, 'ENOENT'],
  ['is empty', '', 'holds no key'],
  ['has comments only', '# none\n', 'holds no key'],
  ['has a short key', `${FIRST}\nshort-key\n`, 'line 2'],
  ['has a key with spaces', 'a key of some words\n', 'line 1'],
  ['has 101 keys', `${FIRST}\n`.repeat(101), '100 keys'],
  ['is large', `#${'x'.repeat(65_536)}`, '65536 bytes'],
])('a file that %s is refused by a code, without any key in the message', async (_, text, part) => {
  if (text !== undefined) writeFileSync(file, text);
  const error = await ClientKeys.read(file).catch((one: Error) => one);
  expect(String(error)).toContain('SLUICE_SIDECAR_ARGUMENT');
  expect(String(error)).toContain(part);
  expect(String(error)).not.toMatch(/short-key|first-key|of some/);
});
