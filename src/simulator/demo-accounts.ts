// Invented, and known to everybody: they open nothing but a simulator.

export const DEMO_LIVING = { appKey: '90001234', appSecret: 'demoAppSecret-7f3a' } as const;

export const DEMO_ENTERPRISE = {
  instanceId: 'iot-demo0001',
  accessKeyId: 'demoAccessKeyId01',
  accessKeySecret: 'demoAccessKeySecret-9c1d',
  consumerGroupId: 'demoGroup000100',
} as const;

/** The temporary credential of the same instance. */
export const DEMO_STS = {
  accessKeyId: 'STS.demoKeyId02',
  accessKeySecret: 'demoStsSecret-42',
  securityToken: 'CAISdemo+token/01==',
} as const;
