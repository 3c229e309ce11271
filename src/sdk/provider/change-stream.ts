import { backoffMs } from '../../base/backoff.ts';
import { sleep } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { BundleTarget } from './bundle-request.ts';

const BACKOFF = { firstMs: 1_000, maxMs: 60_000 };
/** Three pings of the evaluator. */
const SILENCE_MS = 45_000;
/** No line of the stream is nearly as long. */
const MAX_LINE_CHARS = 65_536;

/**
 * Listens to the evaluator's event stream until the signal aborts and calls `changed` for each event, and whenever it is
 * connected: something may have happened before. Only a hint: whoever polls misses nothing without it.
 */
export async function listenForChanges(
  target: BundleTarget & { readonly random: Random },
  changed: () => void,
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 1; !signal.aborted; failures++) {
    const connected = () => {
      failures = 0;
      changed();
    };
    await readStream(target, connected, changed, signal).catch(() => {}); // it is opened again
    await sleep(target.clock, backoffMs(Math.max(1, failures), BACKOFF, target.random), signal).catch(() => {});
  }
}

async function readStream(
  { url, headers, fetch, clock }: BundleTarget,
  connected: () => void,
  changed: () => void,
  outer: AbortSignal,
): Promise<void> {
  const stop = new AbortController();
  const silent = () => stop.abort(new Error(`nothing was heard for ${SILENCE_MS} ms`));
  let cancel = clock.after(SILENCE_MS, silent);
  try {
    const response = await fetch(`${url}/ofrep/v1/events`, {
      headers: { ...headers, accept: 'text/event-stream' },
      redirect: 'error',
      signal: AbortSignal.any([outer, stop.signal]),
    });
    if (!response.ok || response.body === null) throw new Error(`status ${response.status}`);
    connected();
    let line = '';
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
      cancel();
      cancel = clock.after(SILENCE_MS, silent);
      const lines = (line + text).split('\n');
      line = (lines.pop() ?? '').slice(0, MAX_LINE_CHARS);
      if (lines.some((one) => one.startsWith('data:'))) changed();
    }
  } finally {
    cancel();
    stop.abort(); // whoever stops reading ends the connection
  }
}
