import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { examine } from '../../support/schemathesis.ts';
import { startSidecar } from '../../support/sidecar.ts';

test('a sidecar does what its document says, whatever it is sent', async ({ signal }) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-examined-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const sidecar = await startSidecar(['--file', 'examples/flags', '--events-dir', folder]);
  // The stream never ends, so nobody can wait for its answer.
  const config = `
    [dictionaries.keys]
    values = ["new-search", "one-page-checkout", "none"]
    [parameters]
    "path.key" = { dictionary = "keys", probability = 0.8 }
    [[operations]]
    include-path = "/ofrep/v1/events"
    enabled = false
    [[operations]] # items are judged one by one: a batch with a bad one is taken, and says which it is
    include-path = ["/exposures", "/metrics"]
    checks.negative_data_rejection.expected-statuses = ["202", "400", "413", "415"]
    [checks.negative_data_rejection]
    expected-statuses = ["400", "404", "405", "413", "415"]
    [checks.positive_data_acceptance] # units that flags need cannot be said by a schema
    expected-statuses = ["2xx", "304", "400", "404"]
  `;
  const { status, report } = await examine(
    { url: sidecar.url, document: '/openapi.json', examples: 20, config },
    signal,
  );
  expect(status, report).toBe(0);
  expect(sidecar.log()).not.toContain('"level":"error"');
}, 600_000);
