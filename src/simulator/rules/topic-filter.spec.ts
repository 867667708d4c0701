import { expect, it } from '@jest/globals';
import { BadTopic, TopicIndex, topicLevels } from './topic-filter.js';

it.each([
  ['/sys/pk1/+/thing/event/property/post', '/pk1/meter-1/thing/event/property/post', true],
  ['/pk1/meter-1/thing/event/property/post', '/pk1/meter-1/thing/event/property/post', true],
  ['/sys/pk1/+/thing/event/property/post', '/sys/pk1/meter-1/thing/event/property/post', true],
  ['/sys/pk1/+/thing/event/property/post', '/pk2/meter-1/thing/event/property/post', false],
  ['/sys/pk1/+/thing/event/property/post', '/pk1/meter-1/thing/event/alarm/post', false],
  ['/sys/pk1/meter-1/thing/event/+/post', '/pk1/meter-1/thing/event/alarm/post', true],
  ['/as/mqtt/status/pk1/+', '/as/mqtt/status/pk1/meter-1', true],
  ['/pk1/+/user/#', '/pk1/meter-1/user/a/b', true],
  ['/pk1/+/user/#', '/pk1/meter-1/user', true],
  ['/pk1/+/user/#', '/pk1/meter-1/thing/a', false],
  ['/pk1/+', '/pk1/meter-1/user', false],
  ['/pk1/+/user', '/pk1/meter-1', false],
])('%s and %s: %s', (filter, topic, expected) => {
  const index = new TopicIndex<string>();
  index.add(topicLevels(filter), 'rule');
  expect(index.find(topic)).toEqual(expected ? ['rule'] : []);
});

it('gives every rule once', () => {
  const index = new TopicIndex<string>();
  for (const filter of ['/pk1/+/user/#', '/pk1/a/user/x', '/pk1/a/#']) index.add(topicLevels(filter), 'one');
  index.add(topicLevels('/#'), 'two');
  expect(index.find('/pk1/a/user/x').sort()).toEqual(['one', 'two']);
});

it.each(['pk1/+', '/pk1//x', '/pk1/#/x', '/pk1/a+/x', `/${'a'.repeat(300)}`, '/'])('refuses %s', (filter) => {
  expect(() => topicLevels(filter)).toThrow(BadTopic);
});
