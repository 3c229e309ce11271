import type { z } from 'zod';

/** A rule said twice: in CEL for the API server and in TypeScript for everyone who reads a manifest without one. */
export interface Constraint<Shape> {
  readonly rule: string;
  readonly message: string;
  /** Where the problem is, relative to the shape. */
  readonly field?: string;
  readonly holds: (self: Shape) => boolean;
}

/** A rule about a change. Only the API server, which knows the old object, can judge it. */
export interface TransitionConstraint {
  readonly transitionRule: string;
  readonly message: string;
  readonly field?: string;
}

type AnyConstraint<Shape> = Constraint<Shape> | TransitionConstraint;

/** `schema` with rules on top, checked by zod and copied into `crds/`. Call it last: later checks would drop the metadata. */
export function constrained<Schema extends z.ZodType>(
  schema: Schema,
  description: string,
  ...constraints: AnyConstraint<z.output<Schema>>[]
): Schema {
  const checked = schema.superRefine((self, context) => {
    // Like the API server: rules speak only about what has the right shape.
    if (context.issues.length > 0) return;
    for (const constraint of constraints) {
      if ('transitionRule' in constraint || constraint.holds(self)) continue;
      const path = constraint.field === undefined ? [] : [constraint.field];
      context.addIssue({ code: 'custom', message: constraint.message, path });
    }
  });
  return checked.meta({ description, 'x-kubernetes-validations': constraints.map(validationOf) }) as Schema;
}

function validationOf<Shape>(constraint: AnyConstraint<Shape>): object {
  const { message, field } = constraint;
  const rule = 'rule' in constraint ? constraint.rule : constraint.transitionRule;
  return { rule, message, ...(field !== undefined && { fieldPath: `.${field}` }) };
}

/** A list whose entries are told apart by the field `key`; server-side apply merges it by that field. */
export function keyedList<Schema extends z.ZodType<readonly object[], readonly object[]>>(
  schema: Schema,
  key: string,
  description: string,
): Schema {
  const checked = withoutDuplicates(schema, (entry) => (entry as Record<string, unknown>)[key]);
  return checked.meta({
    description,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': [key],
  }) as Schema;
}

/** A list of different scalars in any order. */
export function setList<Schema extends z.ZodType<readonly string[], readonly string[]>>(
  schema: Schema,
  description: string,
): Schema {
  const checked = withoutDuplicates(schema, (entry) => entry);
  return checked.meta({ description, 'x-kubernetes-list-type': 'set' }) as Schema;
}

function withoutDuplicates<Schema extends z.ZodType<readonly unknown[], readonly unknown[]>>(
  schema: Schema,
  identity: (entry: unknown) => unknown,
) {
  return schema.superRefine((entries, context) => {
    const seen = new Set<unknown>();
    entries.forEach((entry, index) => {
      const id = identity(entry);
      if (seen.has(id)) context.addIssue({ code: 'custom', message: `duplicate ${JSON.stringify(id)}`, path: [index] });
      seen.add(id);
    });
  });
}
