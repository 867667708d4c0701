import { type DevicePlace, type DeviceSort, placeType } from '../storage/device-order.js';
import { Cursors } from './cursor.js';

const byProduct = new Cursors('devices', 'text', 'text');
/** Whether the value is null, the value, the device's id. */
const byText = new Cursors('devices by text', 'int', 'text', 'int');
const byTime = new Cursors('devices by time', 'int', 'time', 'int');
const byTruth = new Cursors('devices by truth', 'int', 'int', 'int');

const NO_TIME = '1970-01-01T00:00:00.000Z';

/** The cursor that means a place in a list of devices. */
export function cursorOf(sort: DeviceSort, question: unknown, place: DevicePlace | null): string | null {
  if (place === null) return null;
  const { value, tie } = place;
  const asked = [sort, question];
  if (sort.field === 'productKey') return byProduct.write(asked, [value ?? '', tie]);
  const missing = value === null ? '1' : '0';
  switch (placeType(sort.field)) {
    case 'text':
      return byText.write(asked, [missing, value ?? '', tie]);
    case 'time':
      return byTime.write(asked, [missing, value ?? NO_TIME, tie]);
    case 'boolean':
      return byTruth.write(asked, [missing, value === 'true' ? '1' : '0', tie]);
    default:
      return null;
  }
}

/** @throws BadParameters naming `cursor` */
export function placeAt(sort: DeviceSort, question: unknown, cursor: string | undefined): DevicePlace | null {
  const asked = [sort, question];
  if (sort.field === 'productKey') {
    const place = byProduct.read(asked, cursor);
    return place && { value: place[0], tie: place[1] };
  }
  const type = placeType(sort.field);
  const place = (type === 'time' ? byTime : type === 'text' ? byText : byTruth).read(asked, cursor);
  if (!place) return null;
  const [missing, value, tie] = place;
  if (missing !== '0') return { value: null, tie };
  return { value: type === 'boolean' ? String(value !== '0') : value, tie };
}
