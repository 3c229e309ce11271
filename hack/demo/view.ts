import picocolors from 'picocolors';
import type { RolloutStatus } from '../../src/api/rollout-status.ts';
import type { SecondReport } from '../load/report.ts';

const { bold, dim, green, red, yellow } = picocolors.createColors(
  process.stdout.isTTY === true && !process.env.NO_COLOR,
);

/** The demo on the terminal: a line for each change, and, on a terminal, one line that moves. */
export class View {
  readonly #startedMs = Date.now();
  readonly #live = process.stdout.isTTY === true;
  #last = '';
  #status: RolloutStatus | undefined;

  title(text: string): void {
    this.#line(`\n${bold(text)}`);
  }

  note(text: string): void {
    this.#line(`${dim(this.#clock())} ${text}`);
  }

  status(status: RolloutStatus): void {
    this.#status = status;
    const { phase, step = '', weight = '', verdict = '', reason = '', message = '' } = status;
    const key = [phase, step, weight, verdict].join(' ');
    if (key === this.#last) return;
    this.#last = key;
    const colour = phase === 'Healthy' ? green : phase === 'RollingBack' || phase === 'RolledBack' ? red : yellow;
    this.note(
      `${colour(phase.padEnd(16))} ${step.padEnd(4)} ${weight.padEnd(5)} ${verdict.padEnd(12)} ${message || reason}`,
    );
  }

  second({ answered, lost, byVersion }: SecondReport): void {
    if (!this.#live) return;
    const versions = Object.entries(byVersion).map(
      ([version, { answered: count, appErrors }]) =>
        `${version} ${count}${appErrors > 0 ? red(` (${appErrors} errors)`) : ''}`,
    );
    process.stdout.write(
      `\r\u001b[K${dim(this.#clock())} ${dim('now')} ${answered}/s  ${versions.join('  ')}  lost ${lost}  ${dim(this.#status?.message ?? '')}`.slice(
        0,
        200,
      ),
    );
  }

  #line(text: string): void {
    process.stdout.write(`${this.#live ? '\r\u001b[K' : ''}${text}\n`);
  }

  #clock(): string {
    const seconds = Math.floor((Date.now() - this.#startedMs) / 1000);
    return `${String(Math.floor(seconds / 60)).padStart(2)}:${String(seconds % 60).padStart(2, '0')}`;
  }
}
