import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { EpochMs } from '../../base/units.ts';
import { type JudgedGuardrail, judge, type Sample } from '../../core/guardrails/judge.ts';
import { askedEvery } from '../../core/rollout/hold.ts';
import { latestDue, nextDue, type Schedule, scheduleOf } from '../../providers/polling.ts';
import type { Question } from './guardrail-rules.ts';
import type { ProviderPool } from './provider-pool.ts';
import { type Asked, render, type Subject, takeSample } from './sample.ts';

/** What one Rollout wants watched. Equal watches are the same: telling it again changes nothing. */
export interface Watch {
  readonly subject: Subject;
  readonly questions: readonly Question[];
  /** States to go on from, by name: budgets survive a change of leader. */
  readonly states: readonly JudgedGuardrail[];
}

export interface PollerPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pool: ProviderPool;
  /** A sample changed the state of a guardrail. `harm`: its verdict is Harm, and was not before. */
  sampled(key: string, harm: boolean): void;
}

interface Polled {
  readonly question: Question;
  readonly subject: Subject;
  readonly fingerprint: string;
  readonly schedule: Schedule;
  readonly asked: Asked | { readonly mistake: string };
  state: JudgedGuardrail;
  /** The last value of stable: silence takes it from the state. */
  lastOfStable: number | undefined;
  /** A spent budget that must lead to a rollback, and that no pass has acted on yet: good samples do not take it back. */
  isOwed: boolean;
  /** Instant of the last answer to this process; a former leader's clock may have been ahead of ours. */
  answeredAt?: EpochMs;
  cancel: () => void;
}

/**
 * Asks each guardrail's question at a fixed phase. Guardrails do not wait for one another, and a slow answer never moves
 * the next question. States are in memory; the controller persists them with status.
 */
export class GuardrailPoller {
  readonly #ports: PollerPorts;
  readonly #watched = new Map<string, Map<string, Polled>>();
  readonly #end = new AbortController();

  constructor(ports: PollerPorts) {
    this.#ports = ports;
  }

  /** The present states of a Rollout's guardrails; undefined where it is not watched. */
  statesOf(key: string): readonly JudgedGuardrail[] | undefined {
    const polled = this.#watched.get(key);
    return polled && [...polled.values()].map(({ state }) => state);
  }

  /** Starts, adjusts or goes on with watching; undefined stops it. */
  watch(key: string, wanted: Watch | undefined): void {
    const before = this.#watched.get(key) ?? new Map<string, Polled>();
    const after = new Map<string, Polled>();
    for (const question of wanted?.questions ?? []) {
      const { name } = question.rule.guardrail;
      const fingerprint = JSON.stringify([question, wanted?.subject]);
      const known = before.get(name);
      if (known?.fingerprint === fingerprint) after.set(name, known);
      else if (wanted) after.set(name, this.#begin(key, wanted, question, fingerprint, known));
    }
    for (const [name, polled] of before) if (after.get(name) !== polled) polled.cancel();
    if (wanted) this.#watched.set(key, after);
    else this.#watched.delete(key);
  }

  #begin(
    key: string,
    { subject, states }: Watch,
    question: Question,
    fingerprint: string,
    known: Polled | undefined,
  ): Polled {
    const asked = render(question, subject);
    const { guardrail } = question.rule;
    const provider = this.#ports.pool.keyOf(question.query, question.namespace);
    const schedule = scheduleOf(provider, 'value' in asked ? asked.value : guardrail.name, askedEvery(question.rule));
    // Samples and budgets belong to one pair of revisions.
    const same = known && isSamePair(known.subject, subject) ? known : undefined;
    const status = same?.state.status ?? states.find((state) => state.rule.guardrail.name === guardrail.name)?.status;
    const polled: Polled = {
      question,
      subject,
      fingerprint,
      schedule,
      asked,
      state: { rule: question.rule, ...(status ? { status } : {}) },
      lastOfStable: same?.lastOfStable ?? status?.stableValue,
      isOwed: status !== undefined && asksForRollback({ rule: question.rule, status }),
      ...(same?.answeredAt === undefined ? {} : { answeredAt: same.answeredAt }),
      cancel: () => {},
    };
    if ('mistake' in asked)
      polled.state = {
        rule: question.rule,
        status: judge(question.rule, status, {
          at: this.#ports.clock.now(),
          answer: { kind: 'BadQuery', message: asked.mistake },
        }),
      };
    else this.#schedule(key, polled, subject);
    return polled;
  }

