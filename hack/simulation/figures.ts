import { errorsToSafe } from '../../src/core/stats/decide/time-to-safe.ts';
import { mixtureRho, twoSidedBound } from '../../src/core/stats/sequential/normal-mixture.ts';
import { highestShare, type Row } from '../../test/sim/stats/row.ts';
import { Svg } from './svg.ts';

const ours = '#1f6f54';
const theirs = '#b5472f';
const colors = ['#1f6f54', '#2a6fb0', '#8a5fb0', '#b5472f'];

/** Share of false results over what was promised; a tick shows the highest that chance explains. */
export function promisesFigure(rows: readonly Row[]): string {
  const shown = rows.filter(({ alpha }) => alpha !== undefined);
  const [left, right, top] = [570, 1000, 40];
  const svg = new Svg(1060, top + 20 * shown.length + 30);
  const most = 4;
  const x = (ratio: number): number => left + (Math.min(ratio, most) / most) * (right - left);
  for (let i = 0; i <= most; i++) {
    svg.line(x(i), top, x(i), svg.height - 30, i === 1 ? '#222' : '#ddd');
    svg.text(x(i), svg.height - 12, i === most ? `${i}× and more` : `${i}×`, 'middle');
  }
  svg.text(x(1), 20, 'promise', 'middle');
  shown.forEach(({ scenario, method, count, runs, alpha = 1, whose }, i) => {
    const y = top + 20 * i + 10;
    const ratio = count / runs / alpha;
    svg.text(left - 10, y + 4, `${scenario}: ${method}`, 'end');
    const limit = highestShare(alpha, runs) / alpha;
    svg.line(x(limit), y - 5, x(limit), y + 5, '#222');
    svg.dot(x(ratio), y, whose === 'ours' ? ours : theirs, whose === 'ours');
    if (ratio > most) svg.text(x(most) + 10, y + 4, `${ratio.toFixed(0)}×`, 'start', theirs);
  });
  return svg.toString('False results over promised level, by scenario and method');
}

/** How much wider an interval is that may be looked at any time. */
export function costFigure(): string {
  const svg = new Svg(640, 320);
  const x = (log: number): number => 60 + ((log + 2) / 4) * 540;
  const y = (ratio: number): number => 280 - ((ratio - 1) / 3) * 240;
  for (const ratio of [1, 2, 3, 4]) {
    svg.line(60, y(ratio), 600, y(ratio), '#ddd');
    svg.text(52, y(ratio) + 4, `${ratio}×`, 'end');
  }
  for (const log of [-2, -1, 0, 1, 2]) svg.text(x(log), 300, `${10 ** log} N*`, 'middle');
  const rho = mixtureRho(1, 0.05);
  const points = Array.from({ length: 76 }, (_, i): [number, number] => {
    const log = -1.75 + i / 20;
    const n = 10 ** log;
    return [x(log), y(twoSidedBound(n, 0.05, rho) / Math.sqrt(n) / 1.959964)];
  });
  svg.path(points, ours);
  svg.text(60, 20, 'Width of the always-valid interval over the fixed one, alpha 0.05, by units seen');
  return svg.toString('Width of the always-valid interval over the fixed one');
}

/** Polls until harm after good history, with and without restarts. */
export function restartFigure(rows: readonly Row[]): string {
  const shown = rows.filter(({ scenario }) => scenario.includes('good history'));
  const svg = new Svg(760, 50 + 26 * shown.length);
  const most = Math.max(...shown.map(({ medianLooks }) => medianLooks ?? 0));
  svg.text(10, 20, 'Median polls of 30 s until errors ×3 are called harm');
  shown.forEach(({ scenario, method, medianLooks = 0, whose }, i) => {
    const y = 36 + 26 * i;
    svg.text(360, y + 13, `${scenario}: ${method}`, 'end');
    svg.bar(370, y, (medianLooks / most) * 330, 18, whose === 'ours' ? ours : theirs);
    svg.text(376 + (medianLooks / most) * 330, y + 13, `${medianLooks}`);
  });
  return svg.toString('Polls until harm after good history, with and without restarts');
}

/** Errors of both arms until a healthy canary is proven safe, by margin and weight (exact first-passage law). */
export function safetyFigure(): string {
  const svg = new Svg(640, 340);
  const margins = [0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1];
  const x = (margin: number): number => 70 + (Math.log(margin / 0.1) / Math.log(10)) * 480;
  const y = (errors: number): number => 290 - (Math.log10(errors / 10) / 3.4) * 250;
  for (const errors of [10, 100, 1_000, 10_000]) {
    svg.line(70, y(errors), 550, y(errors), '#ddd');
    svg.text(62, y(errors) + 4, `${errors}`, 'end');
  }
  for (const margin of [0.1, 0.2, 0.5, 1]) svg.text(x(margin), 310, `${margin}`, 'middle');
  [0.05, 0.1, 0.5].forEach((share, i) => {
    const way = { threshold: Math.log(20), probability: 0.5 };
    const points = margins.map((margin): [number, number] => [x(margin), y(errorsToSafe(margin, share, way))]);
    const color = colors[i] as string;
    svg.path(points, color);
    svg.text(556, (points.at(-1) as [number, number])[1] + 4, `${share * 100} %`, 'start', color);
  });
  svg.text(70, 20, 'Errors of both arms until Safe (median), by relative margin and canary weight');
  svg.text(310, 332, 'margin', 'middle');
  return svg.toString('Errors until a healthy canary is proven safe');
}
