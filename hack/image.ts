// image bundle NAME FILE | image build NAME: an image of one of our programs, without Docker. The Dockerfile uses "bundle".
import { writeFileSync } from 'node:fs';
import { bundle, ensureImage, entryPointOf } from './image/node-image.ts';

const [command, name = '', file] = process.argv.slice(2);
if (command === 'bundle' && file !== undefined) {
  writeFileSync(file, await bundle(entryPointOf(name)));
} else if (command === 'build') {
  const { reference, archive } = await ensureImage(name, AbortSignal.timeout(300_000));
  console.log(`${reference} ${archive}`);
} else {
  console.error('usage: npm run image -- bundle NAME FILE | build NAME');
  process.exitCode = 2;
}