  #schedule(key: string, polled: Polled, subject: Subject): void {
    const { clock, logger } = this.#ports;
    const abort = new AbortController();
    let stopTimer = () => {};
    const askFrom = (due: EpochMs) => {
      stopTimer = clock.after(due - clock.now(), () => {
        // A timer may fire a millisecond before its instant: by the clock alone the one before would be asked for again.
        const at = Math.max(due, clock.now()) as EpochMs;
        askFrom(nextDue(polled.schedule, at));
        void this.#ask(
          key,
          polled,
          subject,
          latestDue(polled.schedule, at),
          AbortSignal.any([abort.signal, this.#end.signal]),
        ).catch((error: unknown) => {
          if (!abort.signal.aborted && !this.#end.signal.aborted)
            logger.error({ rollout: key, err: error }, 'a guardrail could not be asked');
        });
      });
    };
    askFrom(nextDue(polled.schedule, clock.now()));
    polled.cancel = () => {
      stopTimer();
      abort.abort();
    };
  }

  async #ask(key: string, polled: Polled, subject: Subject, at: EpochMs, signal: AbortSignal): Promise<void> {
    if ('mistake' in polled.asked) return;
    const { question, asked, schedule, lastOfStable } = polled;
    const provider = await this.#ports.pool.providerOf(question.query, question.namespace, signal);
    const sample = await takeSample(
      provider,
      question,
      asked,
      { at, owner: `${subject.namespace}/${subject.rollout}`, schedule, lastOfStable },
      signal,
    );
    signal.throwIfAborted();
    this.#take(key, polled, sample);
  }

  #take(key: string, polled: Polled, sample: Sample): void {
    const before = polled.state.status;
    // Answers may overtake one another; what is older than the last one says nothing new, nor does the same instant once more.
    const { answeredAt } = polled;
    if (answeredAt === undefined ? before?.at === sample.at : answeredAt >= sample.at) return;
    polled.answeredAt = sample.at;
    const { rule } = polled.question;
    const judged = judge(rule, before, sample);
    const status =
      polled.isOwed && before && judged.verdict !== 'Harm'
        ? { ...before, at: judged.at, outOfBounds: judged.outOfBounds }
        : judged;
    polled.state = { rule, status };
    polled.lastOfStable = judged.stableValue ?? polled.lastOfStable;
    polled.isOwed ||= asksForRollback(polled.state);
    this.#ports.sampled(key, status.verdict === 'Harm' && before?.verdict !== 'Harm');
  }

  /** A pass was carried out that saw the guardrails so: a breach among them is answered. */
  actedOn(key: string, seen: readonly JudgedGuardrail[]): void {
    for (const { rule } of seen.filter(asksForRollback)) {
      const polled = this.#watched.get(key)?.get(rule.guardrail.name);
      if (polled) polled.isOwed = false;
    }
  }

  stop(): void {
    this.#end.abort();
    for (const polled of this.#watched.values()) for (const { cancel } of polled.values()) cancel();
    this.#watched.clear();
  }
}

const isSamePair = (one: Subject, other: Subject): boolean =>
  one.canaryHash === other.canaryHash && one.stableHash === other.stableHash;

const asksForRollback = ({ rule, status }: JudgedGuardrail): boolean =>
  status?.verdict === 'Harm' && rule.guardrail.action === 'RollBack';
