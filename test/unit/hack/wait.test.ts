import { expect, test } from 'vitest';
import { waitFor } from '../../../hack/cluster/wait.ts';

test('the first answer ends the waiting, and is handed on', async () => {
  const answers = [undefined, false, 'ready', 'later'] as const;
  let asked = 0;
  const probe = async () => answers[asked++];
  expect(await waitFor(probe, { what: 'an answer', timeoutMs: 60_000, everyMs: 0 })).toBe('ready');
  expect(asked).toBe(3);
});

test('when the time is over the error says what was waited for, and why the last probe failed', async () => {
  const probe = () => Promise.reject(new Error('connection refused'));
  const waiting = waitFor(probe, { what: 'the server answering', timeoutMs: -1 });
  await expect(waiting).rejects.toThrow('the server answering did not happen within -0.001 s: connection refused');
});

test('an aborted wait ends with the reason, even while probes fail', async () => {
  const stop = new AbortController();
  const probe = async () => {
    stop.abort(new Error('ended by the user'));
    throw new Error('connection refused');
  };
  const waiting = waitFor(probe, { what: 'the server answering', timeoutMs: 60_000, signal: stop.signal });
  await expect(waiting).rejects.toThrow('ended by the user');
});
