import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { goProblem } from '../../../hack/cluster/system-packages.ts';
import { versions } from '../../../hack/cluster/versions.ts';

test.each(['go1.26.6', 'go1.26', 'go1.26rc1', 'go1.25.9-X:nodwarf5', 'go1.24.1', 'go1.9', 'devel go1.25-abcdef'])(
  '%s is refused where it may not fetch a newer one',
  (version) => {
    expect(goProblem(`${version}\nlocal\n`)).toContain(`install Go ${versions.go} or later`);
    expect(goProblem(`${version}\ngo1.24.1\n`)).toContain('GOTOOLCHAIN=go1.24.1');
    for (const toolchain of ['auto', 'path', 'local+auto', 'go1.24.1+path'])
      expect(goProblem(`${version}\n${toolchain}\n`)).toBeUndefined();
  },
);

test.each(['go1.26.7', 'go1.26.7-X:nodwarf5', 'go1.26.8', 'go1.27', 'go1.27rc1', 'go2.0', 'devel +abcdef'])(
  '%s is good, whatever it may fetch',
  (version) => {
    expect(goProblem(`${version}\nlocal\n`)).toBeUndefined();
  },
);

test('the pages ask for the Go that the parts ask for', () => {
  for (const page of ['README.md', 'CONTRIBUTING.md'])
    expect([page, readFileSync(page, 'utf8').match(/\bGo (?:≥ )?(\d[\d.]*\d)/)?.[1]]).toEqual([page, versions.go]);
});
