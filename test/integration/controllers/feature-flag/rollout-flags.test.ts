import { beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../../../hack/cluster/wait.ts';
import { kubeConfig, makeNamespace } from '../../../support/api-server.ts';
import { startFlagController } from '../../../support/flag-controller.ts';
import { flagObject } from '../../../support/flag-objects.ts';
import { installCrds } from '../../../support/install-crds.ts';
import { fullRollout, type Manifest } from '../../../support/manifests.ts';
import { apply, rawApi } from '../../../support/raw-api.ts';

const TIMEOUT_MS = 20_000;

beforeAll(async () => {
  await installCrds(AbortSignal.timeout(60_000));
});

const rolloutPath = (namespace: string) => `/apis/sluice.dev/v1alpha1/namespaces/${namespace}/rollouts/web`;

async function putRollout(namespace: string, stickiness: object | undefined): Promise<void> {
  const { spec } = fullRollout();
  const traffic = { ...spec.traffic, stickiness };
  const object = { apiVersion: 'sluice.dev/v1alpha1', kind: 'Rollout', metadata: { name: 'web' } };
  const answer = await apply(kubeConfig(), rolloutPath(namespace), { ...object, spec: { ...spec, traffic } });
  expect(answer.status, answer.body.message).toBeLessThan(300);
}

/** What the Rollout controller writes at a raise. */
async function recordWeight(namespace: string, weightBp: number, hash = 'abc'): Promise<void> {
  const inFlight = {
    ...{ hash, stableHash: 'old', generation: 2, steps: [{ weight: 50 }], step: 0, weightBp },
    ...{ startedAt: '2026-03-01T12:00:00Z', stage: 'Holding', stageSince: '2026-03-01T12:00:00Z' },
    stickiness: { unit: [{ cookie: 'sluice-unit' }] },
  };
  const body = { status: { phase: 'Progressing', inFlight } };
  const answer = await rawApi(kubeConfig(), 'PATCH', `${rolloutPath(namespace)}/status`, {
    body,
    contentType: 'application/merge-patch+json',
  });
  expect(answer.status, answer.body.message).toBe(200);
}

test('what status records of a Rollout is in the ruleset of its namespace, and in that of the operator', async () => {
  const [home, shop, other] = await Promise.all(['home', 'shop', 'other'].map((name) => makeNamespace(name)));
  const { published } = await startFlagController(home!, [home!, shop!, other!]);
  const latest = (flagSet: string) => published.findLast(({ ruleset }) => ruleset.flagSetId === flagSet)?.ruleset.flags;
  const says = (what: string, holds: () => boolean) =>
    waitFor(async () => holds(), { what, timeoutMs: TIMEOUT_MS, everyMs: 50, signal: AbortSignal.timeout(TIMEOUT_MS) });
  const [key, otherKey] = [`rollout/${shop}/web`, `rollout/${other}/web`];
  const rangesIn = (flags: Manifest) => flags?.[key]?.rules[0]?.admissions[0].ranges;

  await putRollout(shop!, { unit: [{ cookie: 'sluice-unit' }] });
  await putRollout(other!, undefined);
  await says('a flag with nobody in it', () => latest(shop!)?.[key]?.rules.length === 0);
  await says('the same at home', () => latest(home!)?.[key]?.rules.length === 0);
  for (const weightBp of [500, 2_500]) {
    await recordWeight(shop!, weightBp);
    await says(`${weightBp} in both`, () =>
      [shop!, home!].every((flagSet) => rangesIn(latest(flagSet))?.[0]?.[1] === weightBp),
    );
  }
  expect(latest(home!)?.[key]).toEqual(latest(shop!)?.[key]);
  expect(latest(home!)?.[otherKey]).toBeUndefined();
  expect(latest(other!)).toBeUndefined();

  // A flag of the application stands beside it, and a kill goes out while the Rollout is in flight.
  const { metadata: _, ...flag } = flagObject('a', { killSwitch: true });
  const flagPath = `/apis/sluice.dev/v1alpha1/namespaces/${shop}/featureflags/a`;
  await apply(kubeConfig(), flagPath, { ...flag, metadata: { name: 'a' } });
  await says('the kill', () => latest(shop!)?.a?.killSwitch === true && rangesIn(latest(shop!)) !== undefined);
  expect(latest(home!)?.a).toBeUndefined();

  // Flags remember the last revision; of a flag set without any, the leader does.
  const revisionAtHome = () => published.findLast(({ ruleset }) => ruleset.flagSetId === home)?.ruleset.revision ?? 0;
  const before = revisionAtHome();
  await rawApi(kubeConfig(), 'DELETE', `/api/v1/namespaces/${home}/configmaps/sluice-ruleset`);
  await says('the next revision after a lost snapshot', () => revisionAtHome() > before);
  expect(published.filter(({ ruleset }) => ruleset.flagSetId === home && ruleset.revision === 1)).toHaveLength(1);

  await recordWeight(shop!, 0);
  await says('nobody again', () => [shop!, home!].every((flagSet) => latest(flagSet)?.[key]?.rules.length === 0));
  await rawApi(kubeConfig(), 'DELETE', rolloutPath(shop!));
  await says('no flag of a Rollout that is gone', () => latest(home!)?.[key] === undefined);
});
