import { NotFoundException } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import type { DeviceKey } from '../domain/device-key.js';
import { type DeviceReference, SeveralDevices } from '../storage/device.reader.js';
import { UnknownDevice } from '../storage/find-devices.js';
import { Text } from './parameters.js';
import { AmbiguousDevice, BadParameters } from './problem.js';

export class DeviceParams {
  @Text(600)
  @ApiProperty({
    description: '`productKey:deviceName`, or an iotId.',
    example: 'a1B2c3D4e5F:lock-0001',
  })
  readonly device!: string;
}

export class PropertyParams extends DeviceParams {
  @Text(256)
  @ApiProperty({ description: 'Identifier of the property.', example: 'CurrentTemperature' })
  readonly identifier!: string;
}

/**
 * `productKey:deviceName`, split at the first colon; without a colon, an iotId.
 * @throws BadParameters
 */
export function deviceReference({ device }: DeviceParams): DeviceReference {
  if (!device.includes(':')) return { iotId: device };
  const key = deviceKeyOf(device);
  if (key) return key;
  throw new BadParameters([{ parameter: 'device', detail: 'must be productKey:deviceName or an iotId' }]);
}

/** `productKey:deviceName`, split at the first colon; null when it is not that. */
export function deviceKeyOf(text: string): DeviceKey | null {
  const colon = text.indexOf(':');
  const [productKey, deviceName] = [text.slice(0, Math.max(colon, 0)), text.slice(colon + 1)];
  return productKey && deviceName ? { productKey, deviceName } : null;
}

/**
 * Asks about the device that a request names.
 * @throws NotFoundException, AmbiguousDevice or BadParameters
 */
export async function ofDevice<T>(
  params: DeviceParams,
  ask: (reference: DeviceReference) => Promise<T | null>,
): Promise<T> {
  const reference = deviceReference(params);
  const answer = await named(() => ask(reference));
  if (answer === null) throw noDevice(reference);
  return answer;
}

/**
 * Asks about the devices that a request names.
 * @throws NotFoundException, AmbiguousDevice or BadParameters
 */
export async function ofDevices<T>(
  devices: readonly string[],
  ask: (references: readonly DeviceReference[]) => Promise<T>,
): Promise<T> {
  const references = devices.map((device) => deviceReference({ device }));
  return named(() => ask(references));
}

/** Says in words of REST what is wrong with a device that was named. */
async function named<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof UnknownDevice) throw noDevice(error.reference);
    throw error instanceof SeveralDevices ? new AmbiguousDevice(error.iotId, error.candidates) : error;
  }
}

function noDevice(reference: DeviceReference): NotFoundException {
  return new NotFoundException(
    'iotId' in reference
      ? `No device holds the iotId ${reference.iotId}`
      : `No device ${reference.productKey}:${reference.deviceName} (productKey:deviceName)`,
  );
}
