import type { z } from 'zod';
import { conditionsIn, type FlagCondition } from './flag-condition.ts';

/** What of a spec the checks look at. */
interface References {
  readonly type: 'boolean' | 'string' | 'number' | 'object';
  readonly variants: Readonly<Record<string, unknown>>;
  readonly offVariant: string;
  readonly defaultVariant: string;
  readonly overrides: readonly { readonly units: readonly string[]; readonly variant: string }[];
  readonly segments: Readonly<Record<string, FlagCondition>>;
  readonly rules: readonly {
    readonly when?: FlagCondition | undefined;
    readonly serve: {
      readonly variant?: string | undefined;
      readonly split?: readonly { readonly variant: string }[] | undefined;
    };
  }[];
}

interface Finding {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/**
 * `schema` with what CEL cannot see: values without a type, and whether the names that a spec uses are defined in it. The
 * API server lets such a spec through; the operator answers `Accepted=False`.
 */
export function crossChecked<Schema extends z.ZodType<References, unknown>>(schema: Schema): Schema {
  return schema.superRefine((spec, context) => {
    if (context.issues.length > 0) return;
    for (const check of checks) {
      for (const { path, message } of check(spec as References))
        context.addIssue({ code: 'custom', message, path: [...path] });
    }
  }) as Schema;
}

type Check = (spec: References) => Iterable<Finding>;

function* valuesOfType({ type, variants }: References): Generator<Finding> {
  for (const [name, value] of Object.entries(variants)) {
    if (typeof value === type && value !== null && !Array.isArray(value)) continue;
    yield { path: ['variants', name], message: `must be of type ${type}` };
  }
}

function* knownVariants({ variants, ...spec }: References): Generator<Finding> {
  const used: [string, readonly PropertyKey[]][] = [
    [spec.offVariant, ['offVariant']],
    [spec.defaultVariant, ['defaultVariant']],
    ...spec.overrides.map((one, index): [string, PropertyKey[]] => [one.variant, ['overrides', index, 'variant']]),
    ...spec.rules.flatMap(({ serve }, index): [string, PropertyKey[]][] => [
      ...(serve.variant === undefined
        ? []
        : [[serve.variant, ['rules', index, 'serve', 'variant']] as [string, PropertyKey[]]]),
      ...(serve.split ?? []).map((arm, at): [string, PropertyKey[]] => [
        arm.variant,
        ['rules', index, 'serve', 'split', at, 'variant'],
      ]),
    ]),
  ];
  for (const [name, path] of used) {
    if (!Object.hasOwn(variants, name)) yield { path, message: `"${name}" is not one of variants` };
  }
}

function* knownSegments({ segments, rules }: References): Generator<Finding> {
  const roots: [FlagCondition, PropertyKey[]][] = [
    ...Object.entries(segments).map(([name, root]): [FlagCondition, PropertyKey[]] => [root, ['segments', name]]),
    ...rules.flatMap(({ when }, index): [FlagCondition, PropertyKey[]][] =>
      when ? [[when, ['rules', index, 'when']]] : [],
    ),
  ];
  for (const [root, at] of roots) {
    for (const { condition, path } of conditionsIn(root, at)) {
      if (condition.segment === undefined || Object.hasOwn(segments, condition.segment)) continue;
      yield { path: [...path, 'segment'], message: `"${condition.segment}" is not one of segments` };
    }
  }
}

function* segmentsWithoutCycles({ segments }: References): Generator<Finding> {
  const state = new Map<string, 'open' | 'closed'>();
  const reachesOpen = (name: string): boolean => {
    if (state.has(name)) return state.get(name) === 'open';
    const root = segments[name];
    if (!root) return false;
    state.set(name, 'open');
    const inCycle = [...conditionsIn(root)].some(
      ({ condition }) => condition.segment !== undefined && reachesOpen(condition.segment),
    );
    state.set(name, 'closed');
    return inCycle;
  };
  for (const name of Object.keys(segments)) {
    if (!state.has(name) && reachesOpen(name)) yield { path: ['segments', name], message: 'refers to itself' };
  }
}

const checks: readonly Check[] = [valuesOfType, knownVariants, knownSegments, segmentsWithoutCycles];
