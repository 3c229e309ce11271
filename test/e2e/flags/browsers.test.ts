import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { waitFor } from '../../../hack/cluster/wait.ts';
import { OPERATOR_NAMESPACE } from '../../../hack/demo/install.ts';
import { clusterConfig, kubectl } from '../../support/cluster.ts';
import { makeClient } from '../../support/kube-client.ts';
import { ensureSluice, reconfigureSluice } from '../../support/sluice-install.ts';

const PAGE = 'https://shop.example';
const KEY = 'a-key-of-the-shops-pages';
const ID = randomBytes(3).toString('hex');

const flag = (key: string, clientSide: boolean) => ({
  apiVersion: 'sluice.dev/v1alpha1',
  kind: 'FeatureFlag',
  metadata: { name: key, namespace: OPERATOR_NAMESPACE },
  spec: {
    type: 'boolean',
    variants: { on: true, off: false },
    ...{ offVariant: 'off', defaultVariant: 'on', clientSide },
  },
});

test('a page with a key is served on the port for browsers, by its origin, and knows only what is for browsers', async ({
  signal,
  onTestFinished,
}) => {
  await ensureSluice(makeClient(clusterConfig()));
  const here = ['-n', OPERATOR_NAMESPACE];
  const [forPages, forServers, keys] = [`for-pages-${ID}`, `for-servers-${ID}`, `pages-${ID}`];
  onTestFinished(async () => {
    await reconfigureSluice('evaluator.clients.keysSecret=', 'evaluator.clients.origins=null');
    await kubectl([...here, 'delete', 'featureflag', forPages, forServers]);
    await kubectl([...here, 'delete', 'secret', keys]);
  });
  const flags = { apiVersion: 'v1', kind: 'List', items: [flag(forPages, true), flag(forServers, false)] };
  await kubectl(['apply', '-f', '-'], JSON.stringify(flags));
  await kubectl([...here, 'create', 'secret', 'generic', keys, `--from-literal=keys=${KEY}`]);
  await reconfigureSluice(
    'evaluator.enabled=true',
    `evaluator.clients.keysSecret=${keys}`,
    `evaluator.clients.origins={${PAGE}}`,
  );

  const address = await kubectl([...here, 'get', 'service', 'sluice-evaluator', '-o', 'jsonpath={.spec.clusterIP}']);
  const ask = async (key: string, headers: Readonly<Record<string, string>>) => {
    const response = await fetch(`http://${address}:8019/ofrep/v1/evaluate/flags/${key}`, {
      ...{ method: 'POST', body: JSON.stringify({ context: { targetingKey: 'ann' } }), signal },
      headers: { 'content-type': 'application/json', ...headers },
    });
    const allowed = response.headers.get('access-control-allow-origin');
    return { status: response.status, allowed, body: (await response.json()) as object };
  };
  const page = { origin: PAGE, authorization: `Bearer ${KEY}` };
  await waitFor(async () => (await ask(forPages, page)).status === 200, {
    what: 'the flag',
    timeoutMs: 60_000,
    signal,
  });
  expect(await ask(forPages, page)).toMatchObject({ allowed: PAGE, body: { key: forPages, value: true } });
  expect(await ask(forServers, page)).toMatchObject({ status: 404, body: { errorCode: 'FLAG_NOT_FOUND' } });
  expect(await ask(forPages, { origin: PAGE })).toMatchObject({ status: 401 });
  expect(await ask(forPages, { ...page, origin: 'https://other.example' })).toMatchObject({ status: 403 });
});
