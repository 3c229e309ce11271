#!/usr/bin/env node
import { createReadStream } from 'node:fs';
import { systemClock } from './base/clock.ts';
import { SluiceError } from './base/errors.ts';
import { connect } from './cli/connect.ts';
import type { CliPorts } from './cli/ports.ts';
import { runCli } from './cli/program.ts';
import { releaseOffline } from './controllers/rollout/release-offline.ts';

async function readText(path: string, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of path === '-' ? process.stdin : createReadStream(path)) {
      size += chunk.length;
      if (size > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError('SLUICE_CLI_FILE', `cannot read ${path}: ${why}`, {}, cause);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());
// A reader that went away (`| head`) is no failure.
process.stdout.on('error', () => process.exit(0));

const ports: CliPorts = {
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
  colour: process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb',
  clock: systemClock,
  signal: interrupted.signal,
  connect,
  readText,
  releaseOffline,
};

process.exitCode = await runCli(process.argv.slice(2), ports);
