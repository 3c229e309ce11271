import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Manifest } from './manifests.ts';

interface RawRequest {
  readonly body?: Manifest;
  readonly contentType?: string;
  readonly accept?: string;
  /** Further headers, such as Impersonate-User. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** One HTTPS request to the API server, for tests that look at what other clients hide. Answers whatever status came. */
export async function rawApi(
  config: KubeConfig,
  method: string,
  path: string,
  { body, contentType = 'application/json', accept = 'application/json', headers = {} }: RawRequest = {},
): Promise<{ status: number; body: Manifest; headers: IncomingHttpHeaders }> {
  const server = config.getCurrentCluster()?.server ?? '';
  const options = { method, headers: { ...headers, 'content-type': contentType, accept }, timeout: 30_000 };
  await config.applyToHTTPSOptions(options);
  return new Promise((resolve, reject) => {
    const sent = request(`${server}${path}`, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const body = parsed(Buffer.concat(chunks).toString('utf8'));
        resolve({ status: response.statusCode ?? 0, body, headers: response.headers });
      });
    });
    sent.on('error', reject).on('timeout', () => sent.destroy(new Error(`no answer to ${method} ${path}`)));
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Paths that are not served are answered in plain text. */
function parsed(text: string): Manifest {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text };
  }
}

/** Server-side apply of one object at its path. */
export const apply = (config: KubeConfig, path: string, body: Manifest) =>
  rawApi(config, 'PATCH', `${path}?fieldManager=test&force=true&fieldValidation=Strict`, {
    body,
    contentType: 'application/apply-patch+yaml',
  });
