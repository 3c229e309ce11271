import { apiCodes } from '../src/base/codes/api.ts';
import { cliCodes } from '../src/base/codes/cli.ts';
import type { CodeInfo } from '../src/base/codes/code-info.ts';
import { evaluatorCodes } from '../src/base/codes/evaluator.ts';
import { eventCodes } from '../src/base/codes/event.ts';
import { kubeCodes } from '../src/base/codes/kube.ts';
import { manifestCodes } from '../src/base/codes/manifest.ts';
import { operatorCodes } from '../src/base/codes/operator.ts';
import { providerCodes } from '../src/base/codes/provider.ts';
import { redisCodes } from '../src/base/codes/redis.ts';
import { rolloutCodes } from '../src/base/codes/rollout.ts';
import { routeCodes } from '../src/base/codes/route.ts';
import { rulesetCodes } from '../src/base/codes/ruleset.ts';
import { sdkCodes } from '../src/base/codes/sdk.ts';
import { secretCodes } from '../src/base/codes/secret.ts';
import { statsCodes } from '../src/base/codes/stats.ts';
import { stickinessCodes } from '../src/base/codes/stickiness.ts';
import { streamCodes } from '../src/base/codes/stream.ts';
import { uninstallCodes } from '../src/base/codes/uninstall.ts';
import { codes } from '../src/base/errors.ts';

type Codes = Readonly<Record<string, CodeInfo>>;

const rooms: readonly (readonly [title: string, where: string, codes: Codes])[] = [
  [
    'Rollouts',
    'The condition `Accepted` of a Rollout, and REASON while it is in flight: why it is not carried out as it stands.',
    rolloutCodes,
  ],
  ['Routes', 'The same, and the condition `TrafficProgrammed`: why an HTTPRoute cannot carry the steps.', routeCodes],
  [
    'Sticky rollouts',
    'The condition `TrafficProgrammed` and REASON of a Rollout with `spec.traffic.stickiness`: why a weight cannot count people.',
    stickinessCodes,
  ],
  ['Secrets of Metrics', 'The condition `Accepted` of a Metric.', secretCodes],
  ['Metrics and queries', '`kubectl sluice lint`, the messages of guardrails, and the log.', providerCodes],
  ['Manifests', '`kubectl sluice lint`, and the condition `Accepted`.', manifestCodes],
  ['kubectl sluice', 'The output of the command.', cliCodes],
  ['HTTP API', 'The answers of the operator’s HTTP API.', apiCodes],
  ['Operator', 'Its log, right before it ends.', operatorCodes],
  ['Uninstall', 'The log of the job `sluice-uninstall`, which `helm uninstall` waits for.', uninstallCodes],
  ['Rulesets', 'The log and the acknowledgement of an evaluator.', rulesetCodes],
  ['Stream of rulesets', 'The log of an evaluator, and the answers of the stream at the operator.', streamCodes],
  ['Redis', 'The log of the operator, where `redis.url` is set.', redisCodes],
  ['Events', 'Answers of `POST /exposures` and `POST /metrics`, and the log of an evaluator.', eventCodes],
  ['Evaluator', 'The answers and the log of a sidecar.', evaluatorCodes],
  ['SDK', 'Events and evaluation details of the OpenFeature provider in `@sluice/sdk`.', sdkCodes],
  ['Statistics', 'Results of the functions in `src/core/stats`; no resource or command uses them yet.', statsCodes],
  [
    'API server',
    'The log of the operator, the answers of its HTTP API, and the output of `kubectl sluice`.',
    kubeCodes,
  ],
];

/** docs/errors.md: every code of `codes`, grouped by the room that it comes from. */
export function errorsPage(): string {
  const grouped = new Set(rooms.flatMap(([, , table]) => Object.keys(table)));
  const others = Object.fromEntries(Object.entries(codes).filter(([code]) => !grouped.has(code)));
  return [
    '# Errors',
    '<!-- Made from src/base/codes by `npm run gen`. Do not edit. -->',
    'Every error that a user can meet has a code. Codes are never renamed and never used for something else. “Again” says whether the same attempt can succeed later without a change by a person; where it can, Sluice tries again by itself.',
    ...rooms.map(section),
    section(['Any', 'Anywhere.', others]),
    '',
  ].join('\n\n');
}

function section([title, where, table]: (typeof rooms)[number]): string {
  const rows = Object.entries(table).map(
    ([code, { retry, fix }]) => `| \`${code}\` | ${retry === 'never' ? 'no' : 'yes'} | ${fix.replaceAll('|', '\\|')} |`,
  );
  return [`## ${title}`, '', `Where: ${where}`, '', '| code | again | what to do |', '|---|---|---|', ...rows].join(
    '\n',
  );
}
