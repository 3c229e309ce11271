// image bundle NAME FOLDER | image build NAME: an image of our programs, without Docker. The Dockerfile uses "bundle".
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle, ensureImage, programsOf } from './image/node-image.ts';

const [command, name = '', folder] = process.argv.slice(2);
if (command === 'bundle' && folder !== undefined) {
  mkdirSync(folder, { recursive: true });
  for (const [program, entryPoint] of Object.entries(programsOf(name)))
    writeFileSync(join(folder, `${program}.mjs`), await bundle(entryPoint));
} else if (command === 'build') {
  const { reference, archive } = await ensureImage(name, AbortSignal.timeout(300_000));
  console.log(`${reference} ${archive}`);
} else {
  console.error('usage: npm run image -- bundle NAME FOLDER | build NAME');
  process.exitCode = 2;
}
