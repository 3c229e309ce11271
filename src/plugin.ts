#!/usr/bin/env node
import { systemClock } from './base/clock.ts';
import { connect } from './cli/connect.ts';
import type { CliPorts } from './cli/ports.ts';
import { endOfOutput, runCli } from './cli/program.ts';
import { readText } from './cli/read-text.ts';
import { releaseOffline } from './controllers/rollout/release-offline.ts';

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());
process.stdout.on('error', (error) => process.exit(endOfOutput(error, ports)));
process.stderr.on('error', () => {}); // there is nobody left to tell

const ports: CliPorts = {
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
  colour: process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb',
  clock: systemClock,
  signal: interrupted.signal,
  connect,
  readText: (path, maxBytes) => readText(path === '-' ? process.stdin : path, maxBytes, interrupted.signal),
  releaseOffline,
};

process.exitCode = await runCli(process.argv.slice(2), ports);
