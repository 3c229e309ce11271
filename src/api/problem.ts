import type { z } from 'zod';
import type { Code } from '../base/errors.ts';

/** Something wrong or doubtful about a manifest, and where. */
export interface Problem {
  readonly code: Code;
  /** Like `spec.steps[2].weight`; empty for the whole object. */
  readonly path: string;
  readonly message: string;
}

/** Enough to work on; a hostile object must not make a long answer. */
const MAX_PROBLEMS = 50;
const MAX_PATH_CHARS = 200;

/** What zod found, with paths as the API server writes them. Parse with `reportInput`, to tell missing from wrong. */
export function problemsOf(error: z.ZodError, prefix: readonly PropertyKey[] = []): Problem[] {
  return error.issues.flatMap((issue) => problemsOfIssue(issue, [...prefix, ...issue.path])).slice(0, MAX_PROBLEMS);
}

function problemsOfIssue(issue: z.core.$ZodIssue, path: readonly PropertyKey[]): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.slice(0, MAX_PROBLEMS);
    return keys.map((key) => problem('SLUICE_FIELD_UNKNOWN', [...path, key], 'is not a field of this resource'));
  }
  if (issue.code === 'invalid_type' && issue.input === undefined) {
    return [problem('SLUICE_FIELD_REQUIRED', path, 'is required')];
  }
  return [problem('SLUICE_FIELD_INVALID', path, issue.message)];
}

/** A problem at a place given as names and list indexes. */
export function problem(code: Code, path: readonly PropertyKey[], message: string): Problem {
  return { code, path: pathText(path), message };
}

function pathText(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return text.replace(/^\./, '').slice(0, MAX_PATH_CHARS);
}
