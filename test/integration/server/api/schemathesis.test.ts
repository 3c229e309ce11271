import { beforeAll, expect, test } from 'vitest';
import { kubeConfig, makeNamespace } from '../../../support/api-server.ts';
import { accountWith, startApi } from '../../../support/api-service.ts';
import { startFlagController } from '../../../support/flag-controller.ts';
import { flagObject } from '../../../support/flag-objects.ts';
import { installCrds } from '../../../support/install-crds.ts';
import type { Manifest } from '../../../support/manifests.ts';
import { apply } from '../../../support/raw-api.ts';
import { examine } from '../../../support/schemathesis.ts';

beforeAll(() => installCrds(AbortSignal.timeout(60_000)));

test('the HTTP API does what its document says, whatever it is sent', async ({ signal }) => {
  const namespace = await makeNamespace('examined');
  await startFlagController(namespace, [namespace]);
  const token = await accountWith(namespace, 'examiner', ['get', 'list', 'create', 'patch']);
  for (const [name, key] of Object.entries({ plain: 'plain', other: 'team/nested key' })) {
    const { metadata: _, ...object } = flagObject(name, { key }) as Manifest;
    const path = `/apis/sluice.dev/v1alpha1/namespaces/${namespace}/featureflags/${name}`;
    expect((await apply(kubeConfig(), path, { ...object, metadata: { name } })).status).toBe(201);
  }
  const { url, ca } = await startApi();
  // Most cases speak of what is there: the others all end at 404.
  const config = `
    [dictionaries.namespaces]
    values = ["${namespace}"]
    [dictionaries.keys]
    values = ["plain", "team/nested key", "other", "none"]
    [parameters]
    "path.namespace" = { dictionary = "namespaces", probability = 0.95 }
    "path.key" = { dictionary = "keys", probability = 0.8 }
    [checks.negative_data_rejection]
    expected-statuses = ["400", "401", "403", "404", "405", "413", "415", "422"]
    # A schema cannot say that names in a spec must be defined in it, that a version still stands, or what a page's end is.
    [checks.positive_data_acceptance]
    expected-statuses = ["2xx", "304", "400", "403", "404", "409", "412", "422"]
  `;
  const { status, report } = await examine(
    { url, document: '/api/v1/openapi.json', ca, token, examples: 10, config },
    signal,
  );
  expect(status, report).toBe(0);
}, 600_000);
