import { createReadStream } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { SluiceError } from '../base/errors.ts';
import { firstLine } from './text.ts';

/** The text of a file, or of standard input. Throws SLUICE_CLI_FILE, also when `signal` aborts while nobody types. */
export async function readText(from: string | Readable, maxBytes: number, signal: AbortSignal): Promise<string> {
  const stream = addAbortSignal(signal, typeof from === 'string' ? createReadStream(from) : from);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream) {
      size += chunk.length;
      if (size > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (cause) {
    const name = typeof from === 'string' ? from : 'standard input';
    throw new SluiceError('SLUICE_CLI_FILE', `cannot read ${name}: ${firstLine(cause)}`, {}, cause);
  }
  return Buffer.concat(chunks).toString('utf8');
}
