import { type FileHandle, open, readFile, truncate, unlink } from 'node:fs/promises';
import { countRecords, type Records, readRecords } from './record.ts';

/** What a file of the queue begins with; another version is another magic. */
export const SEGMENT_MAGIC = Buffer.from('sluice-events/1\n');

/** One file of the queue: the magic, then records. Its calls must come one after the other: the queue takes care of that. */
export class Segment {
  readonly path: string;
  /** Up to here the file holds whole records; what is behind it was never promised to anyone. */
  #bytes: number;
  #events: number;
  #doneBytes = SEGMENT_MAGIC.length;
  #doneEvents = 0;
  #handle: FileHandle | undefined;
  #isSealed = false;

  private constructor(path: string, held: { bytes: number; events: number }) {
    this.path = path;
    this.#bytes = held.bytes;
    this.#events = held.events;
  }

  /** A file that is to be made by the first `append`. */
  static create(path: string): Segment {
    return new Segment(path, { bytes: 0, events: 0 });
  }

  /** A file that a process left behind; `brokenBytes` at its end were no whole record and are cut off. */
  static async recover(path: string): Promise<{ segment: Segment; brokenBytes: number }> {
    const file = await readFile(path);
    const hasMagic = file.subarray(0, SEGMENT_MAGIC.length).equals(SEGMENT_MAGIC);
    const records = hasMagic ? countRecords(file.subarray(SEGMENT_MAGIC.length)) : undefined;
    const bytes = records === undefined ? 0 : SEGMENT_MAGIC.length + records.bytes;
    const segment = new Segment(path, { bytes, events: records?.events ?? 0 });
    const brokenBytes = file.length - bytes;
    // Or the next start would take it for a damage of a segment that more was written after.
    if (brokenBytes > 0) await truncate(path, bytes);
    return { segment, brokenBytes };
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Events that are not acknowledged yet. */
  get waiting(): number {
    return this.#events - this.#doneEvents;
  }

  /** Whether `bytes` more may be appended, with `limit` bytes in all; an empty file takes anything. */
  hasRoom(bytes: number, limit: number): boolean {
    return !this.#isSealed && (this.#events === 0 || this.#bytes + bytes <= limit);
  }

  /** Writes records; once it resolves they survive the end of this process. On failure nothing of them counts. */
  async append(records: Buffer, events: number): Promise<void> {
    const bytes = this.#bytes === 0 ? Buffer.concat([SEGMENT_MAGIC, records]) : records;
    try {
      this.#handle ??= await (this.#bytes === 0 ? open(this.path, 'wx', 0o600) : open(this.path, 'r+'));
      await writeAll(this.#handle, bytes, this.#bytes);
    } catch (error) {
      await this.#withdraw();
      throw error;
    }
    this.#bytes += bytes.length;
    this.#events += events;
  }

  /** Takes back what a failed write left: it must not come to light as records when the next write is shorter. */
  async #withdraw(): Promise<void> {
    // A file that could not be made is another's: events of an earlier run, which nobody has read yet.
    if (this.#events === 0) return this.#handle && this.remove();
    try {
      await this.#handle?.truncate(this.#bytes);
    } catch {
      this.#isSealed = true; // the rest of the file is left alone
    }
  }

  /** The next events that are not acknowledged. */
  async read(maxEvents: number, maxBytes: number): Promise<Records> {
    const handle = await open(this.path, 'r');
    try {
      const buffer = Buffer.alloc(this.#bytes - this.#doneBytes);
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, this.#doneBytes);
      return readRecords(buffer.subarray(0, bytesRead), maxEvents, maxBytes);
    } finally {
      await handle.close();
    }
  }

  /** Marks what `read` gave as done. */
  acknowledge({ bytes, events }: Records): void {
    this.#doneBytes += bytes;
    this.#doneEvents += events.length;
  }

  /** No more is appended; the content is forced to the disk. */
  async seal(): Promise<void> {
    this.#isSealed = true;
    const handle = this.#handle;
    this.#handle = undefined;
    try {
      await handle?.datasync();
    } finally {
      await handle?.close();
    }
  }

  /** Removes the file. What is not acknowledged is lost. */
  async remove(): Promise<void> {
    this.#isSealed = true;
    await this.#handle?.close();
    this.#handle = undefined;
    await unlink(this.path).catch((error) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
