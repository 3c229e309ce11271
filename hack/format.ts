import { runAll } from './process.ts';

await runAll([['biome', 'check', '--write']]);
