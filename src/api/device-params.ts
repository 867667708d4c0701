import { NotFoundException } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { type DeviceReference, SeveralDevices } from '../storage/device.reader.js';
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
  const colon = device.indexOf(':');
  if (colon < 0) return { iotId: device };
  const [productKey, deviceName] = [device.slice(0, colon), device.slice(colon + 1)];
  if (productKey && deviceName) return { productKey, deviceName };
  throw new BadParameters([{ parameter: 'device', detail: 'must be productKey:deviceName or an iotId' }]);
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
  try {
    const answer = await ask(reference);
    if (answer !== null) return answer;
  } catch (error) {
    throw error instanceof SeveralDevices ? new AmbiguousDevice(error.iotId, error.candidates) : error;
  }
  throw new NotFoundException(
    'iotId' in reference
      ? `No device holds the iotId ${reference.iotId}`
      : `No device ${params.device} (productKey:deviceName)`,
  );
}
