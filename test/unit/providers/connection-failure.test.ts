import { expect, test } from 'vitest';
import { classifyFailure } from '../../../src/providers/connection-failure.ts';

const failed = (code: string | undefined, more: object = {}) =>
  Object.assign(new Error('failed'), code ? { code } : {}, more);

test.each([
  ['ECONNREFUSED', 'Refused'],
  ['ECONNRESET', 'Reset'],
  ['UND_ERR_SOCKET', 'Reset'],
  ['UND_ERR_CONNECT_TIMEOUT', 'Timeout'],
  ['EHOSTUNREACH', 'Unreachable'],
  ['ENOTFOUND', 'Unresolved'],
  ['EAI_AGAIN', 'Unresolved'],
  ['CERT_HAS_EXPIRED', 'Tls'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'Tls'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'Tls'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'Tls'],
  ['EPROTO', 'Tls'],
  ['HPE_INVALID_CONSTANT', 'Malformed'],
])('%s means %s', (code, cause) => {
  expect(classifyFailure(failed(code))).toMatchObject({ kind: 'ProviderDown', cause });
});

test('any other refusal of the system means that the provider was not reached', () => {
  expect(classifyFailure(failed('EPERM', { syscall: 'connect' }))).toMatchObject({ cause: 'Unreachable' });
});

test('what is no failure of a connection is a bug, and stays one', () => {
  expect(classifyFailure(new TypeError('x is undefined'))).toBeUndefined();
  expect(classifyFailure(failed('ERR_INVALID_ARG_TYPE'))).toBeUndefined();
});
