import { delimitedFields, MalformedMessage } from './protobuf.ts';

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
    const attributes = within([message], ATTRIBUTES);
    return {
      extensions: mapOf(within(attributes, EXTENSIONS)),
      headers: mapOf(within(within(within(attributes, REQUEST), HTTP), HEADERS)),
    };
  } catch (error) {
    if (error instanceof MalformedMessage) return undefined;
    throw error;
  }
}

/** A message may come in several parts, which count as one: so there are lists at each level. */
const within = (messages: readonly Buffer[], number: number): Buffer[] =>
  messages.flatMap((message) => delimitedFields(message, number));

function mapOf(entries: readonly Buffer[]): Map<string, string> {
  if (entries.length > MAX_ENTRIES) throw new MalformedMessage('too many entries');
  return new Map(entries.map((entry) => [textOf(entry, KEY), textOf(entry, VALUE)]));
}

/** Headers are bytes to us: what is no ASCII is recognised by that, and never half understood. */
const textOf = (entry: Buffer, number: number): string =>
  delimitedFields(entry, number).at(-1)?.toString('latin1') ?? '';
