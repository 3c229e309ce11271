import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import { EventSource } from 'undici';
import { expect, onTestFinished, test, vi } from 'vitest';
import { silent } from '../../../../src/base/logger.ts';
import { EvaluationCounts } from '../../../../src/evaluator/evaluation-counts.ts';
import { EventStreams } from '../../../../src/evaluator/event-stream.ts';
import { Load } from '../../../../src/evaluator/load.ts';
import { evaluatorServer } from '../../../../src/evaluator/server.ts';
import { RulesetHolder } from '../../../../src/rulesets/holder.ts';
import { snapshotOf } from '../../../../src/rulesets/source.ts';
import { sealRuleset } from '../../../../src/wire/sealed-ruleset.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { flagWith, rulesetWith } from '../../../support/ruleset.ts';
import { until } from '../../../support/sidecar.ts';

/** An evaluator, and OpenFeature's web provider with an EventSource as browsers have it. `afterFetch` runs behind its first answers. */
async function world(afterFetch: (publish: (revision: number) => void) => void = () => {}) {
  const clock = new FakeClock();
  const holder = new RulesetHolder({ clock, logger: silent });
  const publish = (revision: number) => {
    const ruleset = { ...rulesetWith({ number: flagWith({ type: 'number', variants: { off: revision } }) }), revision };
    holder.take({ kind: 'Ruleset', snapshot: snapshotOf(sealRuleset(ruleset)), live: true });
  };
  publish(1);
  const streams = new EventStreams(clock, 10);
  const load = new Load({ requests: 10, bodyBytes: 2 ** 20, largestBodyBytes: 2 ** 20 });
  const parts = { holder, clock, logger: silent, counts: new EvaluationCounts(), streams, events: undefined };
  const app = evaluatorServer(parts, load);
  const baseUrl = await app.listen({ port: 0, host: '127.0.0.1' });
  vi.stubGlobal('EventSource', EventSource);
  const answers: number[] = [];
  const fetchImplementation: typeof fetch = async (...request) => {
    const response = await fetch(...request);
    answers.push(response.status);
    if (answers.length === 1) afterFetch(publish);
    return response;
  };
  const provider = new OFREPWebProvider({ baseUrl, fetchImplementation });
  onTestFinished(async () => {
    await provider.onClose?.();
    app.server.closeAllConnections();
    await app.close();
    holder.stop();
    vi.unstubAllGlobals();
  });
  await provider.initialize({ targetingKey: 'u' });
  await until(() => streams.size === 1);
  const value = () => provider.resolveNumberEvaluation('number', 0, {}).value;
  return { publish, streams, app, answers, value };
}

test('a change between the first answers and the stream reaches the page', async () => {
  const { value } = await world((publish) => publish(2));
  await until(() => value() === 2);
});

test('a change while the stream is cut reaches the page that heard of no change before', async () => {
  const { value, publish, streams, app, answers } = await world();
  await until(() => answers.length === 2);
  app.server.closeAllConnections();
  await until(() => streams.size === 0);
  publish(2);
  await until(() => value() === 2);
}, 20_000);

test('a page that has it all asks once more, and is told by a 304 that nothing is new', async () => {
  const { answers } = await world();
  await until(() => answers.length === 2);
  expect(answers).toEqual([200, 304]);
});
