/** Bytes that are no message, or one with more fields than any that is sent here. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage';
}

/** Where a value stands: the bytes [from, to). */
export interface Span {
  readonly from: number;
  readonly to: number;
}

const MAX_FIELDS = 4_096;
const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;

/**
 * The length-delimited fields `number` (texts, bytes, messages) of the message that stands there, in their order; all others
 * are passed over, as protobuf has it for unknown fields. Throws MalformedMessage.
 */
export function delimitedFields(bytes: Buffer, message: Span, number: number): Span[] {
  const wanted = number * 8 + DELIMITED;
  const found: Span[] = [];
  const cursor: Cursor = { at: message.from, end: message.to };
  for (let count = 0; cursor.at < cursor.end; count++) {
    if (count === MAX_FIELDS) throw new MalformedMessage('too many fields');
    const tag = varint(bytes, cursor);
    const length = lengthOf(tag % 8, bytes, cursor);
    const to = cursor.at + length;
    if (to > cursor.end) throw new MalformedMessage('a field ends beyond its message');
    if (tag === wanted) found.push({ from: cursor.at, to });
    cursor.at = to;
  }
  return found;
}

interface Cursor {
  at: number;
  readonly end: number;
}

/** How long the value is that begins at the cursor, which is moved beyond what says so. */
function lengthOf(wireType: number, bytes: Buffer, cursor: Cursor): number {
  switch (wireType) {
    case VARINT:
      varint(bytes, cursor);
      return 0;
    case FIXED64:
      return 8;
    case DELIMITED:
      return varint(bytes, cursor);
    case FIXED32:
      return 4;
    default:
      throw new MalformedMessage('a wire type that nobody uses'); // groups, which proto3 has not
  }
}

/** Exact up to 2^53, and never less than that beyond: as a length it then leads out of the message. */
function varint(bytes: Buffer, cursor: Cursor): number {
  let value = 0;
  let unit = 1;
  for (let index = 0; index < 10 && cursor.at < cursor.end; index++) {
    const byte = bytes[cursor.at++] as number;
    value += (byte & 0x7f) * unit;
    if (byte < 0x80) return value;
    unit *= 128;
  }
  throw new MalformedMessage('a number that has no end');
}

/**
 * A length-delimited field: a text, or a message made of its fields. Bytes are written as text of one character each: joining such
 * texts costs next to nothing, and `Buffer.from(text, 'latin1')` makes bytes of the whole. So `content` is latin1 at most.
 */
export function delimited(number: number, content: string): string {
  return varintText(number * 8 + DELIMITED) + varintText(content.length) + content;
}

/** `value`: a whole number from 0 to 2^31 − 1. */
function varintText(value: number): string {
  let text = '';
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) text += String.fromCharCode((rest & 0x7f) | 0x80);
  return text + String.fromCharCode(rest);
}
