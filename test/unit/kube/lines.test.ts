import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lines } from '../../../src/kube/lines.ts';

async function* chunks(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Buffer> {
  let start = 0;
  for (const cut of [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)) {
    yield bytes.subarray(start, cut);
    start = cut;
  }
}

async function all(stream: AsyncIterable<Buffer>, limit = 1_000): Promise<string[]> {
  const whole: string[] = [];
  for await (const line of lines(stream, limit, () => new Error('too long'))) whole.push(line);
  return whole;
}

test('however the bytes are cut into chunks, the lines are the same, and an unfinished one is dropped', async () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', ' '));
  await fc.assert(
    fc.asyncProperty(fc.array(line), line, fc.array(fc.nat()), async (whole, rest, cuts) => {
      const bytes = Buffer.from(whole.map((text) => `${text}\n`).join('') + rest);
      expect(await all(chunks(bytes, cuts))).toEqual(whole);
    }),
  );
});

test('a line beyond the limit is an error, whether or not its end has come', async () => {
  await expect(all(chunks(Buffer.from('12345\n'), []), 4)).rejects.toThrow('too long');
  await expect(all(chunks(Buffer.from('12345'), [1, 2, 3]), 4)).rejects.toThrow('too long');
  expect(await all(chunks(Buffer.from('1234\n'), [2]), 4)).toEqual(['1234']);
});
