import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { admissionDraw, armDraw, bucketOf } from '../../../../src/core/evaluation/hash.ts';
import { hashAfter, murmur3, stateAfter } from '../../../../src/core/evaluation/murmur3.ts';

const vectors = JSON.parse(readFileSync('test/conformance/sluice/hash.json', 'utf8')) as {
  texts: { text: string; hash: number; bucket: number }[];
  units: { salt: string; unit: string; bucket: number }[];
};

/** The definition read over bytes, as SMHasher has it, to hold the fast one against. */
function murmur3OfBytes(bytes: Uint8Array, seed: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rotated = (x: number, bits: number) => (x << bits) | (x >>> (32 - bits));
  const scrambled = (k: number) => Math.imul(rotated(Math.imul(k, 0xcc9e2d51), 15), 0x1b873593);
  const whole = bytes.length - (bytes.length % 4);
  let h = seed;
  for (let at = 0; at < whole; at += 4) {
    h = (Math.imul(rotated(h ^ scrambled(view.getUint32(at, true)), 13), 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let at = bytes.length - 1; at >= whole; at--) tail = (tail << 8) | view.getUint8(at);
  if (whole < bytes.length) h ^= scrambled(tail);
  h ^= bytes.length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

describe('murmur3', () => {
  test.each(vectors.texts)('gives the published hash of "$text"', ({ text, hash, bucket }) => {
    expect(murmur3(text, 0)).toBe(hash);
    expect(Math.floor((hash * 10_000) / 2 ** 32)).toBe(bucket);
  });

  test('is the definition over the UTF-8 bytes, for any text and wherever it is cut', () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 });
    fc.assert(
      fc.property(text, text, fc.integer(), (one, other, seed) => {
        const bytes = Buffer.concat([Buffer.from(one.toWellFormed()), Buffer.from(other.toWellFormed())]);
        expect(hashAfter(stateAfter(one, seed), other)).toBe(murmur3OfBytes(bytes, seed));
      }),
      { numRuns: 2_000 },
    );
  });

  test('takes lone surrogates for U+FFFD', () => {
    expect(murmur3('a\ud800b', 0)).toBe(murmur3('a\ufffdb', 0));
    expect(murmur3('a\udc00', 0)).toBe(murmur3('a\ufffd', 0));
  });
});

describe('buckets', () => {
  test.each(vectors.units)('of $salt and $unit are as published', ({ salt, unit, bucket }) => {
    expect(bucketOf(salt, unit)).toBe(bucket);
    expect(armDraw('murmur3-32/1', salt, 10_000)(unit)).toBe(bucket);
    expect(admissionDraw('murmur3-32/1', salt)(unit)).toBe(bucket);
  });

  test('are exact in doubles, and refinable without moving anyone', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (hash) => {
        const coarse = Math.floor((hash * 10_000) / 2 ** 32);
        expect(coarse).toBe(Number((BigInt(hash) * 10_000n) >> 32n));
        expect(Math.floor(Math.floor((hash * 100_000) / 2 ** 32) / 10)).toBe(coarse);
      }),
      { numRuns: 10_000 },
    );
  });

  test('are uniform: chi-square over 100 cells stays below its 1e-6 quantile for 50 salts', () => {
    for (let salt = 0; salt < 50; salt++) {
      const counts = new Array<number>(100).fill(0);
      const draw = armDraw('murmur3-32/1', `experiment/shop/exp-${salt}#1`, 10_000);
      for (let user = 0; user < 10_000; user++) counts[Math.floor(draw(`user-${user}`) / 100)]! += 1;
      const chiSquare = counts.reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0);
      expect(chiSquare).toBeLessThan(181.8); // 99 degrees of freedom, 1 − 1e-6
    }
  });

  test('are independent across salts: chi-square of a 10 × 10 table stays below its 1e-6 quantile', () => {
    const salts = [
      'experiment/shop/a',
      'experiment/shop/a#1',
      'experiment/shop/b',
      'layer/shop/a',
      'flag/shop/a#1',
      'flag/shop/a#2',
    ];
    const draws = salts.map((salt) => armDraw('murmur3-32/1', salt, 10_000));
    for (const [index, one] of draws.entries()) {
      for (const other of draws.slice(index + 1)) {
        const table = new Array<number>(100).fill(0);
        for (let user = 0; user < 20_000; user++) {
          const unit = `${user}`;
          table[Math.floor(one(unit) / 1_000) * 10 + Math.floor(other(unit) / 1_000)]! += 1;
        }
        const chiSquare = table.reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0);
        expect(chiSquare).toBeLessThan(181.8);
      }
    }
  });
});

describe('hashes of imported flags', () => {
  test('flagd/2 scales the whole hash by the sum of weights', () => {
    // Texts whose hashes are the ends and the middle of the space (flagd, fractional evaluation).
    const draw = armDraw('flagd/2', '', 2 ** 31 - 1);
    expect(murmur3('ejOoVL', 0)).toBe(0);
    expect(draw('ejOoVL')).toBe(0);
    expect(murmur3('ceQdGm', 0)).toBe(2 ** 32 - 1);
    expect(draw('ceQdGm')).toBe(2 ** 31 - 2);
    expect(murmur3('6LvT0', 0)).toBe(2 ** 31);
    expect(draw('6LvT0')).toBe(2 ** 30 - 1);
    expect(armDraw('flagd/2', 'ceQ', 100)('dGm')).toBe(99);
  });

  test('unleash/1 admits by whole percents and draws variants with another seed', () => {
    const group = 'Feature.flexibleRollout.10';
    const percentOf = (unit: string) => admissionDraw('unleash/1', group)(unit) / 100;
    for (const unit of ['174', '499', 'x']) {
      expect(percentOf(unit)).toBe(murmur3(`${group}:${unit}`, 0) % 100);
      expect(armDraw('unleash/1', group, 3)(unit)).toBe(murmur3(`${group}:${unit}`, 86_028_157) % 3);
    }
  });
});
