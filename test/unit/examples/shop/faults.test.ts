import { expect, it } from 'vitest';
import { burn, delayMs, RequestRate } from '../../../../examples/shop/faults.ts';
import { readSettings } from '../../../../examples/shop/settings.ts';
import { seededRandom } from '../../../../src/base/random.ts';

it('delays by the median, with a 99th percentile three times as long', () => {
  const random = seededRandom(7);
  const delays = Array.from({ length: 40_000 }, () => delayMs(20, random)).sort((a, b) => a - b);
  expect(delays[20_000]).toBeCloseTo(20, 0);
  expect(delays[39_600]).toBeGreaterThan(57);
  expect(delays[39_600]).toBeLessThan(63);
});

it('does not wait at all without a latency', () => {
  expect(delayMs(0, seededRandom(7))).toBe(0);
});

it.each([
  ['ERROR_RATE', '1.5'],
  ['ERROR_RATE', 'half'],
  ['LATENCY_MS', '-1'],
  ['READY_AFTER_MS', 'later'],
  ['CPU_MS', '5000'],
])('refuses %s=%s by name', (name, value) => {
  expect(() => readSettings({ [name]: value })).toThrow(name);
});

it('burns processor time, not time on the clock', () => {
  const before = process.threadCpuUsage();
  burn(30);
  const { user, system } = process.threadCpuUsage(before);
  expect(user + system).toBeGreaterThanOrEqual(30_000);
});

it('the rate is that of the last two seconds', () => {
  const rate = new RequestRate();
  const at = (seconds: number) => rate.count(seconds * 1000);
  expect(at(0)).toBe(0.5);
  for (let i = 1; i < 20; i++) at(i / 10);
  expect(at(1.95)).toBe(10.5);
  expect(at(10)).toBe(0.5);
});
