// @ts-check

/** After a test run: stops what global-setup.js started. */
export default async function globalTeardown() {
  const stop = Reflect.get(globalThis, 'stopTestDatabase');
  if (typeof stop === 'function') await stop();
}
