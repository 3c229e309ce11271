import { afterAll, expect } from 'vitest';
import { ofrepCoreProvider } from '../../../support/openfeature/ofrep-core-provider.ts';
import { everywhere, stateless } from '../../../support/openfeature/reasons.ts';
import { runScenarios } from '../../../support/openfeature/run-scenarios.ts';
import { scenarioSidecar } from '../../../support/openfeature/scenario-sidecar.ts';
import { serverWorld } from '../../../support/openfeature/server-world.ts';

// ofrep-core 2.3, which is how clients speak now.
const sidecar = scenarioSidecar();

const seen = runScenarios([...everywhere, ...stateless], (checked) =>
  serverWorld(
    {
      make(state, fetch) {
        if (state !== 'stable') throw new Error(`no state ${state}`);
        return { provider: ofrepCoreProvider(sidecar.url(), fetch) };
      },
    },
    checked,
  ),
);

afterAll(() => expect(seen.answers).toBeGreaterThan(400));
