// Rewrites the answers of all golden files; review them as a diff.
import { runAll } from './process.ts';

await runAll([['vitest', 'run', '--project', 'unit', '-u']]);
