/** Folder of src/ → folders it may import. Anything that is not listed is forbidden; docs/decisions/0001 says why. */
const mayImport = {
  base: [],
  api: ['base'],
  wire: ['base'],
  core: ['base', 'api', 'wire'],
  importers: ['base', 'api', 'wire', 'core'],
  traffic: ['base', 'api', 'core'],
  kube: ['base'],
  providers: ['base'],
  rulesets: ['base', 'wire', 'core'],
  controllers: ['base', 'api', 'wire', 'core', 'traffic', 'kube', 'providers'],
  evaluator: ['base', 'wire', 'core', 'rulesets'],
  sdk: ['base', 'wire', 'core/evaluation'],
  events: ['base', 'wire', 'core/stats'],
  server: [
    'base',
    'api',
    'wire',
    'core',
    'traffic',
    'kube',
    'providers',
    'rulesets',
    'controllers',
    'evaluator',
    'events',
  ],
  cli: ['base', 'api', 'wire', 'core', 'importers', 'traffic', 'kube'],
  web: ['api'],
};

const layers = Object.entries(mayImport).map(([from, to]) => ({
  name: `${from}-imports`,
  severity: 'error',
  comment: `src/${from} may import only: ${to.join(', ') || 'nothing'}. Move the code to the room that owns the idea, or pass it in as a port.`,
  from: { path: `^src/${from}/` },
  to: { path: '^src/', pathNot: `^src/(${[from, ...to].join('|')})/` },
}));

export default {
  forbidden: [
    ...layers,
    {
      name: 'pure-rooms-import-no-packages',
      severity: 'error',
      comment: 'base, core and traffic are pure. Pass what touches the world in as an argument.',
      from: { path: '^src/(base|core|traffic)/' },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev'], pathNot: 'node_modules/(re2js|semver)/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'Two files that need each other are one idea, or hide a third.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-barrels',
      severity: 'error',
      comment: 'Import from the file that defines the thing.',
      from: {},
      to: { path: '/index[.]ts$' },
    },
    {
      name: 'no-tests-in-product',
      severity: 'error',
      comment: 'Product code never imports test or hack code.',
      from: { path: '^src/' },
      to: { path: '^(test|hack)/' },
    },
    {
      name: 'roots-are-roots',
      severity: 'error',
      comment: 'Composition roots wire the rooms; nothing imports them.',
      from: { path: '^src/.+/' },
      to: { path: '^src/[^/]+[.]ts$' },
    },
    {
      name: 'resolvable',
      severity: 'error',
      comment: 'The import does not resolve.',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
