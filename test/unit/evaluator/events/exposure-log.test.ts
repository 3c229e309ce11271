import { describe, expect, test } from 'vitest';
import { SluiceError } from '../../../../src/base/errors.ts';
import { evaluate } from '../../../../src/core/evaluation/evaluate.ts';
import { EventIntake } from '../../../../src/evaluator/events/event-intake.ts';
import { ExposureLog, exposureTokenOf, wantsExposure } from '../../../../src/evaluator/events/exposure-log.ts';
import type { QueuedEvent } from '../../../../src/evaluator/events/queued-event.ts';
import { decodeExposureToken, exposureSchema, unitHashOf } from '../../../../src/wire/exposure.ts';
import { CountedEvents } from '../../../support/event-fixtures.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { compiledWith, flagWith, ruleWith } from '../../../support/ruleset.ts';

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
  'plain-split': flagWith({
    rules: [ruleWith({ serve: { split: { ...draw, salt: 'flag/shop/plain-split#rule', arms: [...halves] } } })],
  }),
});
const answerTo = (flag: string, targetingKey: string) => evaluate(ruleset, flag, { targetingKey }, 0);

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
      log.answered(ruleset, 'one-page', answerTo('one-page', unit));
      await settled();
    }
    log.answered({ ...ruleset, revision: 8 }, 'one-page', answerTo('one-page', 'user-2'));
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

  test('writes nothing for a split that is no experiment, nor for a flag that is not there', () => {
    const { log } = logWith(() => {
      throw new Error('nothing is to be written');
    });
    expect(answerTo('plain-split', 'user-1')).toMatchObject({ reason: 'SPLIT' });
    log.answered(ruleset, 'plain-split', answerTo('plain-split', 'user-1'));
    log.answered(ruleset, 'missing', answerTo('missing', 'user-1'));
  });

  test('counts what the disk does not take, fails no evaluation, and tries again at the next one', async () => {
    let isFull = true;
    const written: QueuedEvent[] = [];
    const { log, counters } = logWith(async (events) => {
      if (isFull) throw new SluiceError('SLUICE_EVENTS_STORE', 'full');
      written.push(...events);
    });
    log.answered(ruleset, 'one-page', answerTo('one-page', 'user-1'));
    await settled();
    expect(counters.droppedBy).toEqual({ Unwritten: 1 });
    isFull = false;
    log.answered(ruleset, 'one-page', answerTo('one-page', 'user-1'));
    await settled();
    expect(written).toHaveLength(1);
  });
});

describe('an exposure token', () => {
  test('says the same as the exposure of a single evaluation', async () => {
    const written: QueuedEvent[] = [];
    const { log } = logWith(async (events) => void written.push(...events));
    const answer = answerTo('one-page', 'user-1');
    log.answered(ruleset, 'one-page', answer);
    await settled();
    const token = decodeExposureToken(exposureTokenOf(ruleset, answer)!)!;
    expect(written[0]!.event).toMatchObject(token);
    expect(token).toMatchObject({ experiment: 'shop/one-page', revision: 7 });
  });

  test('comes with no other answer', () => {
    expect(exposureTokenOf(ruleset, answerTo('plain-split', 'user-1'))).toBeUndefined();
    expect(exposureTokenOf(ruleset, answerTo('missing', 'user-1'))).toBeUndefined();
  });
});

test.each([
  [undefined, true],
  ['', true],
  ['all', true],
  ['none', false],
  [' None ', false],
  [['none'], false],
])('the header Sluice-Exposure %j asks for exposures: %s', (header, wanted) => {
  expect(wantsExposure(header)).toBe(wanted);
});
