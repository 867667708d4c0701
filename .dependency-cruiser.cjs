// @ts-check
// Which way the imports point, one rule an arrow:
//
//   transports/* -> ingest -> decoding, spool -> domain <- storage <- api, followers
//   dashboard ~~ HTTP ~~> api            simulator ~~ AMQP ~~> transports/amqp
//
// Run by `npm run arrows` and `npm run check`.

const SPEC = '\\.spec\\.ts$';
/** `*.module.ts` files and the two files at the top are wiring: they may name every folder. */
const WIRING = '(\\.module\\.ts$|^src/main\\.ts$)';

/**
 * Files of one folder may import, of our own, only from some others.
 * @param {string} folder
 * @param {readonly string[]} others
 * @param {string} comment
 */
const onlyImports = (folder, others, comment) => ({
  name: `${folder.replaceAll('/', '-')}-imports`,
  comment,
  severity: /** @type {const} */ ('error'),
  from: { path: `^src/${folder}/`, pathNot: [SPEC, WIRING] },
  to: { path: '^src/', pathNot: [folder, ...others].map((each) => `^src/${each}/`) },
});

/**
 * A package is imported by some folders only.
 * @param {string} name
 * @param {string} packages
 * @param {readonly string[]} folders
 * @param {string} comment
 */
const onlyUsedBy = (name, packages, folders, comment) => ({
  name: `${name}-only-there`,
  comment,
  severity: /** @type {const} */ ('error'),
  from: { path: '^src/', pathNot: [SPEC, WIRING, ...folders.map((each) => `^src/${each}/`)] },
  to: { path: `node_modules/(${packages})/` },
});

const SHARED = ['config', 'telemetry'];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    onlyImports('domain', [], 'Our own words depend on nothing: not on the wire, not on the database.'),
    {
      name: 'domain-is-pure',
      comment:
        'No Nest, no validator, no Prisma, no rhea, no Node: plain TypeScript that anything may import. Temporal is a part of ' +
        'the language that Node does not have yet.',
      severity: 'error',
      from: { path: '^src/domain/', pathNot: SPEC },
      to: {
        dependencyTypesNot: ['local', 'type-only'],
        pathNot: ['^src/domain/', 'node_modules/temporal-polyfill/'],
      },
    },
    onlyImports('decoding', ['domain'], 'Bytes in, events out: decoding reaches for no database, network or setting.'),
    {
      name: 'decoding-without-nest',
      comment: 'Pure functions and a schema library; a container has nothing to inject into them.',
      severity: 'error',
      from: { path: '^src/decoding/', pathNot: [SPEC, WIRING] },
      to: { path: 'node_modules/(@nestjs|@prisma|pg|rhea)/' },
    },
    onlyImports(
      'ingest',
      ['decoding', 'spool', 'domain', ...SHARED],
      'Ingest sees Delivery, EventSink and Spool, no transport and no database.',
    ),
    onlyImports(
      'spool',
      ['domain', ...SHARED],
      'Messages on a disk: the spool knows neither who brings nor who takes them.',
    ),
    onlyImports(
      'transports',
      ['ingest', 'domain', ...SHARED],
      'A transport hands deliveries to ingest and knows nothing behind it.',
    ),
    onlyImports('storage', ['domain', ...SHARED], 'Storage knows neither who sends events nor who asks about them.'),
    onlyImports(
      'api',
      ['storage', 'domain', ...SHARED],
      'Answers come from storage; what is needed of ingest are abstract classes in domain.',
    ),
    onlyImports('followers', ['storage', 'domain', ...SHARED], 'Followers react to what is stored, at their own pace.'),
    onlyImports('config', ['domain'], 'Settings are read by all and read nobody.'),
    onlyImports('telemetry', ['domain', 'config'], 'Anyone may use telemetry; it uses no one.'),
    onlyImports(
      'simulator',
      [],
      'The platform shares no code with the service, or they would share its misunderstandings of the wire.',
    ),
    onlyImports('export', [], 'The command line uses our public REST API, as anybody could.'),
    onlyImports('dashboard', [], 'The dashboard uses our public REST API, as anybody could.'),
    {
      name: 'nobody-imports-the-far-side',
      comment: 'Simulator, dashboard and command line are on the other side of a wire; tests may start them.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/simulator/', '^src/export/', '^src/dashboard/', SPEC, WIRING] },
      to: { path: '^src/(simulator|export|dashboard)/' },
    },
    onlyUsedBy('rhea', 'rhea', ['transports/amqp', 'simulator'], 'AMQP is spoken at the edge.'),
    onlyUsedBy('prisma', '@prisma|pg', ['storage'], 'Storage alone knows Prisma and SQL.'),
    onlyUsedBy(
      'http',
      '@nestjs/swagger|@nestjs/platform-fastify|fastify',
      ['api', 'simulator'],
      'HTTP is the business of api, and of the control page of the simulator.',
    ),
    {
      name: 'no-circles',
      comment: 'Circular imports of decorated classes fail at run time, and circles of any kind hide who needs whom.',
      severity: 'error',
      from: { path: '^(src|scripts|test)/' },
      to: { circular: true },
    },
    {
      name: 'service-without-tests-and-scripts',
      comment: 'What is built to dist/ must find everything there.',
      severity: 'error',
      from: { path: '^src/', pathNot: SPEC },
      to: { path: '^(test|scripts|prisma)/' },
    },
    {
      name: 'no-development-packages',
      comment: 'The service is deployed without them.',
      severity: 'error',
      from: { path: '^src/', pathNot: SPEC },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'nothing-unresolved',
      comment: 'An import that leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '^dist/'] },
    exclude: { path: '^src/storage/generated/' },
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { conditionNames: ['import', 'node', 'default', 'types'], exportsFields: ['exports'] },
    detectProcessBuiltinModuleCalls: true,
  },
};
