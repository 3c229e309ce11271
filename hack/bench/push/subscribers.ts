// subscribers JSON: evaluators of one flag set in one process; tells its parent by IPC whenever one runs another ruleset.
import { systemClock } from '../../../src/base/clock.ts';
import { silent } from '../../../src/base/logger.ts';
import { RulesetHolder } from '../../../src/rulesets/holder.ts';
import { streamSource } from '../../../src/rulesets/stream-source.ts';
import { type Opened, runLight, SharedOpening, type SubscriberOptions } from './light-subscriber.ts';
import type { Ran, SubscribersArguments } from './subscriber-process.ts';

const { count, full, name, ...where }: SubscribersArguments = JSON.parse(process.argv[2] ?? '{}');
const { signal } = new AbortController();
/** Told together, so that telling does not delay those who are still to run it. */
const TELL_MS = 20;
let told: Ran[] = [];
setInterval(() => {
  if (told.length > 0) process.send?.(told);
  told = [];
}, TELL_MS);
process.on('disconnect', () => process.exit());

const shared = new SharedOpening();
for (let index = 0; index < count; index++) {
  const options = { ...where, subscriber: `${name}-${index}` };
  const ran = (revision: number, issuedAtMs: number) => {
    told.push({
      subscriber: options.subscriber,
      revision,
      issuedAtMs,
      atMs: performance.timeOrigin + performance.now(),
    });
  };
  if (index < full) runFull(options, ran);
  else {
    const light = ({ compiled: { revision }, issuedAtMs }: Opened) => ran(revision, issuedAtMs);
    runLight(options, shared, light, signal).catch(fail);
  }
}

/** All that a sidecar does. */
function runFull(options: SubscriberOptions, ran: (revision: number, issuedAtMs: number) => void): void {
  const holder = new RulesetHolder({ clock: systemClock, logger: silent });
  let issuedAtMs = 0;
  holder.subscribe(({ compiled }) => ran(compiled.revision, issuedAtMs));
  const running = () => {
    const { current } = holder;
    return current && { revision: current.compiled.revision, digest: current.digest };
  };
  const ports = { clock: systemClock, random: Math.random, logger: silent, running, takeEvaluated: () => [] };
  streamSource({ ...options, keys: undefined }, ports)
    .run((news) => {
      if (news.kind === 'Ruleset') issuedAtMs = Date.parse(news.snapshot.ruleset.issuedAt);
      holder.take(news);
    }, signal)
    .catch(fail);
}

function fail(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  process.exit(1);
}
