import { gatewayRegistryContract } from '../../../domain/src/ports/gateway-registry.port.contract.js';
import { MemoryGatewayRegistry } from './memory-gateway-registry.js';

gatewayRegistryContract('in memory', async () => {
  let now = 1_000;
  const registry = new MemoryGatewayRegistry(() => now);
  return { here: registry, there: registry, pass: (ms) => void (now += ms) };
});
