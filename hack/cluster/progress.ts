/** Takes one line for the person (or log) that waits. */
export type Report = (line: string) => void;

/** Standard error, so that a command's answer on standard output stays clean. */
export const toStderr: Report = (line) => process.stderr.write(`${line}\n`);

const REMIND_EVERY_MS = 30_000;

/** Says what is done and about how long it takes, and again every 30 s while it lasts, so that nobody takes it for hung. */
export async function withProgress<T>(
  report: Report,
  what: string,
  aboutS: number,
  work: () => Promise<T>,
): Promise<T> {
  const startedMs = performance.now();
  const soFarS = () => (performance.now() - startedMs) / 1000;
  report(`${what} (about ${spoken(aboutS)})`);
  const reminder = setInterval(
    () => report(`${what}: ${spoken(soFarS())} of about ${spoken(aboutS)}`),
    REMIND_EVERY_MS,
  );
  try {
    const result = await work();
    report(`${what}: done in ${spoken(soFarS())}`);
    return result;
  } finally {
    clearInterval(reminder);
  }
}

/** 5 → "5 s", 95 → "1 min 35 s". */
export function spoken(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
