import { expect, test } from 'vitest';
import { refusals } from '../../../../support/refusals.ts';

test('bad numbers are refused in these words (npm run golden)', async () => {
  await expect(await refusals('multiplicity')).toMatchFileSnapshot('../testdata/refusals/multiplicity.txt');
});
