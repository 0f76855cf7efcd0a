import { lookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isPublicAddress } from '@parley/domain';

/**
 * Finds the addresses of a name, and none that leads inside: asked at the moment of connecting, so that a name cannot
 * stand for another address by then.
 */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    if (error) return callback(error, '', 4);
    const found = addresses.filter(({ address }) => isPublicAddress(address));
    const [first] = found;
    if (!first) {
      const inside: NodeJS.ErrnoException = new Error(`${hostname} is not on the public internet`);
      inside.code = 'EACCES';
      return callback(inside, '', 4);
    }
    if (options.all) callback(null, found);
    else callback(null, first.address, first.family);
  });
};
