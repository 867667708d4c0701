import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { parseDescription } from '../description-file.js';
import { productsSection, readProducts, type ProductPlan } from './products-section.js';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'products-'));
  writeFileSync(
    join(directory, 'own.json'),
    '{ "properties": [ { "identifier": "Level", "name": "液位", "dataType": { "type": "double", "specs": { "min": "0", "max": "9" } } } ] }',
  );
  writeFileSync(
    join(directory, 'bad.json'),
    '{\n  "properties": [\n    { "identifier": "A", "dataType": { "type": "long" } } ] }',
  );
  writeFileSync(
    join(directory, 'beside.json'),
    '{ "properties": [ { "identifier": "A", "dataType": { "type": "int" } } ] }',
  );
  writeFileSync(join(directory, 'beside.behaviour.yaml'), '# ours\nB: { kind: battery }\n');
  writeFileSync(join(directory, 'raw.js'), 'function rawDataToProtocol(bytes) { return {}; }');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function plans(yaml: string): ProductPlan[] {
  const schema = z.strictObject({ products: productsSection });
  const description = parseDescription('world.yaml', yaml, schema);
  const context = { directory, appKeys: ['90001234'], instanceIds: ['iot-demo0001', ''] };
  return readProducts(description, ['products'], description.value.products, context);
}
const one = (text: string): string => `products:\n  - ${text}\n`;

describe('products of a world file', () => {
  it('have defaults for all but their key', () => {
    expect(plans(one('productKey: h9Plain'))).toEqual([
      {
        product: {
          productKey: 'h9Plain',
          deviceType: 'CustomCategory',
          voice: 'enterprise',
          role: 'device',
          tenant: null,
          model: null,
          validation: 'weak',
          rawScript: null,
          messageScript: null,
        },
        modelName: null,
        behaviour: null,
        virtualDevices: 0,
        names: 'h9Plain',
        gateway: null,
        devices: [],
      },
    ]);
  });

  it('belong to a tenant and speak its form, whether its key is quoted or not', () => {
    const [living, quoted, enterprise, legacy] = plans(`products:
  - { productKey: a1, tenant: 90001234, model: builtin:lock }
  - { productKey: a2, tenant: '90001234' }
  - { productKey: h1, tenant: iot-demo0001, model: own.json, rawScript: raw.js }
  - { productKey: h2, tenant: '' }`);
    expect(living?.product).toMatchObject({ voice: 'living', tenant: 'living/90001234' });
    expect(quoted?.product.tenant).toBe(living?.product.tenant);
    expect(enterprise).toMatchObject({
      product: { voice: 'enterprise', tenant: 'enterprise/iot-demo0001' },
      names: 'own',
    });
    expect(enterprise?.product.rawScript).toContain('rawDataToProtocol');
    expect([...(enterprise?.product.model?.properties.keys() ?? [])]).toEqual(['Level']);
    expect(legacy?.product.tenant).toBe('enterprise/');
  });

  it('are those of the documentation', () => {
    const text = readFileSync('docs/simulator.md', 'utf8');
    const block = (language: string, holds: string): string =>
      [...text.matchAll(/^```(\w+)\n([^]*?)^```/gm)].find(
        ([, of, content]) => of === language && content?.includes(holds),
      )?.[2] ?? '';
    writeFileSync(join(directory, 'tank.json'), block('json', '"Overflow"'));
    const [yaml = ''] = block('yaml', 'h9Tank0001').split(/^fleet:/m);
    const [tank, , probe] = plans(yaml);
    expect(tank).toMatchObject({ virtualDevices: 20, names: 'tank', behaviour: { Inflow: { of: 'Pump' } } });
    expect([...(tank?.product.model?.events.keys() ?? [])]).toEqual(['Overflow']);
    expect(probe).toMatchObject({ product: { role: 'sub-device' }, gateway: 'h9Gate0001' });
  });

  it('take the behaviour that comes with a model, and their own before it', () => {
    const [plan] = plans(
      one(
        '{ productKey: h1, model: builtin:boiler, behaviour: { Burner: { kind: duty-cycle, onMinutes: 1, offMinutes: 2 } } }',
      ),
    );
    expect(plan?.behaviour).toMatchObject({
      Burner: { onMinutes: 1 },
      ReturnTemp: { kind: 'follows', of: 'WaterTemp' },
    });
  });

  it.each([
    ['an unknown word', one('{ productKey: h1, modle: x }'), /^world\.yaml:2: products\.0: .*modle/],
    [
      'an unknown tenant',
      one('{ productKey: h1, tenant: nobody }'),
      /^world\.yaml:2: tenant: there is no Living app or Enterprise instance "nobody"$/,
    ],
    [
      'another voice than its tenant',
      one('{ productKey: h1, tenant: 90001234, voice: enterprise }'),
      /^world\.yaml:2: voice: its tenant speaks living$/,
    ],
    [
      'an unknown model',
      one('productKey: h1\n    model: builtin:teapot'),
      /^world\.yaml:3: model: no model builtin:teapot .* boiler/,
    ],
    ['a missing model', one('{ productKey: h1, model: none.json }'), /none\.json: cannot be read \(ENOENT\)$/],
    [
      'a bad model',
      one('{ productKey: h1, model: bad.json }'),
      /bad\.json:3: properties\.0\.dataType\.type: must be one of/,
    ],
    [
      'a behaviour beside its model that does not fit',
      one('{ productKey: h1, model: beside.json }'),
      /beside\.behaviour\.yaml:2: B: the model has no property B$/,
    ],
    [
      'a behaviour that does not fit',
      one('productKey: h1\n    model: own.json\n    behaviour:\n      Level: { kind: constant, value: 10 }'),
      /^world\.yaml:5: behaviour\.Level\.value: is not a value/,
    ],
    [
      'a behaviour and no model',
      one('{ productKey: h1, behaviour: { A: { kind: battery } } }'),
      /^world\.yaml:2: behaviour: needs a model$/,
    ],
    [
      'Living devices that have nothing to say',
      one('{ productKey: h1, tenant: 90001234, virtualDevices: 1 }'),
      /^world\.yaml:2: virtualDevices: a Living product needs a model/,
    ],
    [
      'a product twice',
      'products:\n  - { productKey: h1 }\n  - { productKey: h1 }',
      /^world\.yaml:3: product h1 stands there twice$/,
    ],
    [
      'a device twice',
      one('{ productKey: h1, devices: [{ name: a, secret: x }, { name: a, secret: y }] }'),
      /^world\.yaml:2: devices: a stands there twice$/,
    ],
    [
      'a gateway that is none',
      'products:\n  - { productKey: g1 }\n  - { productKey: s1, role: sub-device, gateway: g1 }',
      /^world\.yaml:3: gateway: there is no product g1 with role gateway$/,
    ],
    [
      'sub-devices behind nothing',
      one('{ productKey: s1, role: sub-device, virtualDevices: 1 }'),
      /^world\.yaml:2: role: a sub-device needs `gateway`/,
    ],
    [
      'a missing script',
      one('{ productKey: h1, rawScript: none.js }'),
      /^world\.yaml:2: rawScript: .*none\.js cannot be read \(ENOENT\)$/,
    ],
    [
      'too many devices',
      one('{ productKey: h1, virtualDevices: 100001 }'),
      /^world\.yaml:2: products\.0\.virtualDevices: /,
    ],
  ])('with %s are refused with file and line', (_, yaml, told) => {
    expect(() => plans(yaml)).toThrow(told);
  });
});
