import { describe, expect, it } from 'vitest';
import { type Attempt, Ledger } from '../../../../hack/load/ledger.ts';
import type { Outcome } from '../../../../hack/load/outcome.ts';
import type { SecondReport } from '../../../../hack/load/report.ts';
import type { EpochMs } from '../../../../src/base/units.ts';

const T0 = 1_800_000_000_000;
const at = (ms: number) => (T0 + ms) as EpochMs;
const attempt = (sentMs: number, user = 'user-0-0'): Attempt => ({
  client: 'keep-alive',
  user,
  dueAt: at(sentMs),
  sentAt: at(sentMs),
});
const answer = (status: number, version?: string): Outcome => ({ kind: 'answer', status, version });

/** A ledger that was told of these requests: [sent at, outcome, ended at, user]. */
function ledgerOf(...requests: [number, Outcome, number, string?][]): Ledger {
  const ledger = new Ledger(at(0));
  for (const [sentMs, outcome, endMs, user] of requests) {
    const one = attempt(sentMs, user);
    ledger.sent(one);
    ledger.ended(one, outcome, at(endMs));
  }
  return ledger;
}

describe('what counts as lost', () => {
  it('is a 5xx without the mark of the app', () => {
    const report = ledgerOf([0, answer(503), 5]).report(at(10));
    expect(report).toMatchObject({ sent: 1, answered: 0, lost: 1, lostByKind: { gateway: 1 }, byStatus: { 503: 1 } });
    expect(report.losses).toEqual([
      { sentAt: at(0), noticedAt: at(5), client: 'keep-alive', user: 'user-0-0', kind: 'gateway', status: 503 },
    ]);
    expect(report.byVersion).toEqual({});
  });

  it('is not a 5xx that the app marked: that is an error of its version', () => {
    const report = ledgerOf([0, answer(500, 'v2'), 5]).report(at(10));
    expect(report).toMatchObject({ answered: 1, lost: 0, losses: [] });
    expect(report.byVersion.v2).toMatchObject({ answered: 1, appErrors: 1 });
  });

  it('is not a 4xx of the gateway, which is counted as unmarked', () => {
    const report = ledgerOf([0, answer(404), 5]).report(at(10));
    expect(report).toMatchObject({ answered: 1, lost: 0 });
    expect(report.byVersion['(unmarked)']).toMatchObject({ answered: 1, appErrors: 0 });
  });

  it('is every request without a whole answer, with its kind and code, even when a good status had come', () => {
    const report = ledgerOf(
      [0, { kind: 'failure', loss: 'reusedConnectionClosed', code: 'ECONNRESET' }, 5],
      [1, { kind: 'failure', loss: 'cutShort', code: 'ECONNRESET', status: 200 }, 6],
    ).report(at(10));
    expect(report).toMatchObject({ answered: 0, lost: 2, lostByKind: { reusedConnectionClosed: 1, cutShort: 1 } });
    expect(report.losses.map(({ kind, code, status }) => [kind, code, status])).toEqual([
      ['reusedConnectionClosed', 'ECONNRESET', undefined],
      ['cutShort', 'ECONNRESET', 200],
    ]);
  });
});

describe('the report', () => {
  it('adds up: sent = answered + lost + abandoned + in flight', () => {
    const ledger = ledgerOf(
      [0, answer(200, 'v1'), 5],
      [0, answer(502), 5],
      [0, { kind: 'abandoned' }, 5],
      [0, answer(500, 'v1'), 5],
    );
    ledger.sent(attempt(6));
    expect(ledger.report(at(10))).toMatchObject({ sent: 5, answered: 2, lost: 1, abandoned: 1, inFlight: 1 });
  });

  it('says which share of all users met an error of a version, each user once', () => {
    const ledger = ledgerOf(
      [0, answer(500, 'v2'), 5, 'a'],
      [1, answer(500, 'v2'), 6, 'a'],
      [2, answer(200, 'v2'), 7, 'b'],
      [3, answer(500, 'v1'), 8, 'c'],
      [4, answer(200, 'v1'), 9, 'd'],
    );
    const { users, byVersion } = ledger.report(at(10));
    expect(users).toBe(4);
    expect(byVersion.v2).toMatchObject({ appErrors: 2, users: 2, usersWithErrors: 1, shareOfUsersWithErrors: 0.25 });
    expect(byVersion.v1).toMatchObject({ users: 2, usersWithErrors: 1 });
  });

  it('counts latency from when a request was due, not from when a late generator sent it', () => {
    const ledger = new Ledger(at(0));
    const late = { ...attempt(400), dueAt: at(100) };
    ledger.sent(late);
    ledger.ended(late, answer(200, 'v1'), at(600));
    const { latencyMs, worstLatenessMs } = ledger.report(at(700));
    expect(latencyMs.max).toBe(500);
    expect(worstLatenessMs).toBe(300);
  });

  it('tells each second by itself once it is over', () => {
    const seconds: SecondReport[] = [];
    const ledger = new Ledger(at(0), (second) => seconds.push(second));
    const first = attempt(900);
    ledger.sent(first);
    expect(seconds).toEqual([]);
    ledger.ended(first, answer(200, 'v1'), at(1_100));
    ledger.ended(attempt(1_200), answer(500, 'v2'), at(1_300));
    ledger.tick(at(2_000));
    expect(seconds).toMatchObject([
      { at: at(0), sent: 1, answered: 0, byVersion: {} },
      {
        at: at(1_000),
        sent: 0,
        answered: 2,
        byStatus: { 200: 1, 500: 1 },
        byVersion: { v1: { answered: 1, appErrors: 0 }, v2: { answered: 1, appErrors: 1 } },
      },
    ]);
  });

  it('knows when the youngest request that a version answered was sent, and whether any came after a moment', () => {
    const ledger = ledgerOf(
      [100, answer(200, 'v2'), 900],
      [200, answer(200, 'v2'), 300],
      [950, answer(200, 'v1'), 990],
    );
    expect(ledger.lastSeen('v2', at(0))).toEqual({ sentAt: at(200), answeredAt: at(900) });
    expect(ledger.lastSeen('v2', at(900))).toBeUndefined();
    expect(ledger.lastSeen('v3', at(0))).toBeUndefined();
  });

  it('does not grow with time: an hour of seconds, a thousand losses, 32 versions and the others together', () => {
    const ledger = new Ledger(at(0));
    for (let second = 0; second < 4_000; second += 1) {
      const one = attempt(second * 1_000);
      ledger.sent(one);
      ledger.ended(one, answer(503), at(second * 1_000 + 1));
      ledger.ended(one, answer(200, `v${second}`), at(second * 1_000 + 2));
    }
    const report = ledger.report(at(4_000_000));
    expect(report.lost).toBe(4_000);
    expect(report.losses).toHaveLength(1_000);
    expect(report.seconds).toHaveLength(3_601);
    expect(report.seconds[0]?.at).toBe(at(399_000));
    expect(Object.keys(report.byVersion)).toHaveLength(33);
    expect(report.byVersion['(others)']?.answered).toBe(4_000 - 32);
  });
});
