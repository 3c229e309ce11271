import { expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { applyDefinitions, type Definition } from '../../../src/kube/apply-definitions.ts';
import { kubeConfig } from '../../support/api-server.ts';
import { makeClient } from '../../support/kube-client.ts';
import { rawApi } from '../../support/raw-api.ts';

const signal = AbortSignal.timeout(60_000);

const definition = (fields: readonly string[]): Definition => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'probes.upgrade.test' },
  spec: {
    group: 'upgrade.test',
    scope: 'Namespaced',
    names: { kind: 'Probe', plural: 'probes', singular: 'probe', listKind: 'ProbeList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: Object.fromEntries(fields.map((field) => [field, { type: 'string' }])),
          },
        },
      },
    ],
  },
});

test('definitions are made, and later replaced whole without touching their objects', async () => {
  const config = kubeConfig();
  const ports = { client: makeClient(config), clock: systemClock };
  await applyDefinitions(ports, [definition(['old', 'kept'])], signal);
  const path = '/apis/upgrade.test/v1/namespaces/default/probes';
  const body = { apiVersion: 'upgrade.test/v1', kind: 'Probe', metadata: { name: 'one' }, kept: 'yes' };
  expect((await rawApi(config, 'POST', path, { body })).status).toBe(201);

  await applyDefinitions(ports, [definition(['kept', 'new'])], signal);
  const { body: stored } = await rawApi(
    config,
    'GET',
    '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/probes.upgrade.test',
  );
  expect(Object.keys(stored.spec.versions[0].schema.openAPIV3Schema.properties)).toEqual(['kept', 'new']);
  expect((await rawApi(config, 'GET', `${path}/one`)).body.kept).toBe('yes');
});
