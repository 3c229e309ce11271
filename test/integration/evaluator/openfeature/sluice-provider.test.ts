import { generateKeyPairSync } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { SluiceProvider } from '../../../../src/sdk/provider/sluice-provider.ts';
import { startTcp } from '../../../support/hostile-server.ts';
import { everywhere } from '../../../support/openfeature/reasons.ts';
import { runScenarios } from '../../../support/openfeature/run-scenarios.ts';
import { scenarioSidecar } from '../../../support/openfeature/scenario-sidecar.ts';
import { type ServerProvider, serverWorld } from '../../../support/openfeature/server-world.ts';
import type { State } from '../../../support/openfeature/world.ts';

// Our own provider, which evaluates by the sidecar's bundle.
const sidecar = scenarioSidecar();

async function make(state: State): Promise<ServerProvider> {
  switch (state) {
    case 'stable':
      return { provider: new SluiceProvider({ url: sidecar.url() }) };
    case 'not ready': {
      const mute = await startTcp(() => {});
      onTestFinished(() => mute.close());
      return { provider: new SluiceProvider({ url: mute.url }) };
    }
    case 'error':
      return { provider: new SluiceProvider({ url: 'http://127.0.0.1:1', readyWithinMs: 50 }) };
    case 'fatal': {
      const { publicKey } = generateKeyPairSync('ed25519'); // nobody has signed with it
      return { provider: new SluiceProvider({ url: sidecar.url(), publicKeys: [publicKey] }) };
    }
    case 'stale': {
      const other = await sidecar.another();
      const provider = new SluiceProvider({ url: other.url, pollMs: 20, staleAfterMs: 200 });
      return { provider, afterwards: () => other.stop() };
    }
  }
}

runScenarios(everywhere, (checked) => serverWorld({ make }, checked));
