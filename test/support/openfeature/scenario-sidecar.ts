import { afterAll, beforeAll } from 'vitest';
import { type RunningSidecar, startSidecar, until } from '../sidecar.ts';
import { writeScenarioFlags } from './scenario-flags.ts';

/** A sidecar with the flags of the scenarios, for all tests of a file; and how to start another one, for one test. */
export function scenarioSidecar(): { url(): string; another(): Promise<RunningSidecar> } {
  let sidecar: RunningSidecar;
  let flags: ReturnType<typeof writeScenarioFlags>;
  const ends: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    flags = writeScenarioFlags();
    sidecar = await startSidecar(['--file', flags.file], [], (end) => ends.push(end));
    await until(() => sidecar.ready());
  });
  afterAll(async () => {
    for (const end of ends) await end();
    flags.remove();
  });
  return {
    url: () => sidecar.url,
    async another() {
      const one = await startSidecar(['--file', flags.file]);
      await until(() => one.ready());
      return one;
    },
  };
}
