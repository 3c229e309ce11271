import { describe, expect, test } from 'vitest';
import { encodeRolloutStatus } from '../../../../src/api/parse.ts';
import { rolloutStatusSchema } from '../../../../src/api/rollout-status.ts';
import { admitDeployment } from '../../../../src/controllers/rollout/gate.ts';
import { workloadSeen } from '../../../../src/controllers/rollout/gather-workload.ts';
import { TAKEN_OVER_ANNOTATION } from '../../../../src/controllers/rollout/manifests.ts';
import { newMemory } from '../../../../src/controllers/rollout/memory.ts';
import { olderRival } from '../../../../src/controllers/rollout/rivals.ts';
import { type CustomObject, indexes, type Sources } from '../../../../src/controllers/rollout/sources.ts';
import type { WriteContext } from '../../../../src/controllers/rollout/write-context.ts';
import { removeHelpers } from '../../../../src/controllers/rollout/write-services.ts';
import type { Deployment, ReplicaSet, Service } from '../../../../src/kube/builtins.ts';
import { Cache } from '../../../../src/kube/cache.ts';
import { fullRollout, type Manifest } from '../../../support/manifests.ts';

const namespace = 'shop';
const AT = '2026-11-01T10:00:00Z';

function rollout(name: string, creationTimestamp = AT, more: Manifest = {}): CustomObject {
  const metadata = { name, namespace, uid: `uid-${name}`, creationTimestamp, ...more };
  const status = rolloutStatusSchema.parse({ phase: 'Healthy', stable: { hash: 'v1', since: AT } });
  return { ...fullRollout(), metadata, status: encodeRolloutStatus(status) };
}

function sourcesOf(...all: CustomObject[]): Sources {
  const rollouts = new Cache(indexes.rollouts);
  rollouts.replaceAll(all);
  const sets = new Cache<ReplicaSet, 'owner' | 'rollout'>(indexes.replicaSets);
  return { rollouts, replicaSets: sets, controllerRevisions: new Cache(indexes.controllerRevisions) } as never;
}

function deployment(image = 'catalog:v1', annotations: Manifest = {}): Deployment {
  const template = { metadata: { labels: { app: 'catalog' } }, spec: { containers: [{ name: 'app', image }] } };
  const labels = { 'sluice.dev/gate': 'enabled' };
  const metadata = { name: 'catalog', namespace, uid: 'uid-deployment', labels, annotations };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas: 1, template } } as never;
}

describe('of two Rollouts of one second', () => {
  test.each([
    ['a', 'b'],
    ['b', 'a'],
  ])('the gate holds for the one that is not refused, in whatever order they come (%s, %s)', async (...names) => {
    const all = names.map((name) => rollout(name));
    const sources = sourcesOf(...all);
    const { spec } = fullRollout();
    expect(all.map((one) => olderRival(sources, one, spec)?.metadata.name)).toEqual(
      names.map((name) => (name === 'b' ? 'a' : undefined)),
    );
    const answer = await admitDeployment(
      sources,
      'operator',
    )({ oldObject: deployment(), object: deployment('catalog:v2'), userInfo: { username: 'ann' } } as never);
    expect(JSON.stringify(answer)).toContain('"value":"a"');
  });
});

describe('the gate label that Sluice set', () => {
  const seenBy = (one: CustomObject, ...others: CustomObject[]) =>
    workloadSeen(
      sourcesOf(one, ...others),
      one,
      deployment('catalog:v1', { 'sluice.dev/gate-added': 'true' }),
      [],
      'v1',
    ).gateLabelOurs;
  const ending = { deletionTimestamp: AT };
  const later = '2026-11-01T11:00:00Z';

  test('goes with the only Rollout of the Deployment', () => {
    const elsewhere = { ...rollout('b'), spec: { ...fullRollout().spec, workload: { name: 'other' } } };
    expect([seenBy(rollout('a')), seenBy(rollout('a'), elsewhere)]).toEqual([true, true]);
  });

  test('stays while another Rollout names the Deployment, whichever of the two is older', () => {
    expect(seenBy(rollout('a', AT, ending), rollout('b', later))).toBe(false);
    expect(seenBy(rollout('b', later, ending), rollout('a'))).toBe(false);
  });

  test('goes with the older of two that are both deleted', () => {
    const [older, younger] = [rollout('a', AT, ending), rollout('b', later, ending)];
    expect([seenBy(older, younger), seenBy(younger, older)]).toEqual([true, false]);
  });
});

describe('a set with the template that the Deployment asks for', () => {
  const keeps = (owner: string, annotations: Manifest = {}) => {
    const asked = deployment('catalog:v2');
    const labels = { app: 'catalog', 'pod-template-hash': 'v2' };
    const ownerReferences = [{ controller: true, uid: owner }];
    const metadata = { name: 'catalog-v2', namespace, labels, annotations, ownerReferences };
    const set = { metadata, spec: { template: asked.spec?.template } } as unknown as ReplicaSet;
    return workloadSeen(sourcesOf(), rollout('a'), asked, [set], 'v1').keepsSet;
  };

  test('is kept where it is the Deployment’s own', () => {
    expect(keeps('uid-deployment')).toBe(true);
  });

  test('is kept where a rollback left it taken over, so that the next one leaves it so again', () => {
    expect(keeps('uid-record', { [TAKEN_OVER_ANNOTATION]: 'true' })).toBe(true);
  });

  test('is not kept where the rollout made it', () => {
    expect(keeps('uid-record')).toBe(false);
  });
});

test('only helper Services that were made for the Rollout are removed', async () => {
  const service = (name: string, labels: Manifest): Service =>
    ({ metadata: { name, namespace, uid: `uid-${name}`, labels } }) as never;
  const there = new Cache<Service>({});
  there.replaceAll([service('catalog-stable', { 'sluice.dev/rollout': 'a' }), service('catalog-canary', {})]);
  const deletedBy = async (name: string) => {
    const deleted: string[] = [];
    await removeHelpers({
      client: { delete: async (_resource: unknown, ref: { name: string }) => void deleted.push(ref.name) },
      sources: { services: there },
      memory: newMemory(),
      gathered: { rollout: rollout(name), observed: { spec: fullRollout().spec } },
    } as unknown as WriteContext);
    return deleted;
  };
  expect(await deletedBy('b')).toEqual([]);
  expect(await deletedBy('a')).toEqual(['catalog-stable']);
});
