import { type FlagSpec, Refusal } from '../imported.ts';
import type { Feature, Variant } from './state.ts';

type Json = FlagSpec['variants'][string];

/** The values of a feature, and how its rules name them. */
export interface Values {
  readonly type: FlagSpec['type'];
  readonly variants: FlagSpec['variants'];
  /** Served when the feature is off: what Unleash calls the variant `disabled`. */
  readonly off: string;
  /** Served when it is on and has no variant to give. */
  readonly on: string;
  /** Name of a variant here. */
  readonly nameOf: (variant: Variant) => string;
}

/** Without variants a feature is a boolean flag, else one of their payloads' type. */
export function valuesOf({ variants, strategies }: Feature): Values {
  const all = [...(variants ?? []), ...(strategies ?? []).flatMap((strategy) => strategy.variants ?? [])];
  if (all.length === 0)
    return { type: 'boolean', variants: { on: true, off: false }, off: 'off', on: 'on', nameOf: ({ name }) => name };
  const type = typeOf(all);
  const names = new Map<string, Json>();
  const given = new Map<Variant, string>();
  for (const variant of all) given.set(variant, place(names, variant.name, payloadValue(variant, type)));
  const off = place(names, 'disabled', EMPTY[type]);
  const on = place(names, 'enabled', EMPTY[type]);
  return { type, variants: Object.fromEntries(names), off, on, nameOf: (variant) => given.get(variant) as string };
}

const EMPTY = { string: '', number: 0, object: {} } as const;

/** A name for the value: its own, or with a number where another value has that. */
function place(names: Map<string, Json>, name: string, value: Json): string {
  for (let count = 1; ; count++) {
    const candidate = count === 1 ? name : `${name}-${count}`;
    // An off or on value may be equal to one of the feature's, and must not become one with it.
    const isOwn = name === 'disabled' || name === 'enabled';
    if (names.has(candidate) && (isOwn || JSON.stringify(names.get(candidate)) !== JSON.stringify(value))) continue;
    names.set(candidate, value);
    return candidate;
  }
}

function typeOf(variants: readonly Variant[]): 'string' | 'number' | 'object' {
  const kinds = new Set(
    variants.map(({ payload }) => (payload?.type === 'csv' ? 'string' : (payload?.type ?? 'string'))),
  );
  const [kind] = kinds;
  if (kinds.size !== 1) return 'object';
  return kind === 'number' ? 'number' : kind === 'json' ? 'object' : 'string';
}

function payloadValue({ name, payload }: Variant, type: 'string' | 'number' | 'object'): Json {
  if (type === 'string') return payload?.value ?? name;
  if (type === 'number') return numberOf(payload?.value ?? '', name);
  const value = payload?.type === 'json' ? jsonOf(payload.value, name) : undefined;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  // Payloads of several types, or JSON that is no object.
  return { name, ...(payload && { type: payload.type, value: payload.value }) };
}

function numberOf(text: string, name: string): number {
  const value = Number(text.trim() || Number.NaN);
  if (!Number.isFinite(value)) throw new Refusal(['variants'], `the payload of ${name} is no number`);
  return value;
}

function jsonOf(text: string, name: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new Refusal(['variants'], `the payload of ${name} is no JSON`);
  }
}
