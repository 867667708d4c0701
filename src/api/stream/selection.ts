import type { FilterExpression } from '../../domain/filter-expression.js';
import type { ChangeKind } from '../../storage/changed-row.views.js';
import type { PlacedChange } from '../../storage/change-log.reader.js';

/** Which changes a reader wants; what is null does not matter. */
export interface Selection {
  readonly kinds: ReadonlySet<ChangeKind> | null;
  /** Of readings and events; the other kinds have none. */
  readonly identifiers: ReadonlySet<string> | null;
  readonly productKeys: ReadonlySet<string> | null;
  /** As productKey:deviceName, or as iotId. */
  readonly devices: ReadonlySet<string> | null;
  readonly filter: { readonly text: string; readonly expression: FilterExpression } | null;
}

/** Whether a reader wants a change, as far as the change itself can tell. */
export function isSelected(selection: Selection, change: PlacedChange): boolean {
  const { kinds, identifiers, productKeys, devices } = selection;
  const { kind, identifier, productKey, deviceName, iotId } = change;
  if (kinds && !kinds.has(kind)) return false;
  if (productKeys && !productKeys.has(productKey)) return false;
  if (identifiers && HAS_IDENTIFIER.has(kind) && (identifier === null || !identifiers.has(identifier))) return false;
  if (!devices) return true;
  return (deviceName !== null && devices.has(`${productKey}:${deviceName}`)) || (iotId !== null && devices.has(iotId));
}

const HAS_IDENTIFIER: ReadonlySet<ChangeKind> = new Set(['event', 'reading']);
