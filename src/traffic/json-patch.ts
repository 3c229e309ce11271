/** One operation of RFC 6902; only those that Sluice sends. */
export type PatchOp =
  | { readonly op: 'test' | 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/** Applied by the API server as a whole or not at all. */
export type JsonPatch = readonly PatchOp[];

/** A JSON pointer (RFC 6901) from its unescaped segments. */
export const pointer = (...segments: readonly (string | number)[]): string =>
  segments.map((segment) => `/${String(segment).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
