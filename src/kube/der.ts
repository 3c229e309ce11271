/** Writes the few ASN.1 types that a certificate needs, in DER (ITU-T X.690). Reads nothing. */

function tlv(tag: number, ...contents: readonly Buffer[]): Buffer {
  const body = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), length(body.length), body]);
}

function length(bytes: number): Buffer {
  if (bytes < 0x80) return Buffer.from([bytes]);
  const hex = bytes.toString(16);
  const digits = Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
  return Buffer.concat([Buffer.from([0x80 | digits.length]), digits]);
}

export const sequence = (...items: readonly Buffer[]): Buffer => tlv(0x30, ...items);

/** A SET OF one element, which needs no sorting. */
export const setOf = (item: Buffer): Buffer => tlv(0x31, item);

export const octets = (bytes: Buffer): Buffer => tlv(0x04, bytes);

export const bits = (bytes: Buffer, unusedBits = 0): Buffer => tlv(0x03, Buffer.from([unusedBits]), bytes);

export const utf8 = (text: string): Buffer => tlv(0x0c, Buffer.from(text, 'utf8'));

export const boolean = (value: boolean): Buffer => tlv(0x01, Buffer.from([value ? 0xff : 0]));

/** A non-negative integer, given by its big-endian bytes: without needless zeros, and with one where the sign bit would be set. */
export function integer(bytes: Buffer): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  const digits = start < 0 ? Buffer.from([0]) : bytes.subarray(start);
  return (digits[0] ?? 0) >= 0x80 ? tlv(0x02, Buffer.from([0]), digits) : tlv(0x02, digits);
}

/** A dotted object identifier: its first two numbers share a byte, all are base 128 with a continuation bit. */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tlv(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift((rest % 128) | 0x80);
  return digits;
}

/** UTCTime until 2049, GeneralizedTime from 2050 on (RFC 5280 §4.1.2.5). */
export function time(date: Date): Buffer {
  const text = `${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
  return date.getUTCFullYear() < 2050 ? tlv(0x17, Buffer.from(text.slice(2))) : tlv(0x18, Buffer.from(text));
}

/** `[tag] EXPLICIT`. */
export const explicit = (tag: number, item: Buffer): Buffer => tlv(0xa0 | tag, item);

/** `[tag] IMPLICIT` of a primitive type. */
export const implicit = (tag: number, bytes: Buffer): Buffer => tlv(0x80 | tag, bytes);
