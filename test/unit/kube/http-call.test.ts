import { expect, test } from 'vitest';
import { silent } from '../../../src/base/logger.ts';
import { callText } from '../../../src/kube/http-call.ts';
import { SafetyPace } from '../../../src/kube/safety-pace.ts';
import type { Sender } from '../../../src/kube/transport.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const request = { method: 'GET', path: '/api/v1/namespaces', query: '', headers: {}, body: undefined } as const;

/** A call to a server that never answers, and when its tries began, in milliseconds from its begin. */
function unanswered(clock: FakeClock, pace: SafetyPace, priority: 'ordinary' | 'safety', deadlineMs: number) {
  const beganAt = clock.now();
  const tries: number[] = [];
  const transport = {
    send: (_lane: unknown, _request: unknown, signal: AbortSignal) => {
      tries.push(clock.now() - beganAt);
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
  } as unknown as Sender;
  const ports = { transport, clock, pace, random: () => 0, logger: silent };
  const call = callText(ports, request, true, { signal: new AbortController().signal, priority, deadlineMs });
  const ended = call.then(
    () => undefined,
    (error) => error,
  );
  return { tries, ended };
}

async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let i = 0; i < ms; i += 100) await clock.advance(100);
}

test('tries of a safety call that are cut get more time each, and an answer tells how much the next needs', async () => {
  const [clock, pace] = [new FakeClock(), new SafetyPace()];
  const { tries, ended } = unanswered(clock, pace, 'safety', 8_000);
  await pass(clock, 8_000);
  expect(await ended).toMatchObject({ code: 'SLUICE_KUBE_DEADLINE' });
  expect(tries.map((at) => Math.round(at / 1_000))).toEqual([0, 1, 3, 7]);
  pace.answered(1_300);
  expect(pace.tryMs).toBe(2_600);
  pace.answered(20);
  expect(pace.tryMs).toBe(1_000);
});

test.each([
  ['ordinary', 3_000],
  ['safety', 500],
] as const)(
  'the deadline of a whole %s call says nothing of the time that a try needs',
  async (priority, deadlineMs) => {
    const [clock, pace] = [new FakeClock(), new SafetyPace()];
    const { ended } = unanswered(clock, pace, priority, deadlineMs);
    await pass(clock, deadlineMs);
    expect(await ended).toMatchObject({ code: 'SLUICE_KUBE_DEADLINE' });
    expect(pace.tryMs).toBe(1_000);
  },
);
