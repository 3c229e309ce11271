import { OFREPProvider } from '@openfeature/ofrep-provider';
import { OpenFeature } from '@openfeature/server-sdk';
import { afterAll, expect, test } from 'vitest';
import { everywhere, stateless } from '../../../support/openfeature/reasons.ts';
import { runScenarios } from '../../../support/openfeature/run-scenarios.ts';
import { scenarioSidecar } from '../../../support/openfeature/scenario-sidecar.ts';
import { serverWorld } from '../../../support/openfeature/server-world.ts';

// @openfeature/ofrep-provider 0.1.3, the newest that npm has, as applications install it.
const sidecar = scenarioSidecar();
const NO_VALUE = 'this old client takes an answer without value for an error';
const leftOut = [...everywhere, ...stateless, { id: 'evaluation_v2: DISABLED reason', why: NO_VALUE }];

const seen = runScenarios(leftOut, (checked) =>
  serverWorld(
    {
      make(state, fetch) {
        if (state !== 'stable') throw new Error(`no state ${state}`);
        return { provider: new OFREPProvider({ baseUrl: sidecar.url(), fetchImplementation: fetch }) };
      },
    },
    checked,
  ),
);

afterAll(() => expect(seen.answers).toBeGreaterThan(400));

test('a flag that is not enabled gives the default in the code, though this client calls it an error', async () => {
  await OpenFeature.setProviderAndWait('old', new OFREPProvider({ baseUrl: sidecar.url() }));
  const details = await OpenFeature.getClient('old').getStringDetails('string-disabled-flag', 'mine');
  expect(details).toMatchObject({ value: 'mine', reason: 'ERROR', errorCode: 'GENERAL' });
});
