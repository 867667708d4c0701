import { describe, expect, it } from '@jest/globals';
import { at, boiler, boilerIot, eventsOf, newsOf } from '../../../test/support/decoded.js';

describe('firmware upgrades', () => {
  const upgrade = {
    ...boilerIot,
    messageCreateTime: 1700000100000,
    srcVersion: '2.0.1',
    destVersion: '2.1.0',
    desc: 'success',
    jobId: 'job-demo-11',
    taskId: 'task-demo-9001',
  };
  const when = at(1700000100000);

  it('end (7.14)', () => {
    expect(newsOf('/h9DemoEnt02/boiler-3/ota/upgrade', { ...upgrade, status: 'SUCCEEDED' })).toEqual([
      {
        kind: 'upgrade-finished',
        device: boiler,
        at: when,
        value:
          '{"desc": "success", "jobId": "job-demo-11", "status": "SUCCEEDED", "taskId": "task-demo-9001", "srcVersion": "2.0.1", "destVersion": "2.1.0"}',
      },
    ]);
  });

  it.each([40, '40', -1])('move on to step %j (7.15)', (step) => {
    expect(newsOf('/h9DemoEnt02/boiler-3/ota/progress/post', { ...upgrade, step })).toEqual([
      expect.objectContaining({
        kind: 'upgrade-progressed',
        at: when,
        value: expect.stringContaining(`"step": ${JSON.stringify(step)}`),
      }),
    ]);
  });

  it('move on without a step, if the topic says so (7.15)', () => {
    const body = { ...upgrade, status: 'IN_UPGRADE' };
    expect(newsOf('/h9DemoEnt02/boiler-3/ota/progress/post', body)).toMatchObject([{ kind: 'upgrade-progressed' }]);
  });

  it('change the version of a module (7.16)', () => {
    const body = { ...boilerIot, moduleName: 'burner', moduleVersion: '2.1.0', messageCreateTime: 1700000100000 };
    expect(newsOf('/h9DemoEnt02/boiler-3/ota/version/post', body)).toEqual([
      {
        kind: 'version-reported',
        device: boiler,
        at: when,
        value: '{"moduleName": "burner", "moduleVersion": "2.1.0"}',
      },
    ]);
  });

  const job = {
    productKey: 'h9DemoEnt02',
    moduleName: 'burner',
    packageId: 'pkg-demo-5',
    jobId: 'job-demo-11',
    status: 'IN_PROGRESS',
    messageCreateTime: 1700000100000,
  };
  const jobTopic = '/h9DemoEnt02/pkg-demo-5/job-demo-11/ota/job/status';

  it('come in batches that concern a product (7.17)', () => {
    const changed = {
      kind: 'upgrade-job-changed',
      productKey: 'h9DemoEnt02',
      at: when,
      value: '{"jobId": "job-demo-11", "status": "IN_PROGRESS", "packageId": "pkg-demo-5", "moduleName": "burner"}',
    };
    expect(eventsOf(jobTopic, job)).toEqual([changed]);
    expect(eventsOf(null, job)).toEqual([changed]);
  });

  it('refuse a batch that has no believable time, having no device to reject it for (7.17)', () => {
    expect(() => eventsOf(jobTopic, { ...job, messageCreateTime: 'x' })).toThrow('invalid-body');
  });

  it('are not believed about a product on a topic of one device (7.17)', () => {
    expect(eventsOf('/h9DemoEnt02/boiler-3/user/up', job)).toMatchObject([{ kind: 'custom-message-received' }]);
    expect(() => eventsOf(jobTopic, { ...boiler, items: {} })).toThrow('invalid-body');
  });
});
