import { defineFault } from '../fault.js';
import { text } from '../parameters.js';

const LIVING = 'living/';

export const rotatedCredentials = defineFault({
  name: 'rotated-credentials',
  meaning: 'keys get other secrets, so that sign-ins with the known ones are refused; open connections stay',
  course: 'lasting',
  parameters: {
    tenant: text('', 'such as living/90001234 or enterprise/iot-demo0001; all of them when empty'),
    key: text('', 'one AccessKey of that tenant; all of them when empty'),
  },
  begin: ({ tenant, key }, { target, tenants, did }) => {
    const rotated = (tenant === '' ? tenants() : [tenant]).map((each) => {
      const rotation = target.rotateSecrets(each, key === '' ? undefined : key);
      did('rotated', 1, () => ({ tenant: each }));
      return rotation;
    });
    return { end: () => rotated.forEach((each) => each.restore()) };
  },
});

export const syncOff = defineFault({
  name: 'sync-off',
  meaning: 'data sync of Living apps is switched off, and on again in the end; clients must reconnect (protocol 4.3)',
  course: 'lasting',
  parameters: { app: text('', 'appKey of one app; all of them when empty') },
  begin: ({ app }, { target, tenants, did }) => {
    const every = tenants().flatMap((tenant) => (tenant.startsWith(LIVING) ? [tenant.slice(LIVING.length)] : []));
    const apps = app === '' ? every : [app];
    for (const each of apps) {
      target.setSync(each, false);
      did('switched off', 1, () => ({ app: each }));
    }
    return { end: () => apps.forEach((each) => target.setSync(each, true)) };
  },
});
