import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { type Code, SluiceError } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';

export type PrometheusAuth =
  | { readonly kind: 'Bearer'; readonly token: Secret }
  | { readonly kind: 'Basic'; readonly username: Secret; readonly password: Secret };

/** PEM texts. `ca` replaces the system's certificate authorities; `cert` and `key` are a client certificate. */
export interface PrometheusTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: Secret;
  readonly serverName?: string;
  readonly insecureSkipVerify?: boolean;
}

export interface PrometheusOptions {
  /** Such as `https://prometheus.monitoring.svc:9090` or, behind a prefix, `https://metrics.example/prometheus`. */
  readonly address: string;
  readonly auth?: PrometheusAuth;
  readonly tls?: PrometheusTls;
  /** Added to each request, such as a tenant. */
  readonly headers?: Readonly<Record<string, Secret>>;
}

/** What the options come to. `secrets` are the texts that must never show up in a message. */
export interface Target {
  readonly origin: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  readonly connect: ConnectTls;
}

interface ConnectTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

/** Headers that frame the request or that we set ourselves. */
const reservedHeaders =
  /^(accept(-encoding)?|authorization|connection|content-.*|expect|host|keep-alive|te|trailer|transfer-encoding|upgrade|user-agent)$/i;

/** Checks the options. Throws SLUICE_PROVIDER_* (retry `never`) for what a person has to correct; no message holds a secret. */
export function readOptions(options: PrometheusOptions): Target {
  const url = readAddress(options.address);
  const authorization = options.auth && readAuth(options.auth);
  const headers = Object.entries(options.headers ?? {}).map(
    ([name, value]) => [name, readHeader(name, value)] as const,
  );
  const secrets = [...headers.map(([, value]) => value), ...authSecrets(options.auth), authorization ?? ''];
  return {
    origin: url.origin,
    path: `${url.pathname.replace(/\/+$/, '')}/api/v1/query`,
    headers: { ...Object.fromEntries(headers), ...(authorization === undefined ? {} : { authorization }) },
    secrets: secrets.filter((secret) => secret.length >= 4),
    connect: readTls(options.tls ?? {}, url),
  };
}

function readAddress(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const httpOrHttps = url?.protocol === 'http:' || url?.protocol === 'https:';
  // The address itself stays out of the message when it may hold a password.
  if (!url || !httpOrHttps) throw refuse('ADDRESS', 'the address is not an http or https URL');
  if (url.username || url.password) throw refuse('ADDRESS', 'the address holds a user name or password');
  if (url.search || url.hash) throw refuse('ADDRESS', 'the address has a query or fragment');
  return url;
}

function readAuth(auth: PrometheusAuth): string {
  if (auth.kind === 'Bearer') {
    const token = withoutLineEnd(auth.token);
    if (!/^[\x21-\x7e]+$/.test(token)) throw refuse('CREDENTIALS', 'the bearer token is empty or not plain text');
    return `Bearer ${token}`;
  }
  const username = withoutLineEnd(auth.username);
  if (/[:\p{Cc}]/u.test(username)) throw refuse('CREDENTIALS', 'the user name holds a colon or control character');
  return `Basic ${Buffer.from(`${username}:${withoutLineEnd(auth.password)}`).toString('base64')}`;
}

function authSecrets(auth: PrometheusAuth | undefined): string[] {
  if (!auth) return [];
  const authorization = readAuth(auth);
  const encoded = authorization.slice(authorization.indexOf(' ') + 1);
  return auth.kind === 'Bearer' ? [encoded] : [encoded, withoutLineEnd(auth.password)];
}

function readHeader(name: string, value: Secret): string {
  const text = withoutLineEnd(value);
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || reservedHeaders.test(name)) {
    throw refuse('CREDENTIALS', `the header ${JSON.stringify(name)} cannot be set`);
  }
  if (!/^[\x20-\x7e]*$/.test(text))
    throw refuse('CREDENTIALS', `the header ${name} has a value that is not plain text`);
  return text;
}

/** Secrets made with an editor or `echo` end with a line end that is no part of them. */
function withoutLineEnd(secret: Secret): string {
  return secret.reveal().replace(/\r?\n$/, '');
}

function readTls(tls: PrometheusTls, url: URL): ConnectTls {
  if (url.protocol === 'http:' && Object.keys(tls).length > 0) throw refuse('TLS', 'TLS is set for an http address');
  if ((tls.cert === undefined) !== (tls.key === undefined))
    throw refuse('TLS', 'a client certificate needs both cert and key');
  const material = {
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key.reveal() }),
  };
  try {
    // createSecureContext takes a CA text without any certificate in silence, and then trusts nobody.
    if (tls.ca !== undefined) new X509Certificate(tls.ca);
    createSecureContext(material);
  } catch (cause) {
    throw refuse('TLS', 'a certificate or key cannot be read, or they do not belong together', cause);
  }
  return {
    ...material,
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
    ...(tls.insecureSkipVerify === true ? { rejectUnauthorized: false } : {}),
  };
}

function refuse(what: 'ADDRESS' | 'CREDENTIALS' | 'TLS', message: string, cause?: unknown): SluiceError {
  const code: Code = `SLUICE_PROVIDER_${what}_INVALID`;
  return new SluiceError(code, message, {}, cause);
}
