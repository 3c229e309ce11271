import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Guardrail } from '../../../../src/api/guardrail.ts';
import type { RolloutSpecInput } from '../../../../src/api/rollout.ts';
import { initManifest } from '../../../../src/cli/init-manifest.ts';
import { newMemory } from '../../../../src/controllers/rollout/memory.ts';
import { combine, render } from '../../../../src/controllers/rollout/sample.ts';
import type { CustomObject, Sources } from '../../../../src/controllers/rollout/sources.ts';
import { watchOf } from '../../../../src/controllers/rollout/watching.ts';
import type { SampleAnswer } from '../../../../src/core/guardrails/judge.ts';
import type { Answer } from '../../../../src/providers/provider.ts';
import { manifestsIn } from '../../../support/manifests.ts';
import { RolloutModel } from '../../../support/rollout-model.ts';

const presets = new Map(manifestsIn('examples/metrics').map(([, manifest]) => [manifest.metadata.name, manifest]));
const rollout: CustomObject = { apiVersion: 'v1', kind: 'Rollout', metadata: { namespace: 'shop', name: 'web' } };
const ready = { metadata: { name: 'pod' }, status: { conditions: [{ type: 'Ready', status: 'True' }] } };

/** What `kubectl sluice init` prints. */
const fromInit = (): RolloutSpecInput =>
  parse(
    initManifest({
      ...{ namespace: 'shop', deployment: 'web', service: 'web', httpRoutes: ['web'] },
      ...{ otherServices: [], metrics: [] },
    }),
  ).spec;

/** The model, asked through what the controller asks, before a Prometheus that has a number only of those that serve. */
function modelOf({ steps, guardrails = [], mode = 'Act' }: RolloutSpecInput): RolloutModel {
  const model = new RolloutModel({ steps, guardrails, mode });
  model.answer = (guardrail) => answerFor(model, guardrail);
  return model;
}

function answerFor(model: RolloutModel, { name }: Guardrail): SampleAnswer {
  const silent: SampleAnswer = { kind: 'NoEvidence', reason: 'EmptyResult', message: 'nobody asks' };
  const watch = watchOf(sourcesOf(model), newMemory(), rollout, model.spec, model.status, model.now);
  const question = watch?.questions.find(({ rule }) => rule.guardrail.name === name);
  const asked = watch && question && render(question, watch.subject);
  if (!asked || 'mistake' in asked) return silent;
  const answers = {
    value: answerTo(model, asked.value),
    stable: asked.stable === undefined ? undefined : answerTo(model, asked.stable),
    requests: undefined,
  };
  return combine(question.rule, answers, model.status.guardrails.find((one) => one.name === name)?.stableValue);
}

function sourcesOf(model: RolloutModel): Sources {
  const byIndex = (_: string, key: string) => (serves(model, key.replace('shop/', '')) ? [ready] : []);
  const metrics = { get: ({ name }: { name: string }) => presets.get(name) };
  return { metrics, pods: { byIndex }, presetNamespace: 'sluice', defaultGuardrails: [] } as unknown as Sources;
}

function answerTo(model: RolloutModel, text: string): Answer {
  const hash = /v\d/.exec(text)?.[0] ?? '';
  const remarks = { warnings: [], infos: [] };
  return serves(model, hash)
    ? { kind: 'Value', value: 0.005, at: model.now, remarks }
    : { kind: 'NotANumber', text: 'NaN', remarks };
}

function serves(model: RolloutModel, hash: string): boolean {
  const { plan } = model.route;
  if (plan.kind !== 'Split') return (model.sets.get(hash)?.available ?? 0) > 0;
  return hash === model.helpers?.canary ? plan.canaryBp > 0 : plan.canaryBp < 10_000;
}

const healthy = (model: RolloutModel) => model.status.phase === 'Healthy' && model.status.inFlight === undefined;
const isStable = (hash: string) => (model: RolloutModel) => healthy(model) && model.status.stable?.hash === hash;

describe('a Rollout whose guardrails compare with stable', () => {
  test.each([
    ['what `kubectl sluice init` prints', () => ({ ...fromInit(), mode: 'Act' as const })],
    ['the same without a step below 100 %', () => ({ ...fromInit(), mode: 'Act' as const, steps: [{ weight: 100 }] })],
    ['examples/rollouts/canary-by-weights.yaml', () => specOf('canary-by-weights.yaml')],
    ['examples/rollouts/guardrail-actions.yaml', () => specOf('guardrail-actions.yaml')],
  ])('promotes by itself: %s', (_, spec) => {
    const model = modelOf(spec()).run(isStable('v1'));
    model.push('v2');
    model.run(isStable('v2'), { limit: 4000 });
    expect(model.told.map(({ reason }) => reason)).not.toContain('NoEvidence');
  });

  test('says in mode Observe that it would have promoted', () => {
    const model = modelOf(fromInit()).run(isStable('v1'));
    model.push('v2');
    model.run(isStable('v2'), { limit: 4000 });
    expect(model.told.map(({ reason }) => reason)).toContain('WouldPromote');
  });
});

const specOf = (file: string): RolloutSpecInput =>
  manifestsIn('examples/rollouts').find(([name]) => name.endsWith(file))?.[1].spec;
