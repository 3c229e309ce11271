import { describe, expect, onTestFinished, test } from 'vitest';
import { type CheckedFetch, checkedFetch } from './checked-fetch.ts';
import { FEATURES, scenariosOf } from './scenario.ts';
import { runSteps, UnknownStep } from './steps.ts';
import type { World } from './world.ts';

/** Scenarios whose id begins so are not fulfilled, for this reason. */
export interface LeftOut {
  readonly id: string;
  readonly why: string;
}

/**
 * Makes a test of each scenario, each in a world of its own. Those that are left out are run as well and must fail, so that the
 * list can hold nothing that works; and each entry must be about some scenario. `answers` counts those of OFREP that were
 * held to its document.
 */
export function runScenarios(leftOut: readonly LeftOut[], open: (checked: CheckedFetch) => World): { answers: number } {
  const seen = { answers: 0 };
  for (const feature of FEATURES) {
    describe(feature, () => {
      for (const { id, steps } of scenariosOf(feature)) {
        const reason = leftOut.find((entry) => id.startsWith(entry.id));
        test(reason ? `left out, ${reason.why}: ${id}` : id, async () => {
          const checked = checkedFetch();
          const world = open(checked);
          onTestFinished(async () => {
            seen.answers += checked.answers();
            await world.close();
          });
          const failure = await runSteps(world, steps).then(
            () => undefined,
            (error: unknown) => error,
          );
          expect(world.wireProblems).toEqual([]);
          if (failure instanceof UnknownStep) throw failure;
          if (!reason && failure) throw failure;
          if (reason) expect(failure, 'it holds now: take it off the list').toBeDefined();
        });
      }
    });
  }
  test.each(leftOut.map(({ id }) => id))('the list of what is left out is about some scenario: %s', (id) => {
    expect(FEATURES.flatMap(scenariosOf).filter((scenario) => scenario.id.startsWith(id))).not.toEqual([]);
  });
  return seen;
}
