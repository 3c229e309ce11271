import { expect, test } from 'vitest';
import { sleep } from '../../../src/base/clock.ts';
import { FakeClock } from '../../support/fake-clock.ts';

test('sleep ends when its time has come, not before', async () => {
  const clock = new FakeClock();
  let done = false;
  const sleeping = sleep(clock, 100, new AbortController().signal).then(() => {
    done = true;
  });
  await clock.advance(99);
  expect(done).toBe(false);
  await clock.advance(1);
  await sleeping;
  expect(done).toBe(true);
});

test('sleep rejects with the reason as soon as its signal aborts', async () => {
  const clock = new FakeClock();
  const abort = new AbortController();
  const sleeping = sleep(clock, 100, abort.signal);
  abort.abort(new Error('stop'));
  await expect(sleeping).rejects.toThrow('stop');
});
