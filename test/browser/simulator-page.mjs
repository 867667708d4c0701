// @ts-check
// The page of the simulator's control API: what it shows, that it does what its buttons say, and that nothing a device sends
// runs in it.
import { check, checkEqual } from '../interop/checks.mjs';
import { until } from '../interop/processes.mjs';

/** A body that would run where a page writes messages as HTML. */
const HOSTILE =
  '{"note":"<img src=x onerror=\\"document.title=1\\"><script>document.title=2</script>","n":12345678901234567890}';

/**
 * @param {import('./chromium.mjs').Page} page
 * @param {string} url of the control API
 * @param {(name: string) => Promise<void>} picture
 */
export async function lookAtSimulator(page, url, picture) {
  const shows = async (/** @type {string} */ what, /** @type {string} */ expression) => {
    const shown = await until(
      what,
      async () => Boolean(await page.evaluate(expression).catch(() => false)),
      20_000,
    ).catch(() => false);
    check(what, Boolean(shown), (await page.text().catch(() => 'nothing')).slice(0, 2_000));
  };
  /** Has what is on the page do something. @param {string} script */
  const act = (script) => page.evaluate(`(() => { ${script} })()`);

  await page.look(1280, 1000);
  await page.goTo(url);
  await shows('groups with their backlog and rates', `document.querySelectorAll('.group svg').length >= 6`);
  await shows('messages of the fleet', `document.querySelectorAll('#records tbody tr').length > 5`);
  await shows('a client that receives', `document.querySelectorAll('#clients tbody tr').length > 0`);
  await shows('a device to send commands to', `document.querySelectorAll('#found button').length > 3`);
  await picture('simulator');

  await act(`const form = document.querySelector('#publish');
    form.elements.topic.value = '/pk/<b>dn</b>/user/x';
    form.elements.body.value = ${JSON.stringify(HOSTILE)};
    form.requestSubmit();`);
  await shows(
    'the id of a message that was published',
    `/\\d{18}/.test(document.querySelector('#publish output').textContent)`,
  );
  await act(`document.querySelector('#publish output button').click()`);
  await shows('that message alone', `document.querySelectorAll('#records tbody tr').length === 1`);
  await act(`document.querySelector('#records tbody tr').click()`);
  await shows(
    'its way: arrival, processing, forwarding',
    `['Arrived', 'Processed', 'Forwarding'].every((word) => document.querySelector('#detail .timeline')?.innerText.includes(word))`,
  );
  await shows(
    'its body, every digit of it',
    `document.querySelector('#detail pre').textContent.includes('"n": 12345678901234567890')`,
  );
  checkEqual(
    'and none of it as HTML',
    await page.evaluate(`[document.title, document.querySelectorAll('img, #detail b, #records b').length]`),
    ['Platform simulator', 0],
  );
  await picture('simulator-message');

  await act(`location.hash = ''; document.querySelector('#found button').click()`);
  await shows('the services of a device', `!document.querySelector('#command').hidden`);
  await act(`document.querySelector('#command').requestSubmit()`);
  await shows(
    'the request id of a command',
    `document.querySelector('#command output').innerText.includes('request id')`,
  );

  await shows('the faults there are', `document.querySelector('#fault select').options.length > 5`);
  await act(
    `const form = document.querySelector('#fault'); form.elements.fault.value = 'duplicates'; form.requestSubmit();`,
  );
  await shows('a fault that is running', `document.querySelector('#running').innerText.includes('duplicates')`);
  await act(`document.querySelector('#running button').click()`);
  await shows('that it was stopped', `document.querySelector('#running').innerText.includes('None')`);

  for (const scheme of /** @type {const} */ (['light', 'dark'])) {
    await page.look(400, 900, scheme);
    checkEqual(
      `in ${scheme} it fits a narrow window`,
      await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth'),
      true,
    );
    await picture(`simulator-narrow-${scheme}`);
  }
  await page.look(1400, 1000);
  checkEqual('without a complaint of the page', page.problems, []);
}
