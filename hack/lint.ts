// Format, lint rules, import directions, unused code.
import { runAll } from './process.ts';

await runAll([
  ['biome', 'check', '--error-on-warnings'],
  ['tsc', '--noEmit'],
  ['depcruise', 'src', '--config', '.dependency-cruiser.mjs'],
  ['knip'],
]);
