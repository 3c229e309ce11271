import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import type { Provider } from '@openfeature/web-sdk';
import { afterAll, expect, onTestFinished } from 'vitest';
import { json, startHttp, startTcp } from '../../../support/hostile-server.ts';
import { everywhere } from '../../../support/openfeature/reasons.ts';
import { runScenarios } from '../../../support/openfeature/run-scenarios.ts';
import { scenarioSidecar } from '../../../support/openfeature/scenario-sidecar.ts';
import { webWorld } from '../../../support/openfeature/web-world.ts';
import type { Level, State } from '../../../support/openfeature/world.ts';

// @openfeature/ofrep-web-provider 0.4.3 with the web SDK. test/integration/sdk/browser.test.ts has it in a browser.
const sidecar = scenarioSidecar();
const ONE_CONTEXT = 'the web SDK has one context, that of the API';
const OVERWRITES = 'context entry in one level overwrites values with the same key from preceding levels';
const merging = [
  'A context entry is added to a single level',
  `For a transaction, a ${OVERWRITES}`,
  `For a hook, a ${OVERWRITES}`,
  `For a transaction and a hook, ${OVERWRITES}`,
];
const levels: readonly Level[] = ['Transaction', 'Client', 'Invocation', 'Before Hooks'];
/** Outlines with a row for each level; and scenarios that have all levels at once. */
const otherLevels = [
  ...merging.flatMap((name) => levels.map((level) => `${name} [${level}]`)),
  ...['transaction,', 'hook,', 'transaction and a hook,'].map(
    (what) => `For a ${what} a context entry is added to each`,
  ),
].filter((name) => !/For a transaction, .*Before Hooks|For a hook, .*Transaction\]/.test(name)); // there are no such rows
const leftOut = [
  ...everywhere,
  ...otherLevels.map((name) => ({ id: `contextMerging: ${name}`, why: ONE_CONTEXT })),
  { id: 'evaluation_v2: Asynchronous flag evaluation', why: 'the web SDK answers from memory, at once' },
];

const ends = (server: { url: string; close(): Promise<void> }): string => {
  onTestFinished(() => server.close());
  return server.url;
};

/** Where a provider comes into each state. */
async function addressFor(state: State): Promise<{ baseUrl: string; afterwards?: () => Promise<unknown> }> {
  switch (state) {
    case 'stable':
      return { baseUrl: sidecar.url() };
    case 'not ready':
      return { baseUrl: ends(await startTcp(() => {})) }; // it listens and says nothing
    case 'error':
      return { baseUrl: 'http://127.0.0.1:1' };
    case 'fatal':
      // As a proxy before the evaluator says it.
      return { baseUrl: ends(await startHttp((response) => json(response, 401, {}))) };
    case 'stale': {
      const other = await sidecar.another();
      return { baseUrl: other.url, afterwards: () => other.stop() };
    }
  }
}

const seen = runScenarios(leftOut, (checked) =>
  webWorld(
    {
      async make(state, checkedFetch) {
        const { baseUrl, afterwards } = await addressFor(state);
        // What is no sidecar's answer is not held to its document.
        const fetchImplementation = state === 'fatal' ? fetch : checkedFetch;
        const polling = state === 'stale' ? { pollInterval: 50, changeDetection: 'polling' as const } : {};
        const provider = new OFREPWebProvider({ baseUrl, fetchImplementation, ...polling }) as Provider;
        return { provider, ...(afterwards && { afterwards }) };
      },
    },
    checked,
  ),
);

afterAll(() => expect(seen.answers).toBeGreaterThan(100));
