import { describe, expect, test } from 'vitest';
import { SluiceError } from '../../../../src/base/errors.ts';
import type { Assignment } from '../../../../src/core/evaluation/answer.ts';
import { evaluate } from '../../../../src/core/evaluation/evaluate.ts';
import { EventIntake } from '../../../../src/evaluator/events/event-intake.ts';
import { ExposureLog } from '../../../../src/evaluator/events/exposure-log.ts';
import type { QueuedEvent } from '../../../../src/evaluator/events/queued-event.ts';
import { exposureSchema, unitHashOf } from '../../../../src/wire/exposure.ts';
import { CountedEvents } from '../../../support/event-fixtures.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { compiledWith, flagWith } from '../../../support/ruleset.ts';

const draw = { unit: 'targetingKey', hash: 'murmur3-32/1' } as const;
const halves = [
  { variant: 'off', end: 5_000 },
  { variant: 'on', end: 10_000 },
] as const;
const ruleset = compiledWith({
  'one-page': flagWith({
    experiments: [
      {
        key: 'shop/one-page',
        phase: 2,
        admission: { ...draw, salt: 'admission', ranges: [[0, 10_000]] },
        arms: {
          ...draw,
          salt: 'experiment/shop/one-page#2',
          arms: [
            { ...halves[0], name: 'control' },
            { ...halves[1], name: 'treatment' },
          ],
        },
      },
    ],
  }),
});

/** What the experiment assigns the unit. */
function assignmentOf(targetingKey: string): Assignment {
  const answer = evaluate(ruleset, 'one-page', { targetingKey }, 0);
  if (answer.kind !== 'Served' || answer.assignment === undefined) throw new Error('no experiment answered');
  return answer.assignment;
}

function logWith(append: (events: readonly QueuedEvent[]) => Promise<void>) {
  const counters = new CountedEvents();
  const intake = new EventIntake({ append, counters });
  return { log: new ExposureLog({ intake, clock: new FakeClock(), counters }), counters };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('the exposure log', () => {
  test('writes one exposure a unit, as the collector takes it, with the hash of the unit', async () => {
    const written: QueuedEvent[] = [];
    const { log, counters } = logWith(async (events) => void written.push(...events));
    for (const unit of ['user-1', 'user-2', 'user-1', 'user-1']) {
      log.exposed('one-page', assignmentOf(unit), ruleset);
      await settled();
    }
    log.exposed('one-page', assignmentOf('user-2'), { ...ruleset, revision: 8 });
    expect(written).toHaveLength(2);
    expect(counters).toMatchObject({ acceptedCount: 2, duplicates: 0 }); // asking again is no duplicate of anything sent
    const { kind, event } = written[0]!;
    expect(kind).toBe('exposure');
    expect(exposureSchema.parse(event)).toEqual(event);
    expect(event).toMatchObject({
      flagSetId: 'shop',
      flag: 'one-page',
      experiment: 'shop/one-page',
      phase: 2,
      revision: 7,
      unitHash: unitHashOf('installation', 'user-1'),
      time: '2027-01-15T08:00:00.000Z',
    });
    expect(JSON.stringify(written)).not.toContain('user-1');
  });

  test('counts what the disk does not take, fails no evaluation, and tries again at the next one', async () => {
    let isFull = true;
    const written: QueuedEvent[] = [];
    const { log, counters } = logWith(async (events) => {
      if (isFull) throw new SluiceError('SLUICE_EVENTS_STORE', 'full');
      written.push(...events);
    });
    log.exposed('one-page', assignmentOf('user-1'), ruleset);
    await settled();
    expect(counters.droppedBy).toEqual({ Unwritten: 1 });
    isFull = false;
    log.exposed('one-page', assignmentOf('user-1'), ruleset);
    await settled();
    expect(written).toHaveLength(1);
  });
});
