import { expect, test } from 'vitest';
import { SluiceError } from '../../../../src/base/errors.ts';
import { errorOfAnswer } from '../../../../src/kube/response.ts';
import { failureOf } from '../../../../src/server/api/failure.ts';

const refused = (httpStatus: number, body: object, retryAfter?: string) =>
  errorOfAnswer('PATCH /x', { httpStatus, text: JSON.stringify({ kind: 'Status', ...body }), retryAfter }, 0 as never);

test.each([
  [refused(401, {}), 401, 'SLUICE_API_TOKEN'],
  [refused(403, {}), 403, 'SLUICE_KUBE_DENIED'],
  [refused(404, {}), 404, 'SLUICE_KUBE_NOT_FOUND'],
  [refused(409, { reason: 'AlreadyExists' }), 409, 'SLUICE_KUBE_CONFLICT'],
  [refused(410, {}), 410, 'SLUICE_KUBE_EXPIRED'],
  [refused(422, { reason: 'Invalid', details: { causes: [{ field: 'spec.key' }] } }), 422, 'SLUICE_KUBE_REFUSED'],
  [refused(429, {}), 429, 'SLUICE_KUBE_UNAVAILABLE'],
  [refused(500, {}), 502, 'SLUICE_KUBE_UNAVAILABLE'],
  [refused(503, {}), 503, 'SLUICE_KUBE_UNAVAILABLE'],
  [refused(504, {}), 504, 'SLUICE_KUBE_UNAVAILABLE'],
])('%s is answered with its status and its code', (error, status, code) => {
  const { form, isBug, ...rest } = failureOf(error);
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
