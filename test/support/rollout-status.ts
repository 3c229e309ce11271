import type { Manifest } from './manifests.ts';

/** Noon; ages in golden files are counted from here. */
export const NOON = Date.parse('2026-03-01T12:00:00Z');
const ago = (seconds: number): string => new Date(NOON - seconds * 1000).toISOString();

const steps = [
  { shadow: { percent: 10, methods: ['GET', 'HEAD'] }, hold: '2m' },
  { match: { headers: [{ name: 'x-team', value: 'shop', type: 'Exact' }] }, hold: '2m' },
  { weight: 25, hold: '5m' },
  { approve: {} },
  { weight: 100, hold: '10m' },
];

const stable = { hash: '54c7d9f6b8', since: ago(90_000) };

/** A rollout that holds at 25 %. */
export const holdingStatus = (): Manifest => ({
  observedGeneration: 1,
  phase: 'Progressing',
  step: '3/5',
  weight: '25%',
  verdict: 'Safe',
  reason: 'Holding',
  message: 'step 3 needs 5m of good time',
  stable,
  inFlight: {
    hash: '6d5f8c9b7c',
    stableHash: stable.hash,
    generation: 4,
    startedAt: ago(600),
    steps,
    step: 2,
    stage: 'Holding',
    stageSince: ago(252),
    weightBp: 2500,
    hold: { doneMs: 130_000, at: ago(1), effectiveAt: ago(240) },
  },
  guardrails: [
    {
      name: 'errors',
      verdict: 'Safe',
      reason: 'InBounds',
      message: '0.0021 is at most 0.01',
      value: 0.002134,
      at: ago(4),
    },
    {
      name: 'latency',
      verdict: 'NoEvidence',
      reason: 'TooFewRequests',
      message: '12 requests in the window, 20 are needed',
      value: 0.18,
      stableValue: 0.17,
      at: ago(9),
    },
  ],
  conditions: [
    { type: 'Accepted', status: 'True', reason: 'Accepted', message: '', lastTransitionTime: ago(600) },
    {
      type: 'ServicePinned',
      status: 'False',
      reason: 'Reverted',
      message: 'argocd-controller keeps putting its selector back',
      lastTransitionTime: ago(60),
    },
  ],
  actionIds: [],
  transitions: [
    { at: ago(252), from: 'Progressing', to: 'Progressing', reason: 'NextStep', message: 'step 3: weight 25%' },
    {
      at: ago(400),
      from: 'Paused',
      to: 'Progressing',
      reason: 'Resumed',
      message: 'resume was asked',
      by: 'anna@example.com',
    },
    { at: ago(600), from: 'Healthy', to: 'Progressing', reason: 'NewTemplate', message: '6d5f8c9b7c begins' },
  ],
});

/** The same after a breach. */
export const rolledBackStatus = (): Manifest => ({
  phase: 'RolledBack',
  verdict: 'Harm',
  reason: 'RolledBack',
  message: 'guardrail errors: 0.31 is above 0.01',
  stable,
  rolledBack: { hash: '6d5f8c9b7c', at: ago(45), reason: 'Breach', message: 'guardrail errors: 0.31 is above 0.01' },
});

export const healthyStatus = (): Manifest => ({
  phase: 'Healthy',
  reason: 'Healthy',
  message: `${stable.hash} serves all traffic`,
  stable,
});
