import type { z } from 'zod';
import type { LogFields } from '../log.js';
import type { Publication } from '../platform/platform-message.js';
import type { Random } from '../random.js';
import type { FaultTarget } from './fault-target.js';
import { schemaOf, type Parameters, type ValuesOf } from './parameters.js';

/** What a fault can know and do while it runs. All chance comes from `random`, all time from `now`: a run can be repeated. */
export interface FaultContext {
  /** The run's, such as `late-2`. */
  readonly id: string;
  readonly random: Random;
  /** Another source of chance for a part of the fault, always the same for the same name. */
  readonly chanceOf: (name: string) => Random;
  readonly target: FaultTarget;
  /** As the target's, but while any fault wants it, sign-ins are refused. */
  readonly refuseLogins: (refuse: boolean) => void;
  /** Keys of all tenants, see `livingTenant` and `enterpriseTenant`. */
  readonly tenants: () => readonly string[];
  /** The simulated time, ms since 1970. */
  readonly now: () => number;
  /** So many simulated milliseconds from now, unless the fault ends before. */
  readonly after: (ms: number, happen: () => void) => void;
  /** Hands a message on: to the faults behind this one, then to the platform. */
  readonly passOn: (publication: Publication) => void;
  /** The same for a message that the fault itself made. */
  readonly add: (publication: Publication) => void;
  /** Straight to the platform, past all faults. */
  readonly publish: (publication: Publication) => void;
  /** Counts something that it did. The first few, and then every tenfold, are logged with their details. */
  readonly did: (what: string, times?: number, details?: () => LogFields) => void;
  /** Logs how far it is. */
  readonly tell: (what: string, details: LogFields) => void;
  /** It has done all it is there for. */
  readonly over: () => void;
}

/** A fault that is running. */
export interface ActiveFault {
  /** A message comes by: pass it on, now or later, or make something else of it. Without this it meets no messages. */
  pass?(publication: Publication): void;
  /** It ends: let go of what it held, put back what it changed. */
  end?(): void;
}

/** No fault holds more messages than this back; further ones go on at once. The rest of the process needs memory too. */
export const MOST_HELD = 200_000;

/** `lasting` until it is ended; `once` is over as it begins; a `job` is over when its work is done. */
export type FaultCourse = 'lasting' | 'once' | 'job';

/** A kind of fault, as people start it by name. */
export interface FaultKind {
  readonly name: string;
  readonly meaning: string;
  readonly course: FaultCourse;
  readonly parameters: Parameters;
  readonly schema: z.ZodType;
  /** `params` as the schema gave them. Throws when it cannot be done (no such tenant, no such device). */
  begin(params: unknown, context: FaultContext): ActiveFault;
}

export function defineFault<P extends Parameters>(kind: {
  readonly name: string;
  readonly meaning: string;
  readonly course: FaultCourse;
  readonly parameters: P;
  readonly begin: (params: ValuesOf<P>, context: FaultContext) => ActiveFault;
}): FaultKind {
  const { begin, ...rest } = kind;
  return {
    ...rest,
    schema: schemaOf(kind.parameters),
    begin: (params, context) => begin(params as ValuesOf<P>, context),
  };
}
