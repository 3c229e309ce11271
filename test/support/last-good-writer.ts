// FOLDER: keeps rulesets 1, 2, 3, … in FOLDER as fast as it can, until it is killed. Says each revision that is on disk.
import { writeSync } from 'node:fs';
import { writeLastGood } from '../../src/rulesets/last-good.ts';
import { snapshotOf } from '../../src/rulesets/source.ts';
import { sealRuleset } from '../../src/wire/sealed-ruleset.ts';
import { flagWith, rulesetWith } from './ruleset.ts';

const [folder = ''] = process.argv.slice(2);
const flags = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`flag-${index}`, flagWith()]));
for (let revision = 1; ; revision++) {
  await writeLastGood(folder, snapshotOf(sealRuleset({ ...rulesetWith(flags), revision })).bytes);
  writeSync(1, `${revision}\n`);
}
