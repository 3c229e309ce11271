import type { Code } from '../base/errors.ts';
import { retryAfterMs } from '../base/retry-after.ts';
import type { EpochMs } from '../base/units.ts';
import { KubeError, type Status } from './kube-error.ts';

/** Reads a body whole; throws SLUICE_KUBE_TOO_LARGE beyond `maxBytes`, so that no answer can exhaust memory. */
export async function readText(body: AsyncIterable<Buffer>, maxBytes: number, call: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      throw new KubeError('SLUICE_KUBE_TOO_LARGE', `the answer is larger than ${maxBytes} bytes`, {
        call,
        httpStatus: 0,
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes).toString('utf8');
}

/** The coded error for an answer that is not 2xx. `text` is its body, a `Status` when the API server itself answered. */
export function errorOfAnswer(
  call: string,
  answer: { readonly httpStatus: number; readonly text: string; readonly retryAfter: string | undefined },
  now: EpochMs,
): KubeError {
  const status = parseStatus(answer.text);
  const httpStatus = answer.httpStatus;
  const message = status?.message ?? (answer.text.slice(0, 200).trim() || 'no explanation');
  const fromHeader = retryAfterMs(answer.retryAfter, now);
  return errorOfStatus(call, { ...status, code: httpStatus, message }, fromHeader);
}

/** The coded error for a `Status`, which may also come inside a watch. */
export function errorOfStatus(call: string, status: Status, fromHeader?: KubeError['retryAfterMs']): KubeError {
  const httpStatus = status.code ?? 500;
  const message = status.message ?? status.reason ?? 'no explanation';
  return new KubeError(codeOf(httpStatus, status), message, {
    call,
    httpStatus,
    status,
    retryAfterMs: fromHeader ?? retryAfterMs(status.details?.retryAfterSeconds?.toString(), 0),
  });
}

function codeOf(httpStatus: number, { reason, details }: Status): Code {
  if (httpStatus === 401 || httpStatus === 403) return 'SLUICE_KUBE_DENIED';
  if (httpStatus === 404) return 'SLUICE_KUBE_NOT_FOUND';
  if (httpStatus === 409) return 'SLUICE_KUBE_CONFLICT';
  if (httpStatus === 410) return 'SLUICE_KUBE_EXPIRED';
  // A patch that names another uid than the object's.
  if (details?.causes?.some(({ field }) => field === 'metadata.uid')) return 'SLUICE_KUBE_CONFLICT';
  // A JSON patch whose `test` fails is 422 Invalid without any field named; an object that breaks a rule names its fields.
  if (httpStatus === 422 && reason === 'Invalid' && !details?.causes?.length) return 'SLUICE_KUBE_PATCH_TEST';
  if (httpStatus === 429 || httpStatus >= 500) return 'SLUICE_KUBE_UNAVAILABLE';
  return 'SLUICE_KUBE_REFUSED';
}

function parseStatus(text: string): Status | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && 'kind' in parsed && parsed.kind === 'Status'
      ? (parsed as Status)
      : undefined;
  } catch {
    return undefined; // a proxy's HTML, or "404 page not found"
  }
}
