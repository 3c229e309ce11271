import type { Answer } from '../core/evaluation/answer.ts';

/** Counts evaluations by flag, variant and reason. As cheap as it can be: it is on the path of every answer. */
export class EvaluationCounts {
  readonly #flags = new Map<string, Map<string, Map<string, number>>>();
  /** Evaluations of each flag when its key was last taken. */
  readonly #taken = new Map<string, number>();

  count(key: string, answer: Answer): void {
    if (answer.kind === 'Served') this.#add(key, answer.variant, answer.reason);
    else if (answer.kind === 'Valueless') this.#add(key, '', answer.reason);
    // A key that no flag has is anyone's invention: as a label it would grow without bound.
    else this.#add(answer.errorCode === 'FLAG_NOT_FOUND' ? '' : key, '', answer.errorCode);
  }

  /** Forgets flags that are gone. */
  keepOnly(keys: { has(key: string): boolean }): void {
    for (const key of this.#flags.keys()) {
      if (key === '' || keys.has(key)) continue;
      this.#flags.delete(key);
      this.#taken.delete(key);
    }
  }

  /** Keys of flags that were evaluated since the last call. Made of the counts, so that evaluations pay nothing for it. */
  takeEvaluated(): string[] {
    const keys: string[] = [];
    for (const [key, variants] of this.#flags) {
      const total = sumOf(variants);
      if (key === '' || this.#taken.get(key) === total) continue;
      this.#taken.set(key, total);
      keys.push(key);
    }
    return keys;
  }

  *entries(): Generator<{ flag: string; variant: string; reason: string; count: number }> {
    for (const [flag, variants] of this.#flags)
      for (const [variant, reasons] of variants)
        for (const [reason, count] of reasons) yield { flag, variant, reason, count };
  }

  #add(flag: string, variant: string, reason: string): void {
    const variants = this.#flags.get(flag) ?? new Map<string, Map<string, number>>();
    if (variants.size === 0) this.#flags.set(flag, variants);
    const reasons = variants.get(variant) ?? new Map<string, number>();
    if (reasons.size === 0) variants.set(variant, reasons);
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
}

function sumOf(variants: ReadonlyMap<string, ReadonlyMap<string, number>>): number {
  let sum = 0;
  for (const reasons of variants.values()) for (const count of reasons.values()) sum += count;
  return sum;
}
