import { expect, test } from 'vitest';
import {
  classicalBounds,
  evenLooks,
  sampleInflation,
} from '../../../../../src/core/stats/group-sequential/classical.ts';
import { anyCrossing, symmetricLooks } from '../../../../../src/core/stats/group-sequential/crossing.ts';
import { groupBounds } from '../../../../../src/core/stats/group-sequential/lan-demets.ts';
import type { Spending } from '../../../../../src/core/stats/group-sequential/spending.ts';
import { expectAbsolute } from '../../../../support/close.ts';

const fifths = evenLooks(5);

test.each<[string, Spending, number[]]>([
  ["G1: O'Brien-Fleming type", { kind: 'OBrienFleming' }, [4.8769, 3.357, 2.6803, 2.2898, 2.031]],
  ['G2: Pocock type', { kind: 'Pocock' }, [2.438, 2.4268, 2.4102, 2.3966, 2.386]],
  ['G3: alpha t²', { kind: 'Power', exponent: 2 }, [3.0902, 2.7141, 2.4728, 2.2799, 2.114]],
])('%s spending', (_name, spending, wanted) => {
  const looks = groupBounds({ alpha: 0.05, spending }, fifths);
  for (const [i, { bound }] of looks.entries()) expectAbsolute(bound, wanted[i] as number, 1e-3);
  expect(looks.at(-1)?.spent).toBeCloseTo(0.05, 12);
});

test("G4: Pocock's and O'Brien and Fleming's constants", () => {
  for (const [looks, pocock, oBrienFleming] of [
    [2, 2.178, 1.977],
    [4, 2.361, 2.024],
    [5, 2.413, 2.04],
  ] as const) {
    expectAbsolute(classicalBounds(looks, 0.05, 0.5)[0] as number, pocock, 1e-3);
    expectAbsolute(classicalBounds(looks, 0.05, 0).at(-1) as number, oBrienFleming, 1e-3);
  }
});

test('G5: peeking at 1.96 inflates the false positives', () => {
  for (const [looks, wanted] of [
    [2, 0.0831],
    [5, 0.1417],
    [10, 0.1934],
    [20, 0.2479],
  ] as const) {
    const fractions = evenLooks(looks);
    const bounds = fractions.map(() => 1.959963984540054);
    expectAbsolute(anyCrossing(symmetricLooks(fractions, bounds), 0), wanted, 5e-4);
  }
});

test("G6: O'Brien and Fleming's bounds for four looks", () => {
  const bounds = classicalBounds(4, 0.05, 0);
  for (const [i, wanted] of [4.05, 2.86, 2.34, 2.02].entries()) expectAbsolute(bounds[i] as number, wanted, 5e-3);
});

test('G7: the largest sample over that of a fixed design', () => {
  const plan = { alpha: 0.05, power: 0.8 };
  expectAbsolute(sampleInflation(fifths, classicalBounds(5, 0.05, 0), plan), 1.028, 5e-4);
  expectAbsolute(sampleInflation(evenLooks(4), classicalBounds(4, 0.05, 0.5), plan), 1.202, 5e-4);
});
