import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { browserPackages, ensurePackages } from '../../../hack/cluster/system-packages.ts';
import { type ExperimentSidecar, experimentFlag, experimentSidecar } from '../../support/experiment-sidecar.ts';
import { openRealTab } from '../../support/real-tab.ts';
import { flagWith } from '../../support/ruleset.ts';
import { until } from '../../support/sidecar.ts';

/** An application in a page: OpenFeature's web SDK, OFREP's provider, and our exposures. */
const APPLICATION = `
  import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
  import { OpenFeature } from '@openfeature/web-sdk';
  import { Exposures } from './src/sdk/exposures/exposures.ts';

  const exposures = new Exposures({ url: location.origin, gatherMs: 3_600_000 });
  OpenFeature.addHooks(exposures.hook);
  await OpenFeature.setContext({ targetingKey: 'user-1' });
  await OpenFeature.setProviderAndWait(new OFREPWebProvider({ baseUrl: location.origin }));
  globalThis.show = (key) => OpenFeature.getClient().getBooleanValue(key, false);
  globalThis.showTo = async (unit) => {
    await OpenFeature.setContext({ targetingKey: unit });
    return show('checkout');
  };
  globalThis.exposures = exposures;
`;

interface InPage {
  show(key: string): boolean;
  showTo(unit: string): Promise<boolean>;
  readonly exposures: { readonly counts: object };
}
/** In the page. */
declare const window: InPage;

const INSTALLING_MS = 600_000;
let browser: Browser;
let script: string;
beforeAll(async () => {
  await ensurePackages(browserPackages, AbortSignal.timeout(INSTALLING_MS), () => {});
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium' });
  const { outputFiles } = await build({
    stdin: { contents: APPLICATION, resolveDir: '.' },
    ...{ bundle: true, format: 'esm', platform: 'browser', write: false },
  });
  script = outputFiles[0]?.text ?? '';
}, INSTALLING_MS);
afterAll(() => browser.close());

/** A tab with the application, which comes from where the evaluator is. */
async function tab({ sidecar }: ExperimentSidecar): Promise<Page> {
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await page.route(`${sidecar.url}/app`, (route) =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html><script type="module" src="/app.js"></script>' }),
  );
  await page.route(`${sidecar.url}/app.js`, (route) => route.fulfill({ contentType: 'text/javascript', body: script }));
  await page.goto(`${sidecar.url}/app`);
  await page.waitForFunction(() => 'exposures' in window);
  return page;
}

test.each<[string, (page: Page) => Promise<unknown>]>([
  ['its tab is closed', (page) => page.close()],
  ['it goes to another page', (page) => page.goto('about:blank')],
  ['it is loaded anew', (page) => page.reload()],
])('what a page has shown arrives although %s before anything was sent', async (_, leave) => {
  const running = await experimentSidecar();
  const page = await tab(running);
  await page.evaluate(() => [window.show('checkout'), window.show('checkout')]);
  expect(await page.evaluate(() => window.exposures.counts)).toMatchObject({ waiting: 1, duplicates: 1, sent: 0 });
  expect(running.collector.ids.size).toBe(0);
  await leave(page);
  await until(() => running.collector.ids.size === 1);
  const [exposure] = running.collector.batches.flatMap((batch) => batch.exposures);
  expect(exposure).toMatchObject({ experiment: 'shop/checkout', phase: 1, flagSetId: 'shop' });
});

test('150 exposures, more than one batch, outlive their page', async () => {
  const running = await experimentSidecar();
  const page = await tab(running);
  await page.evaluate(async () => {
    for (let unit = 0; unit < 150; unit++) await window.showTo(`unit-${unit}`);
  });
  expect(await page.evaluate(() => window.exposures.counts)).toMatchObject({ waiting: 150 });
  await page.close();
  await until(() => running.collector.ids.size === 150);
});

test('a page that another tab hides has sent what it showed; it lives on, and sends nothing twice', async () => {
  const running = await experimentSidecar();
  // Any address of the evaluator will do as a page; the application comes by hand.
  const page = await openRealTab(`${running.sidecar.url}/page`);
  await until(async () => (await page.evaluate('location.pathname + document.readyState')) === '/pagecomplete');
  await page.evaluate(`(async () => { ${script.replace(/^export .*$/m, '')} })()`);
  expect(
    await page.evaluate('[document.visibilityState, show("checkout") !== undefined, exposures.counts.waiting]'),
  ).toEqual([...['visible', true, 1]]);
  await page.hide();
  await until(() => running.collector.ids.size === 1);
  expect(await page.evaluate('document.visibilityState')).toBe('hidden');
  await page.show();
  await until(async () => (await page.evaluate('document.visibilityState')) === 'visible');
  await page.evaluate('show("checkout"); exposures.close()');
  expect(await page.evaluate('exposures.counts')).toMatchObject({ sent: 1, duplicates: 1, dropped: 0, waiting: 0 });
  expect(running.collector.batches).toHaveLength(1);
});

test('OFREP’s web provider hears of a new ruleset by the event stream, in a browser', async () => {
  const running = await experimentSidecar({ a: flagWith({ defaultVariant: 'off' }) });
  const page = await tab(running);
  expect(await page.evaluate(() => window.show('a'))).toBe(false);
  running.mount({ a: flagWith({ defaultVariant: 'on' }), checkout: experimentFlag }, 8);
  await page.waitForFunction(() => window.show('a'));
});
