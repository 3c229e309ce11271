import { expect, test } from 'vitest';
import { rolloutSpecSchema } from '../../../../src/api/rollout.ts';
import { routerOf, withRouter } from '../../../../src/core/rollout/router.ts';
import { RolloutModel } from '../../../support/rollout-model.ts';

const traffic = (service: string, ...routes: string[]) => ({
  service,
  router: { gatewayAPI: { httpRoutes: routes.map((name) => ({ name })) } },
});
const both = { service: 'web', pinService: true, httpRoutes: ['public', 'internal'] };

/** In the middle of a rollout, when its user names another Service, and one route less. */
function editedInFlight(): RolloutModel {
  const model = new RolloutModel({ traffic: traffic('web', 'public', 'internal') });
  model.run((m) => m.status.reason === 'Healthy');
  model.push('v2');
  model.run((m) => m.status.inFlight?.stage === 'Holding');
  model.spec = { ...model.spec, traffic: { ...model.spec.traffic, ...traffic('shop', 'public'), pinService: false } };
  return model;
}

test('a rollout keeps the router that it began with, and the next one takes that of the spec', () => {
  const model = editedInFlight();
  expect(model.status.inFlight?.router).toEqual(both);
  model.run((m) => m.status.inFlight?.stage === 'ReturningRoute');
  expect(model.status.inFlight?.router).toEqual(both);
  model.run((m) => m.status.phase === 'Healthy' && m.status.inFlight === undefined);
  model.push('v3');
  model.run((m) => m.status.inFlight !== undefined);
  expect(model.status.inFlight?.router).toEqual({ service: 'shop', pinService: false, httpRoutes: ['public'] });
});

test('another template in the middle goes on with helpers and routes as they are', () => {
  const model = editedInFlight();
  model.push('v3');
  model.run((m) => m.status.inFlight?.hash === 'v3');
  expect(model.status.inFlight?.router).toEqual(both);
});

test('only the router is taken from what was frozen', () => {
  const spec = rolloutSpecSchema.parse({
    workload: { name: 'web' },
    traffic: { ...traffic('shop', 'public'), settle: '7s', pinService: false },
    steps: [{ weight: 25 }],
  });
  const frozen = withRouter(spec, both);
  expect(routerOf(frozen)).toEqual(both);
  expect({ ...frozen, traffic: { ...frozen.traffic, ...traffic('shop', 'public'), pinService: false } }).toEqual(spec);
  expect(withRouter(spec, undefined)).toBe(spec);
});
