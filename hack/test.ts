// test [unit|integration|e2e] [FILTER...]: all tests, or one kind. Last line: "N passed, N failed, N skipped".
import { run } from './process.ts';

const kinds = ['unit', 'integration', 'e2e'];
const [first, ...rest] = process.argv.slice(2);
const oneKind = first !== undefined && kinds.includes(first);
const filters = first === undefined || oneKind ? rest : [first, ...rest];
const projects = oneKind ? ['--project', first] : [];
process.exit(await run('vitest', ['run', ...projects, ...filters]));
