/** Bytes that are no message, or one with more fields than any that is sent here. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage';
}

const MAX_FIELDS = 4_096;
const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;

/**
 * The length-delimited fields `number` of a message (texts, bytes, messages), in their order; all others are passed over, as
 * protobuf has it for unknown fields. Views, no copies. Throws MalformedMessage.
 */
export function delimitedFields(message: Buffer, number: number): Buffer[] {
  const found: Buffer[] = [];
  const cursor = { at: 0 };
  for (let count = 0; cursor.at < message.length; count++) {
    if (count === MAX_FIELDS) throw new MalformedMessage('too many fields');
    const tag = varint(message, cursor);
    const length = lengthOf(tag % 8, message, cursor);
    const end = cursor.at + length;
    if (end > message.length) throw new MalformedMessage('a field ends beyond its message');
    if (tag === number * 8 + DELIMITED) found.push(message.subarray(cursor.at, end));
    cursor.at = end;
  }
  return found;
}

/** How long the value is that begins at the cursor, which is moved beyond what says so. */
function lengthOf(wireType: number, message: Buffer, cursor: { at: number }): number {
  switch (wireType) {
    case VARINT:
      varint(message, cursor);
      return 0;
    case FIXED64:
      return 8;
    case DELIMITED:
      return varint(message, cursor);
    case FIXED32:
      return 4;
    default:
      throw new MalformedMessage('a wire type that nobody uses'); // groups, which proto3 has not
  }
}

/** Exact up to 2^53, and never less than that beyond: as a length it then leads out of the message. */
function varint(message: Buffer, cursor: { at: number }): number {
  let value = 0;
  let unit = 1;
  for (let index = 0; index < 10; index++) {
    const byte = message[cursor.at++];
    if (byte === undefined) throw new MalformedMessage('a number ends beyond its message');
    value += (byte & 0x7f) * unit;
    if (byte < 0x80) return value;
    unit *= 128;
  }
  throw new MalformedMessage('a number longer than 64 bits');
}

/** A length-delimited field: a text, or a message made of its fields. */
export function delimited(number: number, content: string | readonly Buffer[]): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content) : Buffer.concat(content);
  return Buffer.concat([varintBytes(number * 8 + DELIMITED), varintBytes(bytes.length), bytes]);
}

/** `value`: a whole number from 0 to 2^31 − 1. */
function varintBytes(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
