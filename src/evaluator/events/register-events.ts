import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Clock } from '../../base/clock.ts';
import { SluiceError } from '../../base/errors.ts';
import { LIMITS } from '../../wire/limits.ts';
import { wireProblems } from '../../wire/ruleset.ts';
import type { EventRuleset } from './evaluator-ruleset.ts';
import type { EventCounters } from './event-counters.ts';
import type { EventIntake } from './event-intake.ts';
import { sendFailure } from './failure.ts';
import type { EventKind } from './queued-event.ts';
import { readReports } from './read-reports.ts';

export interface RegisterEventsPorts {
  readonly intake: EventIntake;
  readonly clock: Clock;
  readonly counters: EventCounters;
  /** The ruleset in use; undefined as long as there is none. */
  readonly ruleset: () => EventRuleset | undefined;
}

const MAX_BODY_BYTES = 1_048_576;
/** Bodies that are read or wait for the disk at the same time; each holds a few MiB at most. */
const MAX_UNDER_WAY = 16;
/** How long an answer may wait for the disk. */
const DEADLINE_MS = 5_000;
const ROUTES = {
  exposure: { path: '/exposures', kind: 'exposure', items: 'exposures' },
  metric: { path: '/metrics', kind: 'metric', items: 'metrics' },
} as const satisfies Record<EventKind, Route>;

/** `POST /exposures` and `POST /metrics` as docs/sidecar-events.md has them. Nothing else of `app` is touched. */
export function registerEvents(app: FastifyInstance, ports: RegisterEventsPorts, kinds: readonly EventKind[]): void {
  app.register(async (scope) => {
    limitUnderWay(scope);
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      /^application\/([\w.-]+\+)?json\b/,
      { parseAs: 'string', bodyLimit: MAX_BODY_BYTES },
      async (_request: FastifyRequest, body: string | Buffer) => body,
    );
    scope.setErrorHandler((error, _request, reply) => sendFailure(reply, error));
    for (const kind of kinds) addRoute(scope, ports, ROUTES[kind]);
  });
}

interface Route {
  readonly path: string;
  readonly kind: EventKind;
  /** The field of the body that holds the items. */
  readonly items: string;
}

function addRoute(scope: FastifyInstance, ports: RegisterEventsPorts, { path, kind, items }: Route): void {
  // Items are looked at one by one, so that a bad one keeps no other back.
  const body = z.strictObject({ [items]: z.array(z.unknown()).max(LIMITS.batch) });
  scope.post(path, async (request, reply) => {
    const { clock, intake, counters } = ports;
    const ruleset = ports.ruleset();
    if (ruleset === undefined) throw new SluiceError('SLUICE_EVENTS_NO_RULESET', 'there is no ruleset yet');
    const found = body.safeParse(documentOf(request.body));
    if (!found.success) throw new SluiceError('SLUICE_EVENTS_BODY', bodyProblem(found.error));
    const { events, errors } = readReports(kind, found.data[items] ?? [], { ruleset, now: clock.now() });
    for (const { code } of errors) counters.rejected(kind, code);
    const submitted = await withinDeadline(clock, intake.submit(events));
    return reply.code(202).send({ ...submitted, errors });
  });
}

function documentOf(body: unknown): unknown {
  try {
    return JSON.parse(String(body));
  } catch {
    throw new SluiceError('SLUICE_EVENTS_BODY', 'the body is no JSON');
  }
}

function bodyProblem(error: z.ZodError): string {
  const [first] = wireProblems(error);
  return first === undefined ? 'the body is no batch' : `${first.path || 'the body'}: ${first.message}`;
}

/** Refuses before the body is read what would be one too many. */
function limitUnderWay(scope: FastifyInstance): void {
  let underWay = 0;
  scope.addHook('onRequest', async (_request, reply) => {
    if (underWay >= MAX_UNDER_WAY) throw new SluiceError('SLUICE_EVENTS_OVERLOADED', 'too many batches are under way');
    underWay += 1;
    // `close` comes once for every response, also for one whose client has left.
    reply.raw.once('close', () => {
      underWay -= 1;
    });
  });
}

/** The events may still be written after it: sent again, they are known by their ids. */
function withinDeadline<T>(clock: Clock, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(DEADLINE_MS, () =>
      reject(new SluiceError('SLUICE_EVENTS_STORE', `the disk did not answer within ${DEADLINE_MS} ms`)),
    );
    work.then(resolve, reject).finally(cancel);
  });
}
