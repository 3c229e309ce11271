import { z } from 'zod';
import type { EpochMs } from '../base/units.ts';
import { type Answer, type DownCause, providerDown, type Remarks } from './provider.ts';

/** A response read to its end. `body` lies within the size bound. */
export interface Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

const remarkList = z.array(z.string()).nullish();
const failure = z.object({ status: z.literal('error'), errorType: z.string(), error: z.string() });
const success = z.object({
  status: z.literal('success'),
  data: z.object({ resultType: z.string(), result: z.unknown() }),
  warnings: remarkList,
  infos: remarkList,
  // VictoriaMetrics' cluster says so when a storage node did not answer: https://docs.victoriametrics.com/victoriametrics/cluster-victoriametrics/
  isPartial: z.boolean().nullish(),
});
/** [seconds since 1970, value as text]; https://prometheus.io/docs/prometheus/latest/querying/api/ */
const sample = z.tuple([z.number(), z.string()]);
const series = z.object({
  metric: z.record(z.string(), z.string()),
  value: sample.optional(),
  histogram: z.unknown().optional(),
});

/**
 * Reads a response of `POST /api/v1/query`. Text of the server reaches a message only from Prometheus' own error document,
 * so that an address that is no Prometheus cannot be used to read pages through us.
 */
export function readAnswer(response: Response): Answer {
  const { status } = response;
  if (status >= 300 && status < 400) return providerDown('Redirect', redirectMessage(response));
  const parsed = parseJson(response);
  if (status !== 200) return readFailure(status, parsed.json);
  if ('problem' in parsed) return providerDown('Malformed', `the response ${parsed.problem}`);
  const answer = success.safeParse(parsed.json);
  if (!answer.success) return providerDown('Malformed', 'the response is not a Prometheus query result');
  const { data, warnings, infos, isPartial } = answer.data;
  const partial = isPartial === true ? ['the provider calls its answer partial'] : [];
  const remarks = { warnings: [...partial, ...(warnings ?? [])], infos: infos ?? [] };
  return readResult(data.resultType, data.result, remarks);
}

function parseJson({ headers, body }: Response): { json: unknown; problem?: string } {
  const type = String(headers['content-type'] ?? '');
  if (!/^application\/json\b/i.test(type)) return { json: undefined, problem: 'is not JSON' };
  // We ask for no encoding, so that a small body cannot grow to a huge one.
  if (headers['content-encoding'] !== undefined) return { json: undefined, problem: 'is encoded without being asked' };
  try {
    return { json: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) };
  } catch {
    return { json: undefined, problem: 'is cut or invalid JSON' };
  }
}

function readFailure(status: number, json: unknown): Answer {
  const parsed = failure.safeParse(json);
  if (!parsed.success) return providerDown(causeOf(status), `HTTP ${status}`);
  const { errorType, error } = parsed.data;
  // A 400 that is not Prometheus' own, such as a proxy's, says nothing about the query.
  if (status === 400 && errorType === 'bad_data') return { kind: 'BadQuery', message: error };
  const cause = errorType === 'timeout' ? 'Timeout' : causeOf(status);
  return providerDown(cause, `HTTP ${status}, ${errorType}: ${error}`);
}

function causeOf(status: number): DownCause {
  if (status === 401 || status === 403) return 'Unauthorized';
  if (status === 404) return 'NotFound';
  if (status === 422) return 'Http422';
  if (status === 429) return 'RateLimited';
  if (status >= 500) return 'Http5xx';
  // Another 2xx is no answer of this protocol.
  return status >= 400 ? 'Http4xx' : 'Malformed';
}

function redirectMessage({ status, headers }: Response): string {
  const location = String(headers.location ?? '');
  const to = URL.canParse(location) ? ` to ${new URL(location).origin}` : '';
  return `HTTP ${status}, a redirect${to}, which is not followed`;
}

function readResult(resultType: string, result: unknown, remarks: Remarks): Answer {
  if (resultType === 'scalar') return readSample(result, remarks);
  if (resultType === 'vector') return readVector(result, remarks);
  if (resultType === 'matrix') return badQuery('the result is a range of values: wrap it in a function such as rate()');
  if (resultType === 'string') return badQuery('the result is a string, not a number');
  return providerDown('Malformed', 'the result has an unknown type');
}

function readVector(result: unknown, remarks: Remarks): Answer {
  if (!Array.isArray(result)) return providerDown('Malformed', 'the result is not a list');
  if (result.length === 0) return { kind: 'Empty', remarks };
  const first = series.safeParse(result[0]);
  if (!first.success) return providerDown('Malformed', 'the result holds no series');
  if (result.length > 1) {
    const shown = result.slice(0, 2).map((one) => labels(series.safeParse(one).data?.metric ?? {}));
    const message = `${result.length} series where one is wanted, such as ${shown.join(' and ')}`;
    return { kind: 'SeveralSeries', count: result.length, message, remarks };
  }
  if (first.data.value === undefined && first.data.histogram !== undefined) {
    return badQuery('the result is a histogram: take a number from it, such as with histogram_quantile()');
  }
  return readSample(first.data.value, remarks);
}

function labels(metric: Record<string, string>): string {
  const pairs = Object.entries(metric).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `{${pairs.join(', ')}}`;
}

function readSample(found: unknown, remarks: Remarks): Answer {
  const parsed = sample.safeParse(found);
  if (!parsed.success) return providerDown('Malformed', 'the result holds no sample');
  const [seconds, text] = parsed.data;
  if (text === 'NaN' || text === '+Inf' || text === '-Inf') return { kind: 'NotANumber', text, remarks };
  // Number('') is 0: a value that is not written as a number must not pass as a good one.
  const value = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) return providerDown('Malformed', 'the value is not written as a number');
  return { kind: 'Value', value, at: Math.round(seconds * 1000) as EpochMs, remarks };
}

const badQuery = (message: string): Answer => ({ kind: 'BadQuery', message });
