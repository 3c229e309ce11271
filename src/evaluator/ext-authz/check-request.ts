import { delimitedFields, MalformedMessage, type Span } from './protobuf.ts';

/** What is read of an `envoy.service.auth.v3.CheckRequest`. */
export interface CheckRequest {
  readonly extensions: ReadonlyMap<string, string>;
  /** By names in lower case; one character a byte. Envoy has merged those that came several times. */
  readonly headers: ReadonlyMap<string, string>;
}

/** Field numbers of external_auth.proto and attribute_context.proto, from the outside in. */
const ATTRIBUTES = 1;
const EXTENSIONS = 10;
const REQUEST = 4;
const HTTP = 2;
const HEADERS = 3;
/** Of an entry of a map. */
const KEY = 1;
const VALUE = 2;

const MAX_ENTRIES = 1_024;

/** Undefined where the bytes are no such message. Never throws; work is bounded by the length. */
export function readCheckRequest(message: Buffer): CheckRequest | undefined {
  try {
    const attributes = within(message, [{ from: 0, to: message.length }], ATTRIBUTES);
    const http = within(message, within(message, attributes, REQUEST), HTTP);
    return {
      extensions: mapOf(message, within(message, attributes, EXTENSIONS)),
      headers: mapOf(message, within(message, http, HEADERS)),
    };
  } catch (error) {
    if (error instanceof MalformedMessage) return undefined;
    throw error;
  }
}

/** A message may come in several parts, which count as one: so there are lists at each level. */
const within = (bytes: Buffer, messages: readonly Span[], number: number): Span[] =>
  messages.flatMap((message) => delimitedFields(bytes, message, number));

function mapOf(bytes: Buffer, entries: readonly Span[]): Map<string, string> {
  if (entries.length > MAX_ENTRIES) throw new MalformedMessage('too many entries');
  const map = new Map<string, string>();
  for (const entry of entries) map.set(textOf(bytes, entry, KEY), textOf(bytes, entry, VALUE));
  return map;
}

/** Headers are bytes to us: what is no ASCII is recognised by that, and never half understood. */
function textOf(bytes: Buffer, entry: Span, number: number): string {
  const last = delimitedFields(bytes, entry, number).at(-1);
  return last === undefined ? '' : bytes.toString('latin1', last.from, last.to);
}
