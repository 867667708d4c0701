import { describe, expect, it } from '@jest/globals';
import { builtinModels, parseModel, readModel } from './read-model.js';

const property = (identifier: string, dataType: string, more = ''): string =>
  `{ "identifier": "${identifier}", "name": "数值", "accessMode": "rw", ${more} "dataType": ${dataType} }`;
const model = (...properties: string[]): string =>
  `{ "profile": { "productKey": "h9DemoEnt02" },\n  "properties": [\n    ${properties.join(',\n    ')}\n  ] }`;

describe('a thing model', () => {
  it.each(builtinModels())('%s comes with the simulator and tells, warns and fails', (name) => {
    const { properties, events } = readModel(`builtin:${name}`, '/');
    expect(properties.size).toBeGreaterThan(2);
    expect(new Set([...events.values()].map(({ type }) => type))).toEqual(new Set(['info', 'alert', 'error']));
    for (const { name: shown } of properties.values()) expect(shown).toMatch(/\p{Script=Han}|PM2\.5/u);
  });

  it('is read with all its types, limits as numbers or text, and the built-in features left out', () => {
    const text = `{
      "schema": "https://example.invalid/schema.json", "profile": { "version": "1.0", "productKey": "h9DemoEnt02" },
      "properties": [
        ${property('Temp', '{ "type": "float", "specs": { "min": "-40", "max": 85.5, "step": "0.1", "unit": "°C", "unitName": "度" } }')},
        ${property('Count', '{ "type": "int" }')},
        ${property('On', '{ "type": "bool", "specs": { "0": "关", "1": "开" } }')},
        ${property('Names', '{ "type": "array", "specs": { "size": "3", "item": { "type": "text", "specs": { "length": "8" } } } }')},
        ${property('Site', '{ "type": "struct", "specs": [ { "identifier": "at", "name": "时间", "dataType": { "type": "date", "specs": {} } } ] }')}
      ],
      "events": [
        { "identifier": "post", "name": "post", "type": "info", "outputData": [] },
        { "identifier": "Hot", "name": "过热", "type": "alert", "outputData": [ { "identifier": "Temp", "name": "温度", "dataType": { "type": "int", "specs": {} } } ] }
      ],
      "services": [
        { "identifier": "set", "callType": "async", "inputData": [], "outputData": [] },
        { "identifier": "get", "inputData": ["Temp", "Count"], "outputData": [] },
        { "identifier": "Reset", "name": "复位", "callType": "sync", "inputData": [], "outputData": [] }
      ] }`;
    const { productKey, properties, events, services } = parseModel('m.json', text);
    expect(productKey).toBe('h9DemoEnt02');
    expect([...properties.values()].map(({ dataType }) => dataType)).toEqual([
      { type: 'float', min: -40, max: 85.5, step: 0.1, unit: '°C' },
      { type: 'int', min: -(2 ** 31), max: 2 ** 31 - 1, step: null, unit: null },
      {
        type: 'bool',
        names: new Map([
          [0, '关'],
          [1, '开'],
        ]),
      },
      { type: 'array', size: 3, item: { type: 'text', length: 8 } },
      { type: 'struct', members: [{ identifier: 'at', name: '时间', dataType: { type: 'date' } }] },
    ]);
    expect([...events.keys()]).toEqual(['Hot']);
    expect([...services.values()]).toEqual([
      { identifier: 'Reset', name: '复位', async: false, inputs: [], outputs: [] },
    ]);
  });

  it('names features of a further module after it', () => {
    const text = `{ "properties": [${property('Temp', '{ "type": "int" }')}], "functionBlocks": [
      { "functionBlockId": "PetHouse", "functionBlockName": "宠物屋", "properties": [${property('Temp', '{ "type": "int" }')}],
        "events": [{ "identifier": "Fed", "type": "info" }], "services": [{ "identifier": "Feed" }] } ] }`;
    const { properties, events, services } = parseModel('m.json', text);
    expect([...properties.keys(), ...events.keys(), ...services.keys()]).toEqual([
      'Temp',
      'PetHouse:Temp',
      'PetHouse:Fed',
      'PetHouse:Feed',
    ]);
  });

  const INT = '{ "type": "int" }';
  it.each([
    ['no JSON', '{ "properties": [', /^m\.json:1: /],
    [
      'an unknown type',
      model(property('A', INT), property('B', '{ "type": "long" }')),
      /^m\.json:4: properties\.1\.dataType\.type: must be one of int, float, double, bool, enum, text, date, array, struct here$/,
    ],
    ['no type', model(property('A', '{}')), /^m\.json:3: .*type: is missing$/],
    [
      'a limit that is no number',
      model(property('A', '{ "type": "int", "specs": { "min": "low" } }')),
      /^m\.json:3: .*specs\.min: /,
    ],
    [
      'limits the wrong way round',
      model(property('A', '{ "type": "int", "specs": { "min": "5", "max": "1" } }')),
      /^m\.json:3: .*specs\.min: is above max$/,
    ],
    [
      'a text too long',
      model(property('A', '{ "type": "text", "specs": { "length": "10241" } }')),
      /^m\.json:3: .*length: must be 1 to 10240 characters$/,
    ],
    [
      'an array too large',
      model(property('A', `{ "type": "array", "specs": { "size": 513, "item": ${INT} } }`)),
      /^m\.json:3: .*size: must be 1 to 512 elements$/,
    ],
    [
      'a struct with too many members',
      model(
        property(
          'A',
          `{ "type": "struct", "specs": [${Array.from({ length: 51 }, (_, i) => `{ "identifier": "m${i}", "dataType": ${INT} }`).join()}] }`,
        ),
      ),
      /^m\.json:3: .*more than 50 members$/,
    ],
    [
      'an enum of too many values',
      model(
        property('A', `{ "type": "enum", "specs": {${Array.from({ length: 101 }, (_, i) => `"${i}": "v"`).join()}} }`),
      ),
      /^m\.json:3: .*more than 100 values$/,
    ],
    [
      'a name twice',
      model(property('A', INT), property('B', INT), property('A', INT)),
      /^m\.json:5: properties: A stands there twice$/,
    ],
    ['a bad identifier', model(property('A b', INT)), /^m\.json:3: properties\.0\.identifier: /],
    [
      'too many features',
      model(...Array.from({ length: 301 }, (_, i) => property(`p${i}`, INT))),
      /^m\.json:303: .*more than 300 features in a module$/,
    ],
    [
      'an event with a reserved name',
      '{ "events": [ { "identifier": "batch", "type": "info" } ] }',
      /^m\.json:1: events: batch is a word/,
    ],
    [
      'arrays without end',
      model(property('A', `${'{ "type": "array", "specs": { "size": 2, "item": '.repeat(4)}${INT}${' } }'.repeat(4)}`)),
      /^m\.json:3: .*type: must be one of int, float, double, bool, enum, text, date here$/,
    ],
  ])('with %s is refused with file and line', (_, text, told) => {
    expect(() => parseModel('m.json', text)).toThrow(told);
  });

  it('says which models there are when asked for another', () => {
    expect(() => readModel('builtin:teapot', '/')).toThrow(
      /no model builtin:teapot .* there are air-purifier, boiler, /,
    );
    expect(() => readModel('models/mine.json', '/nowhere')).toThrow(
      '/nowhere/models/mine.json: cannot be read (ENOENT)',
    );
  });
});
