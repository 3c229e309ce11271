import { Agent, request } from 'undici';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silent } from '../../../src/base/logger.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { FlagInformers } from '../../../src/controllers/feature-flag/informers.ts';
import { loadInstallation } from '../../../src/controllers/feature-flag/installation.ts';
import { rolloutsResource } from '../../../src/controllers/rollout/sources.ts';
import { Informer } from '../../../src/kube/informer.ts';
import { LeaderElection } from '../../../src/kube/leader-election.ts';
import { RulesetService } from '../../../src/server/ruleset-service.ts';
import { SharedRulesets } from '../../../src/server/shared-rulesets.ts';
import { kubeConfig, makeNamespace } from '../../support/api-server.ts';
import { startFlagController } from '../../support/flag-controller.ts';
import { flagObject } from '../../support/flag-objects.ts';
import { installCrds } from '../../support/install-crds.ts';
import { makeClient } from '../../support/kube-client.ts';
import type { Manifest } from '../../support/manifests.ts';
import { apply, rawApi } from '../../support/raw-api.ts';
import { caFileOf, issueTls, startEvaluator, until } from '../../support/stream.ts';

beforeAll(async () => {
  await installCrds(AbortSignal.timeout(60_000));
});

async function tokenOf(namespace: string): Promise<string> {
  const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  const post = (path: string, body: Manifest) => rawApi(kubeConfig(), 'POST', path, { body });
  await post(accounts, { metadata: { name: 'web' } });
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences: ['sluice'] } };
  return (await post(`${accounts}/web/token`, request)).body.status.token;
}

test('a replica that does not lead gives out what the leader wrote to the API server while there is no Redis', async () => {
  const [home, shop] = await Promise.all([makeNamespace('home'), makeNamespace('shop')]);
  const ports = { client: makeClient(), clock: systemClock, random: seededRandom(1), logger: silent };
  const informers = new FlagInformers(
    ports,
    { rollouts: new Informer(ports, { resource: rolloutsResource }).cache, home },
    (flagSet) => shared.look(flagSet),
    () => {},
  );
  const options = { namespace: home, name: 'operator', identity: 'replica' };
  const election = new LeaderElection({ ...ports, monotonicMs: () => performance.now() }, options);
  const shared: SharedRulesets = new SharedRulesets({
    ...ports,
    redis: { url: 'redis://127.0.0.1:1', keyPrefix: 'test:' }, // nobody listens there
    replica: 'replica',
    snapshots: informers.sources.snapshots,
    loadInstallation: (signal) => loadInstallation(ports.client, home, signal),
    silentForMs: () => election.silentForMs,
  });
  const service = new RulesetService({ ...ports, shared });
  const end = new AbortController();
  informers.start();
  const tls = issueTls();
  const port = await service.start({ host: '127.0.0.1', port: 0 }, tls);
  const dispatcher = new Agent({ connect: { ca: tls.ca } });
  onTestFinished(async () => {
    end.abort();
    await Promise.all([service.stop(), informers.stop(), standing]);
  });
  const url = `https://127.0.0.1:${port}`;
  const ask = async () => (await request(`${url}/rulesets/${shop}?subscriber=pod-2`, { dispatcher })).statusCode;
  expect(await ask()).toBe(503); // it has not heard of the API server yet
  // Somebody else holds the lease.
  const lease = { holderIdentity: 'leader', leaseDurationSeconds: 600, renewTime: '2026-01-01T00:00:00.000000Z' };
  const body = { metadata: { name: 'operator' }, spec: lease };
  await rawApi(kubeConfig(), 'POST', `/apis/coordination.k8s.io/v1/namespaces/${home}/leases`, { body });
  const standing = election.run(async () => {}, end.signal);
  await until('service', async () => (await ask()) === 401);

  await startFlagController(home, [shop]);
  const put = (spec: Manifest) => {
    const path = `/apis/sluice.dev/v1alpha1/namespaces/${shop}/featureflags/checkout`;
    const { metadata: _, ...object } = flagObject('checkout', spec);
    return apply(kubeConfig(), path, { ...object, metadata: { name: 'checkout' } });
  };
  await put({ defaultVariant: 'on' });
  const token = await tokenOf(shop);
  const evaluator = await startEvaluator(url, { flagSetId: shop, token, caFile: await caFileOf(tls) });
  await until('the ruleset', () => evaluator.running()?.revision === 1);
  await put({ defaultVariant: 'on', killSwitch: true });
  await until('the kill switch', () => evaluator.running()?.revision === 2);
  expect(service.subscribers).toBe(1);
  expect(shared.redis?.isUp).toBe(false);
});
