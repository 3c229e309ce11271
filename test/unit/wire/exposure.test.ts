import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeExposureToken, encodeExposureToken, exposureId, unitHashOf } from '../../../src/wire/exposure.ts';

const token = { experiment: 'shop/one-page', phase: 2, arm: 'treatment', unitHash: '0123456789abcdef', revision: 41 };

describe('an exposure', () => {
  test('has the same id whatever the revision', () => {
    expect(exposureId(token)).toBe(exposureId({ ...token, ...{ revision: 42 } }));
    // SHA-256 of ["shop/one-page",2,"0123456789abcdef","treatment"]
    expect(exposureId(token)).toBe('da48ca4fe7aae9a0aa17f0a9dc42ede960afd6a076235d6e5effb94c62cb7674');
  });

  test.each(['experiment', 'phase', 'arm', 'unitHash'] as const)('has another id for another %s', (field) => {
    const other = { ...token, [field]: field === 'phase' ? 3 : 'fedcba9876543210' };
    expect(exposureId(other)).not.toBe(exposureId(token));
  });

  test('survives its token', () => {
    expect(decodeExposureToken(encodeExposureToken(token))).toEqual(token);
  });

  test.each(['experiment', 'arm', 'unitHash'])('has no lone surrogate in its %s', (field) => {
    const text = Buffer.from(JSON.stringify({ ...token, [field]: 'x\ud800' })).toString('base64url');
    expect(decodeExposureToken(text)).toBeUndefined();
  });

  test('comes from no other text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(decodeExposureToken(text)).toBeUndefined();
      }),
    );
    expect(
      decodeExposureToken(Buffer.from(JSON.stringify({ ...token, more: 1 })).toString('base64url')),
    ).toBeUndefined();
  });
});

describe('the hash of a unit', () => {
  test('is the first 8 bytes of SHA-256 over salt and unit', () => {
    // printf 'saltuser-1' | sha256sum
    expect(unitHashOf('salt', 'user-1')).toBe('db62e91f67de4407');
    expect(unitHashOf('other', 'user-1')).not.toBe(unitHashOf('salt', 'user-1'));
  });
});
