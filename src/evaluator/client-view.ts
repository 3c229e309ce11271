import type { Answer, Metadata } from '../core/evaluation/answer.ts';
import type { CompiledRuleset } from '../core/evaluation/compile.ts';
import type { CompiledFlag } from '../core/evaluation/compile-flag.ts';
import type { HeldRuleset } from '../rulesets/holder.ts';
import type { Holding } from './ports.ts';

/**
 * What is held as browsers and phones may see it: only flags with `clientSide`, and of their metadata what an exposure is made of.
 * Names of rules, layers and holdouts, buckets and keys of prerequisites say whom a team targets: they stay inside.
 */
export function clientView(holder: Holding): Holding {
  let seen: HeldRuleset | undefined;
  let shown: HeldRuleset | undefined;
  return {
    get current() {
      if (holder.current !== seen) {
        seen = holder.current;
        shown = seen && { ...seen, compiled: clientSideOf(seen.compiled) };
      }
      return shown;
    },
    get stale() {
      return holder.stale;
    },
    get expired() {
      return holder.expired;
    },
  };
}

function clientSideOf(compiled: CompiledRuleset): CompiledRuleset {
  const flags = new Map<string, CompiledFlag>();
  for (const [key, flag] of compiled.flags) {
    // Prerequisites still ask the flag as it is compiled, whether it is shown or not.
    if (flag.clientSide) flags.set(key, { ...flag, answer: (context, nowMs) => shownOf(flag.answer(context, nowMs)) });
  }
  return { ...compiled, flags };
}

function shownOf(answer: Answer): Answer {
  return { ...answer, metadata: shownMetadata(answer.metadata) };
}

/** Named one by one, so that what is added to metadata later is not shown by oversight. */
function shownMetadata({ flagSetId, version, experiment, arm, phase, unitMissing }: Metadata): Metadata {
  return {
    ...(flagSetId !== undefined && { flagSetId }),
    ...(version !== undefined && { version }),
    ...(experiment !== undefined && { experiment }),
    ...(arm !== undefined && { arm }),
    ...(phase !== undefined && { phase }),
    ...(unitMissing && { unitMissing }),
  };
}
