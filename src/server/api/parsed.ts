import type { z } from 'zod';
import { isWithinBytes, MAX_OBJECT_BYTES } from '../../api/bounded-size.ts';
import { type Problem, problemsOf } from '../../api/problem.ts';
import { jsonProblem } from '../../wire/json.ts';
import { invalid, unprocessable } from './failure.ts';

/** Parameters of path or query. Throws 400. */
export function parsedInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input, { reportInput: true });
  if (result.success) return result.data;
  const problems = problemsOf(result.error);
  throw invalid(problems.map(({ path, message }) => `${path} ${message}`).join('; '), problems);
}

/** A body. Throws 422 with what does not fit. */
export function parsedBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const result = schema.safeParse(body, { reportInput: true });
  if (result.success) return result.data;
  throw unprocessable(problemsOf(result.error));
}

/** The value of a JSON text; undefined for an empty one. Throws 400, and 422 for what is larger than any flag. */
export function readJson(text: string): unknown {
  if (text === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid('the body is no JSON');
  }
  const unfit = jsonProblem(value, 2 * text.length);
  if (unfit) throw invalid(`the body cannot be taken: ${unfit.path} ${unfit.message}`.replace('  ', ' '), [unfit]);
  if (!isWithinBytes(value, MAX_OBJECT_BYTES)) throw unprocessable([tooLarge]);
  return value;
}

const tooLarge: Pick<Problem, 'path' | 'message'> = { path: '', message: `is larger than ${MAX_OBJECT_BYTES} bytes` };

/** Numbers of a query are texts on the wire. */
export function readQuery(query: unknown): unknown {
  const entries = Object.entries(query as Record<string, unknown>);
  return Object.fromEntries(entries.map(([name, value]) => [name, name === 'limit' ? numberOf(value) : value]));
}

const numberOf = (value: unknown): unknown =>
  typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
