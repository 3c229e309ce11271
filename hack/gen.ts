// Writes what is made from the schemas of src/api and src/wire, the codes of src/base and the chart: crds/, docs/reference,
// docs/errors.md, parts of charts/, config/.
// Tests fail when they are stale.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { generatedFiles } from './generated-files.ts';
import { PLAIN_MANIFESTS, plainManifests } from './plain-manifests.ts';

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

for (const [path, text] of generatedFiles()) write(path, text);
write(PLAIN_MANIFESTS, await plainManifests(AbortSignal.timeout(900_000)));
