import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const page = readFileSync('docs/operations.md', 'utf8');
const source = (pattern: string): string =>
  globSync(pattern)
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
const shown = (name: string): boolean => page.includes(`\`${name}\``);

test('docs/operations.md explains every reason and event of a Rollout', () => {
  const text = source('src/core/rollout/**/*.ts').replace(/^export type [\s\S]*?;$/gm, '');
  const reasons = new Set([
    // wait('Paused', …), doing('Lowering', …), act(…), go(…), notReady(…), and whatever is given as `reason:`
    ...all(text, /\b(?:wait|doing|act|go|notReady)\(\s*'([A-Z][A-Za-z]+)'/g),
    ...all(text, /\bwaitFor\([^;]*?'([A-Z][A-Za-z]+)'/g),
    ...all(text, /\breason: (?:[^,\n]*\? )?'([A-Z][A-Za-z]+)'/g),
    ...all(text, /\breason: [^,\n]* : '([A-Z][A-Za-z]+)'/g),
    ...all(text, /beginRetreat\(\s*seen,\s*flight,\s*'([A-Z][A-Za-z]+)'/g),
    ...all(source('src/traffic/gateway-api/{conditions,next-step}.ts'), /\breason: '([A-Z][A-Za-z]+)'/g),
  ]);
  expect(reasons.size).toBeGreaterThan(70);
  expect([...reasons].filter((reason) => !shown(reason))).toEqual([]);
});

test('docs/operations.md lists every metric of the operator', () => {
  const metrics = all(source('src/server/*.ts'), /'(sluice_[a-z_]+)'/g);
  expect(metrics.length).toBeGreaterThan(8);
  expect(metrics.filter((metric) => !shown(metric))).toEqual([]);
});

test('docs/operations.md lists every value of the chart', () => {
  const names = all(readFileSync('charts/sluice/values.yaml', 'utf8'), /^([a-zA-Z]+):/gm);
  expect(names.length).toBeGreaterThan(10);
  expect(names.filter((name) => !new RegExp(`\`${name}[\`.]`).test(page))).toEqual([]);
});

test('the command of docs/operations.md for those without Helm names their image in all places', () => {
  const [, placeholder = 'none', theirs = ''] = /sed 's\|(.+)\|(.+)\|' config\/sluice.yaml/.exec(page) ?? [];
  const images = [...readFileSync('config/sluice.yaml', 'utf8').matchAll(/^ +image: "?([^"\n]+)/gm)].map(
    ([, image]) => image!,
  );
  expect(images.length).toBeGreaterThan(1);
  expect(images.map((image) => image.replace(placeholder, theirs))).toEqual(images.map(() => theirs));
});

test('docs/operations.md names every resource that the operator may touch, and every way in which it may change it', () => {
  const [, rights = ''] = /^## Rights\n([\s\S]*?)^## /m.exec(page) ?? [];
  const rows = [...rights.matchAll(/^\| ([^|]+?) +\| (.+?) +\|$/gm)].map(([, names, may]) => ({
    names: names!.split(', '),
    may: may!.replace(/[;,] never.*$/, ''),
  }));
  const roles = readFileSync('charts/sluice/templates/rbac.yaml', 'utf8').split('\n---\n');
  const ofOperator = roles.filter(
    (role) => /^kind: (Cluster)?Role$/m.test(role) && /^ {2}name: sluice-operator$/m.test(role),
  );
  expect(ofOperator.length).toBe(2);
  const granted = new Set<string>();
  const missing = ofOperator.flatMap((role) => {
    const rules = role.matchAll(/resources: \[(.*)\]\n(?: {4}resourceNames: .*\n)? {4}verbs: \[(.*)\]/g);
    return [...rules].flatMap(([, resources, verbs]) =>
      resources!.split(', ').flatMap((resource) => {
        const may = rows
          .filter(({ names }) => names.includes(resource))
          .map((row) => row.may)
          .join(' ');
        for (const verb of verbs!.split(', ')) granted.add(`${resource} ${verb}`);
        const changes = verbs!.split(', ').filter((verb) => !['get', 'list', 'watch'].includes(verb));
        return ['', ...changes]
          .filter((verb) => may === '' || !may.includes(verb))
          .map((verb) => `${resource} ${verb}`);
      }),
    );
  });
  expect(missing).toEqual([]);
  const said = rows.flatMap(({ names, may }) =>
    ['create', 'update', 'patch', 'delete'].flatMap((verb) =>
      may.includes(verb) ? names.map((name) => `${name} ${verb}`) : [],
    ),
  );
  expect(said.filter((right) => !granted.has(right))).toEqual([]);
});

const all = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, found]) => found!);
