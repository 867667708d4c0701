import { expect, it } from '@jest/globals';
import { typosIn } from './setting-typos.js';

it.each([
  ['AMQP_CONECTIONS', 'AMQP_CONNECTIONS'],
  ['AMQP_APPKEY', 'AMQP_APP_KEY'],
  ['AMQP_ACCESS_KEY', 'AMQP_ACCESS_KEY_ID'],
  ['HTTP_PROT', 'HTTP_PORT'],
  ['DATABSE_URL', 'DATABASE_URL'],
  ['DEDUP_DAYS', 'DEDUPE_DAYS'],
])('takes %s for a misspelt %s', (name, meant) => {
  expect(typosIn({ [name]: 'secret-value' })).toEqual([`${name} is not a setting; did you mean ${meant}?`]);
});

it('says of any other AMQP variable that it is ignored', () => {
  expect(typosIn({ AMQP_SOMETHING_ELSE_ALTOGETHER: '1' })).toEqual([
    'AMQP_SOMETHING_ELSE_ALTOGETHER is not a setting and is ignored',
  ]);
});

it('leaves the variables of others alone', () => {
  expect(typosIn({ HTTP_PROXY: 'http://proxy', PATH: '/bin', HOME: '/', LOG_LEVEL: 'info', AMQP_URL: 'x' })).toEqual(
    [],
  );
});
