import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { nodeEnv } from '../../../hack/image/node-image.ts';

test('the image of the Dockerfile runs our programs with the same environment as the one that is built without Docker', () => {
  const [, last = ''] = readFileSync('Dockerfile', 'utf8').split(/^FROM .* AS build$/m);
  const env = /^ENV ((?:.*\\\n)*.*)$/m.exec(last)?.[1] ?? '';
  const pairs = [...env.matchAll(/([A-Z_]+)=(\S+)/g)].map(([, name, value]) => [name, value]);
  const { PROGRAM, ...rest } = Object.fromEntries(pairs);
  expect(rest).toEqual(nodeEnv);
  expect(PROGRAM).toContain('/app/');
});
