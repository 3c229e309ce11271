import { defineConfig } from 'vitest/config';

const project = (name: string, extra: object = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], setupFiles: 'test/support/seed-setup.ts', ...extra },
});

export default defineConfig({
  test: {
    reporters: ['default', './test/support/summary-reporter.ts'],
    projects: [
      // Property tests count in tens of thousands of cases; on a busy machine the default of 5 s is not enough.
      project('unit', { testTimeout: 30_000 }),
      // The sidecar as a process of its own, over loopback. Needs no API server, so none is started for these alone.
      project('integration-sidecar', {
        include: ['evaluator', 'sdk'].map((room) => `test/integration/${room}/**/*.test.ts`),
        testTimeout: 60_000,
      }),
      // One real etcd and kube-apiserver for all files; every file makes its own namespace.
      project('integration', {
        exclude: ['test/integration/evaluator/**', 'test/integration/sdk/**'],
        globalSetup: 'test/support/api-server-setup.ts',
        testTimeout: 60_000,
        hookTimeout: 120_000,
        maxWorkers: 2,
      }),
      // The whole local cluster; files run one after the other because they share its two cores.
      project('e2e', {
        globalSetup: 'test/support/cluster-setup.ts',
        testTimeout: 600_000,
        hookTimeout: 1_800_000,
        fileParallelism: false,
      }),
    ],
  },
});
