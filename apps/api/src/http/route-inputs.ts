import 'reflect-metadata';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import type { z } from 'zod';

/** The schemas that a handler's parameters name; null where it takes none. */
export interface RouteInputs {
  params: z.ZodType | null;
  query: z.ZodType | null;
  body: z.ZodType | null;
}

/** Reads what `@Param`, `@Query` and `@Body` said about a controller's method. */
export function routeInputsOf(controller: object, method: string): RouteInputs {
  const metadata = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, method) ?? {}) as Record<
    string,
    { schema?: z.ZodType }
  >;
  const schemaOf = (type: RouteParamtypes): z.ZodType | null => {
    const key = Object.keys(metadata).find((name) => name.startsWith(`${type}:`));
    return (key && metadata[key]?.schema) || null;
  };
  return {
    params: schemaOf(RouteParamtypes.PARAM),
    query: schemaOf(RouteParamtypes.QUERY),
    body: schemaOf(RouteParamtypes.BODY),
  };
}
