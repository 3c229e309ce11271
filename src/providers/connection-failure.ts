import { type DownCause, type ProviderDown, providerDown } from './provider.ts';

const causes: Readonly<Record<string, DownCause>> = {
  ECONNREFUSED: 'Refused',
  ECONNRESET: 'Reset',
  ECONNABORTED: 'Reset',
  EPIPE: 'Reset',
  UND_ERR_SOCKET: 'Reset', // the other side closed the connection
  ETIMEDOUT: 'Timeout',
  UND_ERR_CONNECT_TIMEOUT: 'Timeout',
  EHOSTUNREACH: 'Unreachable',
  ENETUNREACH: 'Unreachable',
  EADDRNOTAVAIL: 'Unreachable',
  ENOTFOUND: 'Unresolved',
  EAI_AGAIN: 'Unresolved',
  UND_ERR_DESTROYED: 'Closed',
  UND_ERR_CLOSED: 'Closed',
  UND_ERR_HEADERS_OVERFLOW: 'TooLarge',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'Malformed',
};

/** Node names OpenSSL's verification results as they are (`CERT_HAS_EXPIRED`), and its other errors with a prefix. */
const tlsCode =
  /^(ERR_SSL_|ERR_TLS_|ERR_OSSL_|EPROTO$|CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_)/;

/** What a failed connection or a broken response means. `undefined`: not a failure of the connection but a bug. */
export function classifyFailure(error: unknown): ProviderDown | undefined {
  // undici's parser error carries llhttp's code (`HPE_...`), but for bytes that are no HTTP at all it has none.
  const code =
    codeOf(error) ?? (error instanceof Error && error.name === 'HTTPParserError' ? 'HPE_INVALID' : undefined);
  if (code === undefined) return undefined;
  if (tlsCode.test(code)) return providerDown('Tls', `TLS failed (${code})`);
  if (code.startsWith('HPE_')) return providerDown('Malformed', `the response is not HTTP (${code})`);
  const cause = causes[code] ?? (isSystemError(error) ? 'Unreachable' : undefined);
  return cause && providerDown(cause, `the connection failed (${code})`);
}

function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** The system has more reasons than a table can list, such as a packet filter's EPERM; all of them mean: not reached. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
