const MAX_CHARS = 200;

/**
 * Why something failed, in a line: of several tries at one connection the first. What a failed JSON.parse says quotes the text,
 * which may be credentials, so that is left out.
 */
export function reasonOf(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return reasonOf(cause.errors[0]);
  if (cause instanceof SyntaxError) return 'it is no JSON';
  const message = cause instanceof Error ? cause.message : String(cause);
  return (message.trim().split('\n')[0] ?? '').slice(0, MAX_CHARS) || 'no explanation';
}
