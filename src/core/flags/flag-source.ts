import type { FeatureFlagSpec } from '../../api/feature-flag.ts';
import type { FeatureFlagStatus } from '../../api/feature-flag-status.ts';
import { parseFeatureFlag, parseFeatureFlagStatus } from '../../api/parse.ts';
import { canonicalJson } from '../../wire/canonical-json.ts';
import type { Flag } from '../../wire/flag.ts';
import type { FlagSource } from './compile-flags.ts';
import { type CompiledSpec, compileSpec } from './compile-spec.ts';
import { lastAccepted } from './history.ts';

/** What of a FeatureFlag object is read: as the API server or a file has it. */
export interface FlagManifest {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly creationTimestamp?: string;
  };
  readonly spec?: unknown;
  readonly status?: unknown;
}

export interface ReadFlag {
  readonly source: FlagSource;
  readonly status: FeatureFlagStatus;
  /** The spec as canonical JSON; undefined where there is none that could be said so. */
  readonly text: string | undefined;
  /** Undefined where it cannot be read; `source.current` says why. */
  readonly spec: FeatureFlagSpec | undefined;
}

/** Reads and compiles one flag by itself. Never throws. */
export function readFlag(object: FlagManifest): ReadFlag {
  const { name, namespace = '', uid = '', creationTimestamp = '' } = object.metadata;
  const parsed = parseFeatureFlag(object);
  const said = (object.spec ?? {}) as { key?: unknown; killSwitch?: unknown; enabled?: unknown };
  const key = typeof said.key === 'string' ? said.key : name;
  const status = statusOf(object);
  const text = specTextOf(object);
  const current: CompiledSpec = parsed.ok
    ? compileSpec(namespace, key, parsed.flag.spec)
    : { ok: false, problems: parsed.problems };
  const source: FlagSource = {
    name,
    uid,
    createdAt: creationTimestamp,
    key,
    current,
    lastGood: lastGoodOf(object, key, status),
    killSwitch: said.killSwitch === true,
    enabled: said.enabled !== false,
  };
  return { source, status, text, spec: parsed.ok ? parsed.flag.spec : undefined };
}

/** A status that cannot be read counts as none: it is written anew. */
function statusOf({ status }: FlagManifest): FeatureFlagStatus {
  const parsed = parseFeatureFlagStatus(status);
  return parsed.ok ? parsed.status : { conditions: [], history: [] };
}

/** The spec as canonical JSON, by which revisions are told apart. */
export function specTextOf({ spec }: Pick<FlagManifest, 'spec'>): string | undefined {
  try {
    return spec === undefined ? undefined : canonicalJson(spec);
  } catch {
    return undefined;
  }
}

function lastGoodOf(object: FlagManifest, key: string, { history }: FeatureFlagStatus): Flag | undefined {
  const good = lastAccepted(history);
  if (!good) return undefined;
  try {
    const parsed = parseFeatureFlag({ ...object, status: undefined, spec: JSON.parse(good.spec) });
    const compiled = parsed.ok ? compileSpec(object.metadata.namespace ?? '', key, parsed.flag.spec) : undefined;
    return compiled?.ok ? compiled.flag : undefined;
  } catch {
    return undefined; // what stands in a status need not have been written by us
  }
}
