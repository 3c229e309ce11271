import { describe, expect, test } from 'vitest';
import { PLAN_ANNOTATION } from '../../../../src/api/names.ts';
import { lowerRoutes } from '../../../../src/controllers/rollout/write-routes.ts';
import type { KubeClient } from '../../../../src/kube/client.ts';
import { KubeError } from '../../../../src/kube/kube-error.ts';
import type { HttpRoute } from '../../../../src/traffic/gateway-api/http-route.ts';
import type { JsonPatch } from '../../../../src/traffic/json-patch.ts';
import { applyPatch } from '../../../support/json-patch.ts';
import { RolloutNamespace, routeTo, statusInFlight } from '../../../support/rollout-namespace.ts';

const goOf = (revision: string, epoch: number) => ({ rollout: 'uid-catalog', revision, epoch, verdict: 'Go' }) as const;

/** The route as the cache of a Rollout's controller has it, at `weight` for the canary and of `revision`. */
function cached(weight: number, revision: string): RolloutNamespace {
  const namespace = new RolloutNamespace();
  const spec = { service: 'catalog', routes: ['public'], pinService: false };
  namespace.addRollout('catalog', spec, statusInFlight({ stage: 'Routing' }, 3));
  const rule = routeTo('/', ['catalog-stable', 10_000 - weight], ['catalog-canary', weight]);
  namespace.addRoute('public', [rule], goOf(revision, revision === 'v2' ? 2 : 1));
  return namespace;
}

/** Lowers by that cache against a server that is at 25 %, and answers what then stands there. */
async function lowered(namespace: RolloutNamespace) {
  const { client: _, ...context } = namespace.writing('catalog');
  const ahead = new RolloutNamespace();
  const rule = routeTo('/', ['catalog-stable', 7500], ['catalog-canary', 2500]);
  ahead.addRoute('public', [rule], goOf('v2', 3));
  let route = ahead.route('public');
  const calls: string[] = [];
  const client = {
    get: () => {
      calls.push('get');
      return Promise.resolve(route);
    },
    patch: (_resource: unknown, _ref: unknown, { json }: { json: JsonPatch }) => {
      calls.push('patch');
      try {
        route = applyPatch(route, json);
      } catch (error) {
        const failed = { call: 'PATCH /x', httpStatus: 422 };
        return Promise.reject(new KubeError('SLUICE_KUBE_PATCH_TEST', String(error), failed));
      }
      return Promise.resolve(route);
    },
  };
  await lowerRoutes({ ...context, client: client as unknown as KubeClient }, { kind: 'Lower', verdict: 'RolledBack' });
  return { calls, weight: weightOfCanary(route), record: route.metadata.annotations?.[PLAN_ANNOTATION] };
}

const weightOfCanary = (route: HttpRoute) =>
  route.spec.rules?.[0]?.backendRefs?.find(({ name }) => name === 'catalog-canary')?.weight;

describe('a lowering by a cache that is behind leaves nothing at the canary', () => {
  test('when the raise is not in the cache yet', async () => {
    const after = await lowered(cached(0, 'v2'));
    expect(after.weight).toBe(0);
    expect(JSON.parse(after.record ?? '')).toMatchObject({ revision: 'v2', epoch: 3, verdict: 'RolledBack' });
    expect(after.calls).toEqual(['patch', 'patch']);
  });

  test('when the cache still has the record of the former revision', async () => {
    const after = await lowered(cached(0, 'v0'));
    expect(after.weight).toBe(0);
    expect(after.calls).toEqual(['get', 'patch']);
  });
});

test('a lowering by a cache that is not behind is one call', async () => {
  expect(await lowered(cached(2500, 'v2'))).toMatchObject({ weight: 0, calls: ['patch'] });
});
