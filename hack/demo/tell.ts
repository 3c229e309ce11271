/** Runs a story until its end or Ctrl-C. Its exit status is the process's; 130 where it was ended from outside, 1 where it failed. */
export async function tell(story: (signal: AbortSignal) => Promise<number>): Promise<void> {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new Error('stopped')));
  try {
    process.exitCode = await story(stop.signal);
  } catch (error) {
    console.error(`\n${error instanceof Error ? error.message : error}`);
    process.exitCode = stop.signal.aborted ? 130 : 1;
  }
}
