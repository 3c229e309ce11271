import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { type HubOptions, RulesetHub } from '../../../src/rulesets/hub.ts';
import { sealRuleset } from '../../../src/wire/sealed-ruleset.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { flagWith, rulesetWith } from '../../support/ruleset.ts';

/** An open stream; one that is `slow` finishes no write until `read`. */
class Listener extends Writable {
  readonly got: string[] = [];
  #isSlow: boolean;
  #finish: (() => void) | undefined;

  constructor(isSlow = false) {
    super({ highWaterMark: 1 });
    this.#isSlow = isSlow;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.got.push(/^event: (.*)\n(?:id: (.*)\n)?/.exec(String(chunk))!.slice(1).filter(Boolean).join(' '));
    if (this.#isSlow) this.#finish = done;
    else done();
  }

  read(): void {
    this.#isSlow = false;
    this.#finish?.();
  }
}

function make(others?: HubOptions['others']) {
  const clock = new FakeClock();
  const told: string[] = [];
  const hub = new RulesetHub({ clock, onReach: (flagSetId) => told.push(flagSetId), ...(others && { others }) });
  const give = (revision: number, keys = ['a']) => {
    const flags = Object.fromEntries(keys.map((key) => [key, flagWith()]));
    const issuedAt = new Date(clock.now()).toISOString();
    hub.publish(sealRuleset({ ...rulesetWith(flags), revision, issuedAt }), 'AAAA');
  };
  const join = (id: string, out: Writable = new Listener(), lastRevision?: number) =>
    hub.join({ flagSetId: 'shop', id, lastRevision, out });
  const ack = (id: string, revision: number, evaluated: string[] = []) =>
    hub.acknowledge(id, {
      schema: 'sluice.acknowledgement/v1',
      flagSetId: 'shop',
      subscriber: id,
      digest: hub.newest('shop')?.digest ?? '',
      state: 'Running',
      ...{ revision, evaluated },
    });
  return { clock, hub, told, give, join, ack };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('who comes gets the newest ruleset; who has it already is told that it is the newest', () => {
  const { give, join } = make();
  const [early, late, knows, old] = [new Listener(), new Listener(), new Listener(), new Listener()];
  join('early', early);
  give(1);
  give(2);
  join('late', late);
  join('knows', knows, 2);
  join('old', old, 1);
  expect(early.got[0]).toBe('ping');
  expect(late.got).toEqual(['snapshot 2']);
  expect(knows.got).toEqual(['ping']);
  expect(old.got).toEqual(['snapshot 2']);
});

test('who came before the ruleset of a new leader was read, and has it, is not sent it again', async () => {
  const { give, join } = make();
  const out = new Listener();
  join('a', out, 7);
  give(7);
  await settle();
  expect(out.got).toEqual(['ping', 'ping']);
});

test('a revision never goes back', async () => {
  const { give, join } = make();
  const out = new Listener();
  give(2);
  join('a', out);
  give(1);
  await settle();
  expect(out.got).toEqual(['snapshot 2']);
});

test('a slow listener is sent one event, then the newest', async () => {
  const { give, join } = make();
  const out = new Listener(true);
  give(1);
  join('a', out);
  for (const revision of [2, 3, 4]) give(revision);
  expect(out.writableLength).toBeLessThan(100);
  out.read();
  await settle();
  expect(out.got).toEqual(['snapshot 1', 'snapshot 4']);
});

test('a large ruleset goes out in pieces, the next when the one before was read, and never mixed with another', async () => {
  const { hub } = make();
  const pieces: Buffer[] = [];
  const finish: (() => void)[] = [];
  const write = (piece: Buffer, _: string, done: () => void) => {
    pieces.push(piece);
    finish.push(done);
  };
  const out = new Writable({ highWaterMark: 1, write });
  const publish = (revision: number) =>
    hub.publish(sealRuleset({ ...rulesetWith({ a: flagWith() }), revision }), String(revision).repeat(100_000));
  publish(1);
  hub.join({ flagSetId: 'shop', id: 'a', lastRevision: undefined, out });
  for (let read = 0; read < finish.length; read++) {
    expect(out.writableLength).toBeLessThan(16_384);
    if (read === 1) for (const revision of [2, 3]) publish(revision);
    finish[read]!();
    await settle();
  }
  const frames = Buffer.concat(pieces).toString().split('\n\n').slice(0, -1);
  const [first, second, ...more] = frames.map((frame) => frame.split('\n'));
  expect(first).toEqual(['event: snapshot', 'id: 1', `data: ${'1'.repeat(100_000)}`]);
  expect(second).toEqual(['event: snapshot', 'id: 3', `data: ${'3'.repeat(100_000)}`]);
  expect(more).toEqual([]);
});

test('everyone hears a ping every 15 s, and who reads nothing for half a minute is cut off', async () => {
  const { clock, give, join } = make();
  give(1);
  const [fine, stuck] = [new Listener(), new Listener(true)];
  join('fine', fine);
  join('stuck', stuck);
  await settle();
  await clock.advance(15_000);
  await settle();
  expect([fine.got, stuck.got, stuck.destroyed]).toEqual([['snapshot 1', 'ping'], ['snapshot 1'], false]);
  await clock.advance(15_000);
  expect([fine.destroyed, stuck.destroyed]).toEqual([false, true]);
});

test('one who comes again takes the place of its former stream', async () => {
  const { hub, give, join } = make();
  give(1);
  const [before, after] = [new Listener(), new Listener()];
  const leaveBefore = join('a', before);
  await settle();
  join('a', after);
  expect([before.writableEnded, after.writableEnded]).toEqual([true, false]);
  leaveBefore();
  expect(hub.subscribers).toBe(1);
});

test('a report counts who runs what since when, and comes every 10 s while there is something new', async () => {
  const { clock, hub, told, give, join, ack } = make();
  give(1);
  for (const id of ['a', 'b', 'c']) join(id);
  for (const id of ['a', 'b', 'c']) ack(id, 1);
  await clock.advance(4_000);
  give(2);
  await clock.advance(1_000);
  ack('a', 2);
  await clock.advance(2_000);
  ack('b', 2, ['a', 'unknown']);
  expect(hub.reach('shop')).toBeUndefined();
  await clock.advance(3_000);
  expect(hub.reach('shop')?.running).toEqual([2, 2, 1]);
  expect(hub.reach('shop')?.seconds.get(2)).toEqual([1, 3]);
  expect([...hub.reach('shop')!.evaluatedAt.keys()]).toEqual(['a']);
  expect(told).toEqual(['shop']);
  await clock.advance(30_000);
  expect(told).toEqual(['shop']);
  ack('c', 2);
  await clock.advance(10_000);
  expect(told).toEqual(['shop', 'shop']);
});

test('who comes late is measured from its coming', async () => {
  const { clock, hub, give, join, ack } = make();
  give(1);
  await clock.advance(8_000);
  join('a');
  await clock.advance(1_500);
  ack('a', 1);
  await clock.advance(10_000);
  expect(hub.reach('shop')?.seconds.get(1)).toEqual([1.5]);
});

test('what a stranger acknowledges, or of a revision that nobody made, is left aside', async () => {
  const { clock, hub, give, join, ack } = make();
  give(1);
  join('a');
  expect(ack('stranger', 1, ['a'])).toBe(false);
  ack('a', 99);
  await clock.advance(10_000);
  expect(hub.reach('shop')).toMatchObject({ running: [-1], evaluatedAt: new Map() });
});

test('usage of flags that are gone is forgotten, and of many revisions the last 16 are measured', async () => {
  const { clock, hub, give, join, ack } = make();
  give(1, ['a', 'b']);
  join('a');
  ack('a', 1, ['a', 'b']);
  for (let revision = 2; revision <= 40; revision++) give(revision, ['b', `only-in-${revision}`]);
  await clock.advance(10_000);
  expect([...hub.reach('shop')!.evaluatedAt.keys()]).toEqual(['b']);
  expect([...hub.reach('shop')!.seconds.keys()]).toEqual(Array.from({ length: 16 }, (_, index) => 25 + index));
});

test('a namespace that is gone leaves nothing behind', () => {
  const { hub, give, join } = make();
  give(3);
  const leave = join('a');
  hub.withdraw('shop');
  leave();
  give(1); // of a namespace of the same name
  const out = new Listener();
  join('b', out);
  expect(out.got).toEqual(['snapshot 1']);
});

test('a leader that stops ends every stream, and pings no more', async () => {
  const { clock, hub, give, join } = make();
  give(1);
  const [fine, stuck] = [new Listener(), new Listener(true)];
  join('fine', fine);
  join('stuck', stuck);
  await settle();
  hub.close();
  expect([fine.writableEnded, stuck.destroyed]).toEqual([true, true]);
  const late = new Listener();
  join('late', late);
  expect(late.writableEnded).toBe(true);
  await clock.advance(60_000);
  expect(fine.got).toEqual(['snapshot 1']);
});

test('an acknowledgement that comes before its revision was published here counts once it is', async () => {
  const { clock, hub, give, join, ack } = make();
  join('a');
  ack('a', 1);
  await clock.advance(10_000);
  expect(hub.reach('shop')?.running).toEqual([-1]);
  give(1);
  await clock.advance(10_000);
  expect(hub.reach('shop')?.running).toEqual([1]);
});

test('who has another ruleset than this replica is sent it, and judges which is newer', async () => {
  const { give, join } = make();
  give(6);
  const out = new Listener();
  join('a', out, 7);
  give(7);
  await settle();
  give(8);
  await settle();
  expect(out.got).toEqual(['snapshot 6', 'snapshot 7', 'snapshot 8']);
});

test('where numbers start lower, what was made later is given to all, and only what is said from then on counts', async () => {
  const { clock, hub, give, join, ack } = make();
  const [early, late] = [new Listener(), new Listener()];
  give(36);
  give(37);
  join('early', early);
  join('mute');
  ack('early', 37);
  ack('mute', 36);
  await clock.advance(1_000);
  give(36, ['b']);
  expect(hub.newest('shop')?.revision).toBe(36);
  join('late', late, 37);
  await settle();
  expect([early.got, late.got]).toEqual([['snapshot 37', 'snapshot 36'], ['snapshot 36']]);
  expect(hub.running('shop')).toEqual([-1, -1, -1]);
  ack('early', 36);
  await clock.advance(10_000);
  expect(hub.reach('shop')?.running).toEqual([36, -1, -1]);
  expect([...hub.reach('shop')!.seconds]).toEqual([[36, [0]]]);
});

test('the same number with another content is given to all, and is run by who says its digest', async () => {
  const { clock, hub, give, join } = make();
  const [one, other] = [new Listener(), new Listener()];
  give(7);
  const { digest: before } = hub.newest('shop')!;
  join('one', one, 7);
  join('other', other);
  await clock.advance(1);
  give(7, ['b']);
  await settle();
  expect([one.got, other.got]).toEqual([
    ['ping', 'snapshot 7'],
    ['snapshot 7', 'snapshot 7'],
  ]);
  const { digest } = hub.newest('shop')!;
  const said = { schema: 'sluice.acknowledgement/v1', flagSetId: 'shop', revision: 7, state: 'Running' } as const;
  hub.acknowledge('one', { ...said, subscriber: 'one', digest, evaluated: [] });
  hub.acknowledge('other', { ...said, subscriber: 'other', digest: before, evaluated: [] });
  expect(hub.running('shop')).toEqual([7, -1]);
  hub.acknowledge('one', { ...said, subscriber: 'one', digest: before, evaluated: [], state: 'Refused' });
  expect(hub.running('shop')).toEqual([7, -1]); // it runs what it ran
});

test('what was made earlier never takes the numbers back', async () => {
  const { clock, hub, give } = make();
  const { ruleset } = sealRuleset({ ...rulesetWith({}), revision: 1, issuedAt: new Date(clock.now()).toISOString() });
  await clock.advance(1_000);
  give(2);
  hub.publish(sealRuleset(ruleset), 'AAAA');
  expect(hub.newest('shop')?.revision).toBe(2);
});

test('where all replicas serve, nothing is told until it is known what the others know', async () => {
  let known: ReturnType<NonNullable<HubOptions['others']>>;
  const { clock, hub, told, give, join, ack } = make(() => known);
  give(1);
  join('a');
  ack('a', 1);
  ack('elsewhere', 1);
  await clock.advance(60_000);
  expect([hub.reach('shop'), told]).toEqual([undefined, []]);
  known = [{ streams: new Map([['elsewhere', clock.now()]]), said: new Map(), evaluatedAt: new Map() }];
  await clock.advance(10_000);
  expect(hub.reach('shop')?.running).toEqual([1, -1]); // what it said was before it came
  ack('elsewhere', 1);
  hub.touch('shop');
  await clock.advance(10_000);
  expect(hub.reach('shop')?.running).toEqual([1, 1]);
});

test('what strangers say of a flag set that has no ruleset is not kept, also where all replicas serve', () => {
  const { hub, give, ack } = make(() => []);
  expect(ack('a', 1)).toBe(false);
  give(1);
  expect(ack('a', 1)).toBe(true);
  hub.withdraw('shop');
  expect(ack('a', 1)).toBe(false);
});

test('what connected evaluators run is known at once, not at the next report', () => {
  const { hub, give, join, ack } = make();
  expect(hub.running('shop')).toEqual([]);
  give(1);
  const leave = join('a');
  join('b');
  ack('a', 1);
  expect(hub.running('shop')).toEqual([1, -1]);
  give(2);
  ack('a', 2);
  leave();
  expect(hub.running('shop')).toEqual([-1]);
});
