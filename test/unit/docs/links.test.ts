import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { type Page, pages, prose } from '../../support/docs.ts';

const all = pages();

test('there are pages to check, and links in them', () => {
  expect(all.map(({ path }) => path)).toContain('README.md');
  expect(all.flatMap(linksOf).length).toBeGreaterThan(20);
});

test.each(all.filter((page) => linksOf(page).length > 0).map((page) => [page.path, page] as const))(
  'every link of %s leads to a file, and to a heading of it where it names one',
  (_, page) => {
    expect(linksOf(page).filter((link) => !leadsSomewhere(page, link))).toEqual([]);
  },
);

/** Targets of links and pictures within the project. */
function linksOf(page: Page): string[] {
  const targets = [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

function leadsSomewhere(page: Page, link: string): boolean {
  const [file = '', heading] = link.split('#');
  const path = file === '' ? page.path : join(dirname(page.path), file);
  if (!existsSync(path)) return false;
  return heading === undefined || headings(readFileSync(path, 'utf8')).includes(heading);
}

/** Anchors as GitHub makes them. */
const headings = (text: string): string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
