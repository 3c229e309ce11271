import type { EpochMs } from '../../src/base/units.ts';
import type { LoadReport } from '../load/report.ts';

export interface Rollback {
  /** When the operator decided: the moment in which the answer that spent the budget was judged. */
  readonly decidedAt: EpochMs;
  /** When a watch showed weight 0 on the route. */
  readonly loweredAt: EpochMs | undefined;
  /** When the youngest request that v3 answered was sent. */
  readonly lastSent: EpochMs | undefined;
  /** The evidence, in a sentence. */
  readonly step: string;
}

/** The numbers of a demo for programs, in milliseconds; undefined where something was not seen. */
export function figures(report: LoadReport, rollback: Rollback | undefined) {
  const { decidedAt, loweredAt, lastSent } = rollback ?? {};
  return {
    requestsSent: report.sent,
    requestsLost: report.lost,
    decisionToZeroMs: decidedAt && loweredAt && loweredAt - decidedAt,
    zeroToLastRequestMs: loweredAt && lastSent && Math.max(0, lastSent - loweredAt),
  };
}

export type DemoFigures = ReturnType<typeof figures>;

/** The numbers of a demo, in words, and whether they are what was promised: nothing lost, and v3 taken back. */
export function summary(
  report: LoadReport,
  rollback: Rollback | undefined,
): { readonly text: string; readonly good: boolean } {
  const v3 = report.byVersion.v3;
  const seconds = (ms: number | undefined) => (ms === undefined ? 'not seen' : `${(ms / 1000).toFixed(3)} s`);
  const lines = [
    ['requests sent', String(report.sent)],
    ['requests lost', `${report.lost}${report.lost > 0 ? ` ${JSON.stringify(report.lostByKind)}` : ''}`],
    ['answers of v1, v2, v3', ['v1', 'v2', 'v3'].map((version) => report.byVersion[version]?.answered ?? 0).join(', ')],
    [
      'users that met an error of v3',
      `${((v3?.shareOfUsersWithErrors ?? 0) * 100).toFixed(1)} % (${v3?.usersWithErrors ?? 0} of ${report.users})`,
    ],
    ['why v3 was taken back', rollback?.step ?? 'it was not'],
    [
      'answer that spent the budget → weight 0 seen in the API',
      seconds(rollback?.loweredAt && rollback.loweredAt - rollback.decidedAt),
    ],
    [
      'the same → last new request at v3',
      seconds(rollback?.lastSent && Math.max(0, rollback.lastSent - rollback.decidedAt)),
    ],
    ['latency p50, p99', `${report.latencyMs.p50} ms, ${report.latencyMs.p99} ms`],
  ] as const;
  const width = Math.max(...lines.map(([name]) => name.length));
  const text = lines.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join('\n');
  return { text, good: report.lost === 0 && rollback?.loweredAt !== undefined };
}
