import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const page = readFileSync('docs/cli.md', 'utf8');

test.each(['get-wide.txt', 'status-holding.txt', 'init.txt', 'lint.txt'])(
  'docs/cli.md shows %s as it is printed',
  (name) => {
    expect(page).toContain(readFileSync(`test/unit/cli/testdata/${name}`, 'utf8').trimEnd());
  },
);
