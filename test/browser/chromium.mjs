// @ts-check
// A headless Chromium, spoken to over two pipes: no package and no port needed.
import { spawn } from 'node:child_process';

/** One page in a browser of its own. */
export class Page {
  #child;
  #next = 0;
  #session = '';
  /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void }>} */
  #waiting = new Map();
  /** What the page complained about: uncaught exceptions and console errors. @type {string[]} */
  problems = [];

  /** @param {string} profile folder for what the browser keeps */
  constructor(profile) {
    this.#child = spawn(
      'chromium',
      [
        '--headless=new',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        '--no-first-run',
        '--window-size=1400,1000',
        `--user-data-dir=${profile}`,
        '--remote-debugging-pipe',
        'about:blank',
      ],
      { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
    );
    this.#child.once('error', (error) => this.#fail(error));
    this.#child.once('exit', () => this.#fail(new Error('Chromium ended')));
    let rest = '';
    const output = /** @type {import('node:stream').Readable} */ (this.#child.stdio[4]);
    output.setEncoding('utf8').on('data', (text) => {
      const messages = (rest + text).split('\0');
      rest = messages.pop() ?? '';
      for (const message of messages) this.#hear(JSON.parse(message));
    });
  }

  async open() {
    const { targetInfos } = await this.#send('Target.getTargets');
    const page = targetInfos.find((/** @type {{ type: string }} */ { type }) => type === 'page');
    const { sessionId } = await this.#send('Target.attachToTarget', { targetId: page.targetId, flatten: true });
    this.#session = sessionId;
    await this.#send('Runtime.enable');
    await this.#send('Log.enable');
    await this.#send('Page.enable');
    return this;
  }

  /** @param {string} url */
  async goTo(url) {
    await this.#send('Page.navigate', { url });
  }

  /**
   * How the page is looked at: the size of the window in CSS pixels, light or dark.
   * @param {number} width
   * @param {number} height
   * @param {'light' | 'dark'} scheme
   */
  async look(width, height, scheme = 'light') {
    const metrics = { width, height, deviceScaleFactor: 1, mobile: false };
    await this.#send('Emulation.setDeviceMetricsOverride', metrics);
    await this.#send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
  }

  /**
   * The value of an expression in the page.
   * @param {string} expression
   * @returns {Promise<any>}
   */
  async evaluate(expression) {
    const { result, exceptionDetails } = await this.#send('Runtime.evaluate', {
      expression,
      returnByValue: true,
      awaitPromise: true,
    });
    if (exceptionDetails)
      throw new Error(`In the page: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    return result.value;
  }

  /** All the text that the page shows. @returns {Promise<string>} */
  text() {
    return this.evaluate('document.body ? document.body.innerText : ""');
  }

  /** @returns {Promise<Buffer>} a PNG */
  async picture() {
    const { data } = await this.#send('Page.captureScreenshot');
    return Buffer.from(data, 'base64');
  }

  async close() {
    const exited = new Promise((resolve) => this.#child.once('exit', resolve));
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await exited;
  }

  /**
   * @param {string} method
   * @param {object} [params]
   * @returns {Promise<any>}
   */
  #send(method, params = {}) {
    const id = ++this.#next;
    const input = /** @type {import('node:stream').Writable} */ (this.#child.stdio[3]);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      const session = this.#session === '' ? {} : { sessionId: this.#session };
      input.write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    });
  }

  /** @param {{ id?: number, method?: string, params?: any, result?: any, error?: { message: string } }} message */
  #hear({ id, method, params, result, error }) {
    if (method === 'Runtime.exceptionThrown') {
      const { exceptionDetails } = params;
      this.problems.push(exceptionDetails.exception?.description ?? exceptionDetails.text);
    }
    if (method === 'Runtime.consoleAPICalled' && params.type === 'error') {
      this.problems.push(params.args.map((/** @type {any} */ each) => each.value ?? each.description).join(' '));
    }
    // What a Content-Security-Policy kept from happening.
    if (method === 'Log.entryAdded' && params.entry.source === 'security') this.problems.push(params.entry.text);
    const waiting = id === undefined ? undefined : this.#waiting.get(id);
    if (id === undefined || waiting === undefined) return;
    this.#waiting.delete(id);
    if (error) waiting.reject(new Error(error.message));
    else waiting.resolve(result);
  }

  /** @param {Error} error */
  #fail(error) {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
