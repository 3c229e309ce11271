import { crc32 } from 'node:zlib';
import type { QueuedEvent } from './queued-event.ts';

/** Length of the payload and CRC-32 of length and payload, both 32 bits, little endian. */
export const RECORD_HEAD_BYTES = 8;
/** The largest event has 32 dimensions of 128 and 256 characters, 4 bytes each, with every quote escaped: 60 KiB. */
const MAX_PAYLOAD_BYTES = 256 * 1024;

/** A record of a segment: head, then the event as JSON. */
export function encodeRecord(event: QueuedEvent): Buffer {
  const payload = Buffer.from(JSON.stringify(event));
  const record = Buffer.allocUnsafe(RECORD_HEAD_BYTES + payload.length);
  record.writeUInt32LE(payload.length, 0);
  payload.copy(record, RECORD_HEAD_BYTES);
  record.writeUInt32LE(checksumOf(record), 4);
  return record;
}

export interface Records {
  readonly events: readonly QueuedEvent[];
  /** Length of the records that `events` come from. */
  readonly bytes: number;
  /** What follows them is no whole record, though there is something and no limit was reached. */
  readonly isBroken: boolean;
}

/** The whole records at the start of `bytes`, up to the limits, but at least one if there is one. Never throws. */
export function readRecords(bytes: Buffer, maxEvents: number, maxBytes: number): Records {
  const events: QueuedEvent[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = recordEnd(bytes, at);
    const event = end === undefined ? undefined : parsed(bytes, at, end);
    if (end === undefined || event === undefined) return { events, bytes: at, isBroken: true };
    if (events.length >= maxEvents || (events.length > 0 && end > maxBytes)) break;
    events.push(event);
    at = end;
  }
  return { events, bytes: at, isBroken: false };
}

/** How many whole records are at the start of `bytes`, and their length. By checksums alone, so that a start takes no time. */
export function countRecords(bytes: Buffer): { readonly events: number; readonly bytes: number } {
  let events = 0;
  let at = 0;
  for (let end = recordEnd(bytes, at); end !== undefined; end = recordEnd(bytes, at)) {
    events += 1;
    at = end;
  }
  return { events, bytes: at };
}

/** Where the record that begins at `at` ends; undefined when there is no whole one. */
function recordEnd(bytes: Buffer, at: number): number | undefined {
  if (at + RECORD_HEAD_BYTES > bytes.length) return undefined;
  const length = bytes.readUInt32LE(at);
  const end = at + RECORD_HEAD_BYTES + length;
  if (length > MAX_PAYLOAD_BYTES || end > bytes.length) return undefined;
  const record = bytes.subarray(at, end);
  return checksumOf(record) === record.readUInt32LE(4) ? end : undefined;
}

function parsed(bytes: Buffer, at: number, end: number): QueuedEvent | undefined {
  try {
    return JSON.parse(bytes.toString('utf8', at + RECORD_HEAD_BYTES, end)) as QueuedEvent;
  } catch {
    return undefined; // a damage that CRC-32 does not see
  }
}

/** The length is covered too: a run of zeros is then no empty record. */
function checksumOf(record: Buffer): number {
  return crc32(record.subarray(RECORD_HEAD_BYTES), crc32(record.subarray(0, 4)));
}
