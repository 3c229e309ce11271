import { expect, test } from 'vitest';
import type { Logger } from '../../../src/base/logger.ts';
import { silent } from '../../../src/base/logger.ts';
import { warnOfForeignUser } from '../../../src/controllers/rollout/gate-identity.ts';
import { whoAmI } from '../../../src/kube/who-am-i.ts';
import { makeClient } from '../../support/kube-client.ts';

const signal = AbortSignal.timeout(60_000);

/** What is logged when the gate lets this user's writes pass. */
async function loggedFor(operatorUser: string): Promise<[object, string][]> {
  const logged: [object, string][] = [];
  const logger: Logger = { ...silent, error: (facts, message) => void logged.push([facts, message]) };
  await warnOfForeignUser({ client: makeClient(), logger }, operatorUser, signal);
  return logged;
}

test('an operator that is not the user of the gate says so, with a code', async () => {
  const operatorUser = 'system:serviceaccount:sluice-system:sluice-operator';
  const [[facts, message] = [{}, '']] = await loggedFor(operatorUser);
  expect(facts).toMatchObject({ code: 'SLUICE_OPERATOR_USER', operatorUser });
  expect(message).toContain('SLUICE_OPERATOR_USER: this operator is ');
});

test('the right one says nothing', async () => {
  const user = await whoAmI(makeClient(), { signal });
  expect(await loggedFor(user ?? '')).toEqual([]);
});
