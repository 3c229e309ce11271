import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { browserPackages, ensurePackages } from '../../../hack/cluster/system-packages.ts';
import { buildSdk } from '../../../hack/sdk-package.ts';
import { blocks } from '../../support/docs.ts';
import { filesOf, sdkProject, typeProblems } from '../../support/sdk-project.ts';
import { startSidecar, until } from '../../support/sidecar.ts';

const exec = promisify(execFile);
const INSTALLING_MS = 600_000;

let sdk: string;
let browser: Browser;
beforeAll(async () => {
  await ensurePackages(browserPackages, AbortSignal.timeout(INSTALLING_MS), () => {});
  [sdk, browser] = await Promise.all([buildSdk(), chromium.launch({ executablePath: '/usr/bin/chromium' })]);
}, INSTALLING_MS);
afterAll(() => browser.close());

const [overOfrep = '', inProcess = '', inBrowser = '', ...others] = blocks(
  { path: 'docs/sdk.md', text: readFileSync('docs/sdk.md', 'utf8') },
  'ts',
);

async function running() {
  const sidecar = await startSidecar(['--file', 'examples/flags']);
  await until(() => sidecar.ready());
  return sidecar;
}

test(
  'every program of docs/sdk.md fits the types of the package, which are complete',
  async () => {
    expect([inBrowser, others]).toEqual([expect.stringContaining('web-sdk'), []]);
    const folder = sdkProject(sdk, { 'ofrep.ts': overOfrep, 'process.ts': inProcess, 'browser.ts': inBrowser });
    expect(await typeProblems(folder)).toBe('');
  },
  INSTALLING_MS,
);

test.each([
  ['over OFREP', overOfrep, ''],
  ['in the process', inProcess, "\nprocess.kill(process.pid, 'SIGTERM');"],
])('the program for servers of docs/sdk.md runs %s, and ends', async (_, program, ending) => {
  const sidecar = await running();
  const folder = sdkProject(sdk, { 'main.ts': `${program}${ending}` });
  const env = { ...process.env, OFREP_ENDPOINT: sidecar.url };
  const { stdout } = await exec(process.execPath, [join(folder, 'main.ts')], { env, timeout: 30_000 });
  expect(stdout).toBe('new search\n');
});

test('the program for browsers of docs/sdk.md runs in a page', async () => {
  const sidecar = await running();
  const program = inBrowser.replace('https://flags.shop.example', sidecar.url);
  const folder = sdkProject(sdk, { 'main.ts': program });
  const { outputFiles } = await build({
    ...{ entryPoints: [join(folder, 'main.ts')], absWorkingDir: folder },
    ...{ bundle: true, format: 'esm', platform: 'browser', write: false },
  });
  const page = await browser.newPage();
  // From where the evaluator is: allowing other origins is the standalone evaluator's part.
  await page.route(`${sidecar.url}/`, (route) =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html><script type="module" src="/main.js"></script>' }),
  );
  const body = outputFiles[0]?.text ?? '';
  await page.route(`${sidecar.url}/main.js`, (route) => route.fulfill({ contentType: 'text/javascript', body }));
  await page.goto(sidecar.url);
  await page.waitForFunction('document.title === "new search"');
});

test('the package holds what its exports name, and its exposures load nothing else', () => {
  const { exports, dependencies, peerDependencies, name } = JSON.parse(readFileSync(join(sdk, 'package.json'), 'utf8'));
  const named = Object.values<Record<string, string>>(exports).flatMap((entry) => Object.values(entry));
  expect(named.map((path) => path.slice(2)).filter((path) => !filesOf(sdk).includes(path))).toEqual([]);
  expect([name, Object.keys(dependencies), Object.keys(peerDependencies)]).toEqual([
    ...['@sluice/sdk', ['re2js', 'zod'], ['@openfeature/server-sdk']],
  ]);
  const exposures = readFileSync(join(sdk, 'exposures.js'), 'utf8');
  expect(exposures).not.toMatch(/^import|\brequire\(/m);
  expect(exposures.length).toBeLessThan(16_384);
});
