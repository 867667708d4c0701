// Jest on ES modules: TypeScript through swc, `.js` import endings mapped back to their sources.
/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  // Much of the time goes into waiting for other processes, so that as many workers as processors do well.
  maxWorkers: '100%',
  // A worker keeps modules of every file that it ran, some 20 to 40 MB each, and slows down with them: a new one is faster.
  workerIdleMemoryLimit: '500MB',
  roots: ['<rootDir>/src', '<rootDir>/test'],
  testMatch: ['**/*.spec.ts'],
  globalSetup: '<rootDir>/test/support/global-setup.js',
  globalTeardown: '<rootDir>/test/support/global-teardown.js',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          target: 'es2022',
          keepClassNames: true,
        },
        module: { type: 'es6' },
      },
    ],
    // Published as ES modules, which Jest on this Node cannot require(): Fastify's plugins do.
    'node_modules/(content-disposition|cookie|set-cookie-parser)/.+\\.js$': [
      '@swc/jest',
      { jsc: { target: 'es2022' }, module: { type: 'commonjs' } },
    ],
  },
  transformIgnorePatterns: ['node_modules/(?!(content-disposition|cookie|set-cookie-parser)/)'],
  // What a test may take on a machine that stands still for a while; none waits for it.
  testTimeout: 120_000,
};
