// MurmurHash3 x86_32 (Austin Appleby, public domain: SMHasher, MurmurHash3.cpp), over the UTF-8 bytes of a text. It is
// written for texts so that nothing is allocated: bytes are packed into 32-bit blocks as the text is read.

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

/** The hash after some text, before the end: more text may follow. */
export interface HashState {
  /** Hash of all whole blocks of four bytes, as int32. */
  readonly hash: number;
  /** The bytes after the last whole block, the first one lowest. */
  readonly tail: number;
  /** Bits in `tail`: 0, 8, 16 or 24. */
  readonly tailBits: number;
  readonly bytes: number;
}

/** The state after `text`. Lone surrogates count as U+FFFD, as in every encoder of UTF-8. */
export function stateAfter(text: string, seed: number): HashState {
  let hash = seed | 0;
  let tail = 0;
  let tailBits = 0;
  const bytes = new TextEncoder().encode(text);
  for (const byte of bytes) {
    tail |= byte << tailBits;
    tailBits += 8;
    if (tailBits === 32) {
      hash = afterBlock(hash, tail);
      tail = 0;
      tailBits = 0;
    }
  }
  return { hash, tail, tailBits, bytes: bytes.length };
}

/** The unsigned 32-bit hash of the text that made `state`, followed by `text`. */
export function hashAfter(state: HashState, text: string): number {
  let { hash, tail, tailBits, bytes } = state;
  const { length } = text;
  for (let index = 0; index < length; index++) {
    let packed = text.charCodeAt(index);
    let count = 1;
    if (packed >= 0x80) {
      const point = codePointAt(text, index);
      if (point >= 0x10000) index++;
      count = utf8Length(point);
      packed = utf8Packed(point, count);
    }
    bytes += count;
    for (; count > 0; count--) {
      tail |= (packed & 0xff) << tailBits;
      packed >>>= 8;
      tailBits += 8;
      if (tailBits === 32) {
        hash = afterBlock(hash, tail);
        tail = 0;
        tailBits = 0;
      }
    }
  }
  if (tailBits > 0) hash ^= scrambled(tail);
  return finished(hash ^ bytes);
}

/** The unsigned 32-bit hash of a text. */
export function murmur3(text: string, seed: number): number {
  return hashAfter({ hash: seed | 0, tail: 0, tailBits: 0, bytes: 0 }, text);
}

function scrambled(block: number): number {
  const k = Math.imul(block, C1);
  return Math.imul((k << 15) | (k >>> 17), C2);
}

function afterBlock(hash: number, block: number): number {
  const h = hash ^ scrambled(block);
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

function finished(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const REPLACEMENT = 0xfffd;

function codePointAt(text: string, index: number): number {
  const point = text.codePointAt(index) ?? REPLACEMENT;
  return point >= 0xd800 && point <= 0xdfff ? REPLACEMENT : point;
}

function utf8Length(point: number): number {
  if (point < 0x800) return 2;
  return point < 0x10000 ? 3 : 4;
}

/** The UTF-8 bytes of a code point of 2 to 4 bytes, the first byte lowest. */
function utf8Packed(point: number, count: number): number {
  const last = 0x80 | (point & 0x3f);
  const beforeLast = 0x80 | ((point >>> 6) & 0x3f);
  if (count === 2) return 0xc0 | (point >>> 6) | (last << 8);
  if (count === 3) return 0xe0 | (point >>> 12) | (beforeLast << 8) | (last << 16);
  return 0xf0 | (point >>> 18) | ((0x80 | ((point >>> 12) & 0x3f)) << 8) | (beforeLast << 16) | (last << 24);
}
