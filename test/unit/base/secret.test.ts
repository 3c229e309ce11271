import { format, inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';

test('a secret is seen only where it is asked for by name', () => {
  const secret = new Secret('hush');
  const shown = [
    `${secret}`,
    JSON.stringify({ secret }),
    inspect({ secret }, { showHidden: true }),
    format('%s %o %j', secret, secret, secret),
  ];
  expect(shown.join()).not.toContain('hush');
  expect(shown.join()).toContain('[redacted]');
  expect(secret.reveal()).toBe('hush');
});
