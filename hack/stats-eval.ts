// Reads lines {"fn": "welchTest", "args": {...}} from standard input and writes {"result": ...} or {"error": {"code": ...}} for each,
// so that a number can be checked against R or Python. docs/statistics.md lists the functions with an example line each.
import { createInterface } from 'node:readline';
import { readCatalog } from './statistics/catalog.ts';
import { evaluateLine } from './statistics/evaluate.ts';

if (process.argv.includes('--help')) {
  process.stdout.write('usage: npm run -s stats:eval < lines.jsonl   (see docs/statistics.md)\n');
  process.exit(0);
}
const { entries } = readCatalog();
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === '') continue;
  process.stdout.write(`${JSON.stringify(await evaluateLine(line, entries))}\n`);
}
