import { expect, test } from 'vitest';
import { SluiceError } from '../../../../src/base/errors.ts';
import { errorOfAnswer } from '../../../../src/kube/response.ts';
import { failureOf } from '../../../../src/server/api/failure.ts';

const refused = (httpStatus: number, body: object, retryAfter?: string) =>
  errorOfAnswer('PATCH /x', { httpStatus, text: JSON.stringify({ kind: 'Status', ...body }), retryAfter }, 0 as never);

const invalid = { reason: 'Invalid', details: { causes: [{ field: 'spec.key' }] } };

test.each([
  [401, {}, 401, 'SLUICE_API_TOKEN'],
  [403, {}, 403, 'SLUICE_KUBE_DENIED'],
  [404, {}, 404, 'SLUICE_KUBE_NOT_FOUND'],
  [409, { reason: 'AlreadyExists' }, 409, 'SLUICE_KUBE_CONFLICT'],
  [410, {}, 410, 'SLUICE_KUBE_EXPIRED'],
  [422, invalid, 422, 'SLUICE_KUBE_REFUSED'],
  [429, {}, 429, 'SLUICE_KUBE_UNAVAILABLE'],
  [500, {}, 502, 'SLUICE_KUBE_UNAVAILABLE'],
  [503, {}, 503, 'SLUICE_KUBE_UNAVAILABLE'],
  [504, {}, 504, 'SLUICE_KUBE_UNAVAILABLE'],
])('a %i of the API server %j is answered by %i and %s', (httpStatus, body, status, code) => {
  const { form, isBug, ...rest } = failureOf(refused(httpStatus, body));
  expect([rest.status, form.code, isBug]).toEqual([status, code, false]);
  expect(form.message).not.toContain(code);
});

test('fields that the API server names are passed on, and how long it asks to wait', () => {
  const causes = [{ field: 'spec.key', message: 'cannot change' }];
  const { form } = failureOf(refused(422, { reason: 'Invalid', details: { causes } }));
  expect(form.problems).toEqual([{ path: 'spec.key', message: 'cannot change' }]);
  expect(failureOf(refused(429, {}, '7')).headers).toEqual({ 'retry-after': '7' });
  expect(failureOf(refused(401, {})).headers).toEqual({ 'www-authenticate': 'Bearer' });
});

test('what nobody has foreseen says nothing of itself', () => {
  for (const error of [new Error('secret'), new SluiceError('SLUICE_RULESET_DIGEST', 'secret'), undefined, 'secret']) {
    const { status, form, isBug } = failureOf(error);
    expect([status, form.code, isBug]).toEqual([500, 'SLUICE_INTERNAL', true]);
    expect(JSON.stringify(form)).not.toContain('secret');
  }
});
